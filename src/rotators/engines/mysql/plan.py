"""What is to be changed for one user's new password: which of its accounts, and in which words."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from rotators import deadline
from rotators.engines.mysql import alterations
from rotators.engines.mysql.accounts import Account, accounts, is_mariadb, own
from rotators.engines.mysql.hosts import serving
from rotators.engines.mysql.login import prepare, prove
from rotators.engines.mysql.numbers import EXPIRED, SLOW
from rotators.engines.mysql.session import MySQLError, Session, literal
from rotators.errors import ChangeRefused, CredentialRejected, TargetUnreachable

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret
    from rotators.engines.mysql.alterations import Alteration


def lock(session: Session, user: str) -> None:
    """
    Take the lock of a user's name, which ends with the session. Servers that have none, such as some clusters, go without.

    Raises:
        TargetUnreachable: somebody else holds it all the time that is left.
    """
    seconds = int(min(deadline.CONNECT, deadline.current().left() / 4))
    name = "rotators:" + hashlib.blake2b(user.encode(), digest_size=16).hexdigest()
    try:
        ((got,),) = session.rows(f"SELECT GET_LOCK({literal(name)}, {seconds})")
    except MySQLError as error:
        if not error.number or error.number in EXPIRED:
            raise
        got = 0 if error.number in SLOW else 1
    if got == 0:
        raise TargetUnreachable(f"user {user!r} stays locked: another rotation of it is at work", cause="busy")


def inspect(session: Session, *, mariadb: bool) -> None:
    """
    Refuse a server that is not to be changed, or that would write down what it is told.

    A replica takes a change from who has the right to write there, and is then another than its primary. MySQL takes a
    password in the clear and keeps it out of its own logs, unless it was told not to (law 9).

    Raises:
        ChangeRefused: says what to do.
    """
    settings = (
        ["@@GLOBAL.read_only"] if mariadb else ["@@GLOBAL.read_only", "@@GLOBAL.log_raw AND @@GLOBAL.general_log"]
    )
    values = _values(session, *settings) or [value for one in settings for value in _values(session, one) or [0]]
    read_only, raw = [str(value) not in {"0", "OFF", "None"} for value in (*values, 0)[:2]]
    if read_only:
        raise ChangeRefused(
            "the server is read-only: 'host' in the secret must name the primary (the writer endpoint)", retryable=True
        )
    if raw:
        raise ChangeRefused(
            "the server writes statements to its general log as they are (log_raw), a new password too: SET GLOBAL log_raw = "
            "OFF"
        )


def _values(session: Session, *expressions: str) -> list[object] | None:
    """Ask for settings; None where the server does not know one of them."""
    try:
        (row,) = session.rows(f"SELECT {', '.join(expressions)}")
    except MySQLError as error:
        if not error.number or error.number in EXPIRED:
            raise
        return None
    return list(row)


def is_system(session: Session, account: Account) -> bool:
    """Say whether MySQL protects an account from ordinary admins."""
    whom = f"USER = {literal(account.user)} AND HOST = {literal(account.host)}"
    try:
        rows = session.rows(f"SELECT 1 FROM mysql.global_grants WHERE {whom} AND PRIV = 'SYSTEM_USER'")  # noqa: S608
    except MySQLError as error:
        if not error.number:
            raise
        return False  # before 8.0 there is no such table
    return bool(rows)


class Plan:
    """
    The alterations one session is to make.

    Args:
        session: of `authority`; its lock is taken and it is made ours.
        authority: the user itself, or an admin.
        new: pending.
        old: current.
    """

    def __init__(self, session: Session, authority: DatabaseSecret, new: DatabaseSecret, old: DatabaseSecret) -> None:
        self._session = session
        self._authority = authority
        self._new = new
        self._old = old
        self._itself = authority.username == new.username
        opened = authority.password if self._itself else None
        self._words = alterations.Passwords(new.password, old.password, opened)
        #: Whether the server is a MariaDB.
        self.mariadb = False

    def alterations(self) -> list[Alteration]:
        """
        Return what is to be done; what is done already is left out (law 4).

        Raises:
            MySQLError: the server refused a look, or the connection broke.
            ChangeRefused: there is no such account, or none that may be changed.
        """
        session, user = self._session, self._new.username
        prepare(session)
        lock(session, user)
        ((version, client),) = session.rows("SELECT VERSION(), SUBSTRING_INDEX(USER(), '@', -1)")
        self.mariadb = is_mariadb(str(version))
        inspect(session, mariadb=self.mariadb)
        found = accounts(session, user, mariadb=self.mariadb)
        if self._itself:
            return self._of_itself(found or [])
        if found is None:
            raise ChangeRefused(
                f"the admin {self._authority.username!r} may not see what accounts {user!r} has: GRANT SELECT ON "
                f"{'mysql.global_priv' if self.mariadb else 'mysql.user'} TO it"
            )
        return self._in(self._by_admin(found, str(client)))

    def _of_itself(self, found: list[Account]) -> list[Alteration]:
        """Return the change of the account that has logged in, and of its namesakes that the same password opens."""
        mine = own(self._session, mariadb=self.mariadb)
        if mine.user != self._new.username:
            raise ChangeRefused(
                f"the server takes a login of {self._new.username!r} for {mine.name}, which is not ours: DROP the anonymous "
                "account, or REVOKE PROXY"
            )
        opened = str(self._words.opened)
        others = [account for account in found if account.host != mine.host and account.opens(opened)]
        named = [replace(alteration, needed=False) for alteration in self._in(others)]
        if self.mariadb:
            return [*alterations.on_mariadb([mine], self._words, own=True), *named]
        # MySQL shows what is stored to who may see it; the others let the server compare.
        seen = next((account for account in found if account.host == mine.host), None)
        if seen is not None and seen.first(self._words.new):
            return named
        return [alterations.of_itself(mine, self._words), *named]

    def _by_admin(self, found: list[Account], client: str) -> list[Account]:
        """Choose the accounts that the secret's password opens, none other; where it opens none, the one that serves us."""
        user = self._new.username
        if not found:
            raise ChangeRefused(
                f"{self._new.host}:{self._new.port} has no user {user!r}: create it, or correct 'username'"
            )
        words = self._words
        chosen = [account for account in found if account.opens(words.current) or account.opens(words.new)]
        server = serving(found, client, address=self._session.here, mariadb=self.mariadb)
        if server is None and not chosen:
            hosts = ", ".join(account.host or "''" for account in found)
            raise ChangeRefused(f"no account of {user!r} is for this client, who comes from {client}, but for {hosts}")
        if server is None or server in chosen:
            return chosen
        if self._current_is_refused():
            self._inspect(server)
            return [*chosen, server]
        return chosen or [server]  # its plugin is none that we can compare for

    def _in(self, chosen: list[Account]) -> list[Alteration]:
        return (alterations.on_mariadb if self.mariadb else alterations.on_mysql)(chosen, self._words)

    def _current_is_refused(self) -> bool:
        try:
            prove(self._old, at=self._session.address)
        except CredentialRejected:
            return True
        return False

    def _inspect(self, account: Account) -> None:
        """An admin heals an ordinary account, whose password was changed by hand; not one that administers (law 11)."""
        if account.locked:
            raise ChangeRefused(f"{account.name} is locked, so no password opens it: ALTER USER … ACCOUNT UNLOCK")
        if account.administers or (not self.mariadb and is_system(self._session, account)):
            raise ChangeRefused(
                f"{account.name} is a superuser, or may grant everything: an admin's authority is not used to take one over"
            )
