"""
One change of a pair's other user, by an admin: made equal to the base, rights first, its password last, then proven.

The base, without the suffix, is the reference for rights, whichever of the two is in use. Nothing here touches a password of
the user that AWSCURRENT names, so there is nothing to put back (law 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators import deadline
from rotators.engines.mysql.admin import Admin
from rotators.engines.mysql.alterations import chain
from rotators.engines.mysql.claims import Claims
from rotators.engines.mysql.clone import Clone
from rotators.engines.mysql.entries import entry, identified, way_in
from rotators.engines.mysql.granting import surplus
from rotators.engines.mysql.grants import rights
from rotators.engines.mysql.login import login, prove
from rotators.engines.mysql.session import MySQLError, Session, identifier
from rotators.errors import ChangeRefused, CredentialRejected, RotatorsError
from rotators.strategies import SUFFIX

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret
    from rotators.engines.mysql.accounts import Account
    from rotators.engines.mysql.claims import Known
    from rotators.engines.mysql.grants import Right

#: There is no such account: ER_NONEXISTING_GRANT.
NO_GRANT = 1141


def pair(authority: DatabaseSecret, new: DatabaseSecret, old: DatabaseSecret, *, evidence: Known = ()) -> None:
    """
    Make the user of `new` equal to the base of its pair, give it its password, and prove it.

    Args:
        authority: an admin with CREATE USER, SELECT on the database mysql, and what the base has WITH GRANT OPTION.
        new: the other user of the pair: pending.
        old: the one in use: current.
        evidence: (what to call it, value) of the secret's other versions, AWSPREVIOUS first, read as far as they are needed:
            what they open is ours.

    Raises:
        CredentialRejected: `authority` was refused, and nothing was changed.
        ChangeRefused: an account is not ours, or the admin lacks a right (says which, as SQL), or it did not take.
        TargetUnreachable: could not be asked.
    """
    with login(authority) as session:
        PairChange(session, authority, new, old, evidence).run()


class PairChange:
    """One change of the accounts of a pair's user that is not in use."""

    def __init__(
        self,
        session: Session,
        authority: DatabaseSecret,
        new: DatabaseSecret,
        old: DatabaseSecret,
        known: Known,
    ) -> None:
        self._session = session
        self._admin = Admin(session, authority, new.username)
        self._new = new
        self._old = old
        self._base = min(new.username, old.username, key=len)
        self._clone = self._base + SUFFIX
        self._claims = Claims(self._base, self._clone, new, known)
        self._making = Clone(self._admin, self._base)

    def run(self) -> None:
        """Make the change and prove it. What it raises is what ``Engine.set`` promises."""
        failure: RotatorsError | None = None
        try:
            self._admin.begin(self._base)
            if self._new.username == self._clone:
                self._renew_clone()
            else:
                self._renew_base()
        except MySQLError as error:
            failure = self._admin.failed(error)
        if failure is not None:
            raise failure
        self._prove()

    def foresee(self) -> list[Account]:
        """
        Look as `run` does before it changes anything, and return the base's accounts whose rights the clone's are to have.

        Raises:
            ChangeRefused: as `run`.
            MySQLError: the server refused the look, or the connection broke.
        """
        self._admin.begin(self._base)
        if self._new.username == self._clone:
            return self._reference()[0]
        clones, marked = self._clones_in_use()
        return [base for base in self._claims.bases(self._admin.accounts(self._base), marked) if base.host in clones]

    def _reference(self) -> tuple[list[Account], list[Account]]:
        """Return the base's accounts that AWSCURRENT opens, and all of the clone's, which are ours."""
        admin = self._admin
        bases, before = admin.accounts(self._base), admin.accounts(self._clone)
        reference = [account for account in bases if account.opens(self._old.password)]
        if not reference:
            plugins = ", ".join(sorted({one.plugin for account in bases for one in account.entries}))
            raise ChangeRefused(
                f"{self._base!r} logs in by {plugins}, which holds no password that its second user could have too"
            )
        self._claims.refuse_clones(before, admin.traits(self._clone), surplus=self._surplus)
        for account in reference:  # who may not look has changed nothing yet
            rights(self._session, account.name, mariadb=admin.mariadb)
        return reference, before

    def _clones_in_use(self) -> tuple[dict[str, Account], set[str]]:
        """Return the clone's accounts that AWSCURRENT opens, by host, and the hosts at which they carry our mark."""
        clones = {a.host: a for a in self._admin.accounts(self._clone) if a.opens(self._old.password)}
        has = self._admin.traits(self._clone)
        return clones, {host for host in clones if has[host].second_of == self._base}

    def _renew_clone(self) -> None:
        """Make the clone's accounts what the base's are that AWSCURRENT opens, and give them pending's password."""
        admin, making, password = self._admin, self._making, self._new.password
        reference, before = self._reference()
        for account in reference:
            if account.host not in {clone.host for clone in before}:
                making.create(account)
        has, wanted = admin.traits(self._clone), admin.traits(self._base)
        for account in reference:
            making.align(account, has[account.host])
        self._need_time()
        clones = {clone.host: clone for clone in admin.accounts(self._clone)}
        for account in reference:
            clone = clones.pop(account.host)
            making.open(account, clone, password, wanted=wanted[account.host], has=has[account.host])
        for clone in clones.values():
            making.shut(clone, password)

    def _renew_base(self) -> None:
        """Make the clone, which is in use, equal to its base, and give the base pending's password."""
        admin = self._admin
        clones, marked = self._clones_in_use()
        has, wanted = admin.traits(self._clone), admin.traits(self._base)
        bases = self._claims.bases(admin.accounts(self._base), marked)
        for account in bases:
            if account.host in clones:
                told, clone = wanted[account.host], has[account.host]
                self._making.align(account, clone)
                if told.clauses != clone.clauses:
                    admin.alter(clones[account.host].name, told.over(clone))
        self._need_time()
        for account in bases:
            self._give(account)

    def _give(self, account: Account) -> None:
        """Give an account of the base its password; its other ways in, such as a socket's, stay."""
        entries = account.entries
        if self._admin.mariadb:
            entries = chain(account, self._new.password, keep=None)
        else:
            self._making.discard(account)
            if not account.first(self._new.password):
                entries = (entry(way_in(account), self._new.password),)
        if entries != account.entries:
            self._admin.alter(account.name, identified(entries, mariadb=self._admin.mariadb))

    def _surplus(self, clone: Account) -> set[Right]:
        """Return what an account of the clone can do that the base can't at the same host."""
        mariadb = self._admin.mariadb
        have = rights(self._session, clone.name, mariadb=mariadb)
        try:
            want = rights(self._session, f"{identifier(self._base)}@{identifier(clone.host)}", mariadb=mariadb)
        except MySQLError as error:
            if error.number != NO_GRANT:
                raise
            want = frozenset()  # the base has no account there
        return surplus(have, want)

    def _need_time(self) -> None:
        deadline.current().enough(steps=1)

    def _prove(self) -> None:
        """Law 10: the second login, while the admin's session is still open."""
        rejected = ""
        try:
            prove(self._new, at=self._session.address)
        except CredentialRejected as error:
            rejected = str(error)
        if rejected:
            raise ChangeRefused(
                f"the new password was set and then refused at login ({rejected}); AWSCURRENT names the other user of the "
                "pair and opens as before"
            )
