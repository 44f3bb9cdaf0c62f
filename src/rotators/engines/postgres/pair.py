"""
One change of a pair's other role, by an admin: made equal to its base and given its password in one transaction, then proven.

A clone that is missing is created. All of it is one transaction, the verifier last, so a clone is never to be had with
less rights than its base, wherever the connection breaks. Nothing here touches the role that AWSCURRENT names.
"""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from rotators import deadline, telemetry
from rotators.engines.postgres import belongings, obstacles
from rotators.engines.postgres import turn as turns
from rotators.engines.postgres.change import CONFLICTS, PAUSE
from rotators.engines.postgres.gaps import Gap, gaps
from rotators.engines.postgres.libpq_errors import LibpqError
from rotators.engines.postgres.login import login, prove
from rotators.engines.postgres.obstacles import PASSWORD
from rotators.engines.postgres.rights import Pair, Rights
from rotators.engines.postgres.sql import identifier, literal
from rotators.errors import ChangeRefused, CredentialRejected, RotatorsError

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret
    from rotators.engines.postgres.libpq import Session

#: Others altered, created or dropped the same role meanwhile: XX000 is "tuple concurrently updated", in any language.
CONFLICT = {"XX000", "42710", "23505", "40001", "40P01"}


def change(authority: DatabaseSecret, new: DatabaseSecret, old: DatabaseSecret) -> None:
    """
    Make the role of `new` equal to the base of its pair, give it its password, and prove it.

    Args:
        authority: an admin: a superuser, or CREATEROLE (on 16 and later with ADMIN OPTION on both roles).
        new: the other role of the pair.
        old: the one in use, which stays as it is.

    Raises:
        CredentialRejected: `authority` was refused, and nothing was changed.
        ChangeRefused: one of the roles is not ours, or the admin lacks a right (says which, as SQL), or it did not take.
        TargetUnreachable: could not be asked.
    """
    pair = Pair.of(new.username, old.username)
    with login(authority) as session:
        PairChange(session, authority, new, pair).run()


class PairChange:
    """One change of the role of a pair that is not in use."""

    def __init__(self, session: Session, authority: DatabaseSecret, new: DatabaseSecret, pair: Pair) -> None:
        self._session = session
        self._authority = authority
        self._new = new
        self._pair = pair
        #: What is being done, and the rights it was begun with: what an error is about.
        self._doing = Gap(PASSWORD.format(new.username), "")
        self._rights: Rights | None = None

    def run(self) -> None:
        """Make the change and prove it. What it raises is what ``Engine.set`` promises."""
        failure: RotatorsError | None = None
        created = False
        try:
            turn = turns.take(self._session, self._authority, self._pair.base, self._pair.clone)
            verifier = self._session.verifier(self._new.username, self._new.password, turn.algorithm)
            self._bring_over()
            deadline.current().enough()
            created = self._commit(verifier)
        except LibpqError as error:
            failure = obstacles.failed(error, self._doing, self._rights, self._authority, self._new.username)
        if failure is not None:
            raise failure
        self._prove(created=created)

    def _read(self) -> Rights:
        """Look at both roles, and refuse what is not ours."""
        self._rights = Rights.read(self._session, self._pair)
        self._rights.refuse(self._new)
        return self._rights

    def _bring_over(self) -> None:
        """Give the base what the clone owns, if that was asked for; take from the clone what its base has not."""
        rights = self._read()
        here = self._new.dbname
        reassign = belongings.asked_for() and rights.owned(here) + rights.owned(None) > 0
        revoke = self._new.username == self._pair.clone and rights.granted(here) + rights.granted(None) > 0
        if not reassign and not revoke:
            return
        if rights.database == here:
            self._settle(self._session, rights, reassign=reassign, revoke=revoke)
            return
        failure: RotatorsError | None = None
        try:
            with login(replace(self._authority, dbname=here), at=self._session.address) as there:
                there.rows(turns.ours(deadline.current().wait(deadline.CONNECT)))
                self._settle(there, rights, reassign=reassign, revoke=revoke)
        except RotatorsError as error:
            failure = error
        if failure is not None and reassign:
            raise failure

    def _settle(self, session: Session, rights: Rights, *, reassign: bool, revoke: bool) -> None:
        if reassign:
            self._do(belongings.reassignment(rights), over=session)
            telemetry.add(reassigned=rights.owned(self._new.dbname) + rights.owned(None))
        if revoke:
            belongings.revoke(session, rights)

    def _do(self, gap: Gap, *, over: Session | None = None) -> None:
        """Run one statement, and know what an error is about."""
        self._doing = gap
        (over or self._session).rows(gap.statement)

    def _commit(self, verifier: str) -> bool:
        """Run the transaction, again where others altered the roles meanwhile. Returns whether the clone was created."""
        for _ in range(CONFLICTS):
            try:
                return self._transaction(verifier)
            except LibpqError as error:
                if (
                    error.sqlstate not in CONFLICT
                    or not self._session.alive
                    or deadline.current().left() < 2 * deadline.PROOF
                ):
                    raise
            self._session.rows("ROLLBACK")
            time.sleep(random.uniform(0, PAUSE))  # noqa: S311 - only spreads the tries
        at = f"{self._authority.host}:{self._authority.port}"
        raise ChangeRefused(f"the pair's roles at {at} are being altered by others all the while", retryable=True)

    def _transaction(self, verifier: str) -> bool:
        self._session.rows("BEGIN")
        rights = self._read()
        created = rights.clone is None
        clone, name = self._pair.clone, self._new.username
        if name == clone:
            if created:
                self._do(Gap(f"create {clone!r}", f"CREATE ROLE {identifier(clone)}"))
                rights = self._rights = Rights.read(self._session, self._pair)
            self._close(rights)
        self._do(Gap(PASSWORD.format(name), f"ALTER ROLE {identifier(name)} PASSWORD {literal(verifier)}"))
        self._session.rows("COMMIT")
        return created

    def _close(self, rights: Rights) -> None:
        """Make the clone equal to its base. What the admin may not do is collected, and said together."""
        found = gaps(rights)
        denied: list[Gap] = []
        for gap in found:
            self._doing = gap
            try:
                self._session.rows(f"SAVEPOINT gap; {gap.statement}")
            except LibpqError as error:
                if error.sqlstate != "42501":
                    raise
                denied.append(gap)
                self._session.rows("ROLLBACK TO gap")
        if found:  # a REVOKE of what somebody else granted is no error, and does nothing
            denied = denied or gaps(Rights.read(self._session, self._pair))
            telemetry.add(refreshed=", ".join(gap.text for gap in found))
        if denied:
            raise obstacles.denied(denied, self._rights, self._authority)

    def _prove(self, *, created: bool) -> None:
        """Law 10: the second login. The old password of a role that was there is not known, and is nobody's current."""
        failure: RotatorsError | None = None
        try:
            with deadline.running(deadline.Deadline(deadline.current().left() - deadline.PROOF)):
                prove(self._new, at=self._session.address)
        except RotatorsError as error:
            failure = error
        if not isinstance(failure, CredentialRejected):
            if failure is not None:
                raise failure
            return
        undone = "AWSCURRENT names the other role of the pair and opens as before"
        if created:
            try:
                self._session.rows(f"DROP ROLE {identifier(self._new.username)}", seconds=deadline.PROOF)
                undone += "; the role was new and was dropped"
            except LibpqError:
                undone += "; the role is new and could not be dropped"
        raise ChangeRefused(f"the new password was set and then refused at login ({failure}); {undone}")
