"""One change of one PostgreSQL role's password: locked, made, proven, or undone (laws 4, 10 and 13)."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from rotators import deadline, telemetry
from rotators.engines.postgres import failures
from rotators.engines.postgres import turn as turns
from rotators.engines.postgres.libpq_errors import LibpqError
from rotators.engines.postgres.login import login, prove, stand_by
from rotators.engines.postgres.sql import identifier, literal
from rotators.errors import ChangeRefused, CredentialRejected, RotatorsError

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret
    from rotators.engines.postgres.libpq import Session

#: How often a change is tried again that met another ALTER ROLE of the same role, and the longest pause between, in seconds.
CONFLICTS = 100
PAUSE = 0.05


def change(authority: DatabaseSecret, new: DatabaseSecret, old: DatabaseSecret) -> None:
    """
    Give a role the password of `new` over a session of `authority`, prove it, or put `old` back.

    Raises:
        CredentialRejected: `authority` was refused, and nothing was changed.
        ChangeRefused: the server would not have it, or it did not take and was undone.
        TargetUnreachable: could not be asked.
    """
    with login(authority) as session:
        Change(session, authority, new, old).run()


def inspect(session: Session, target: DatabaseSecret) -> None:
    """
    Refuse, over an admin's session, what no password mends, and what is not ours (law 11).

    Raises:
        ChangeRefused: says what it is.
        LibpqError: the server refused the look, or the connection broke.
    """
    name = target.username
    facts = "rolcanlogin, rolsuper, rolvaliduntil IS NOT NULL AND rolvaliduntil < pg_catalog.now(), rolvaliduntil"
    found = session.rows(
        f"SELECT {facts} FROM pg_catalog.pg_roles WHERE rolname = {literal(name)}"  # noqa: S608 - quoted
    )
    at = f"{target.host}:{target.port}"
    if not found:
        raise ChangeRefused(f"{at} has no role {name!r}: create it, or correct 'username' in the secret")
    ((login, superuser, expired, until),) = found
    if superuser == "t":
        raise ChangeRefused(f"{name!r} at {at} is a superuser: an admin's authority is not used to take one over")
    if login != "t":
        raise ChangeRefused(f"{name!r} at {at} has NOLOGIN, so no password opens it: ALTER ROLE … LOGIN")
    if expired == "t":
        raise ChangeRefused(f"{name!r} at {at} expired on {until}, so no password opens it: ALTER ROLE … VALID UNTIL")


class Change:
    """One change of one role's password: locked, made, proven, or undone."""

    def __init__(self, session: Session, authority: DatabaseSecret, new: DatabaseSecret, old: DatabaseSecret) -> None:
        self._session = session
        self._authority = authority
        self._new = new
        self._old = old
        self._algorithm = "scram-sha-256"

    def run(self) -> None:
        """Make the change and prove it. What it raises is what ``Engine.set`` promises."""
        failure: RotatorsError | None = None
        try:
            if self._prepare():
                return
            verifier = self._session.verifier(self._new.username, self._new.password, self._algorithm)
        except LibpqError as error:
            failure = failures.change_failed(error, self._authority, self._new.username)
        if failure is not None:
            raise failure
        deadline.current().enough()
        if self._session.address is not None:
            stand_by(self._new, self._session.address)
        broken = self._alter(verifier)
        telemetry.window_opened()
        self._prove(broken)

    def _prepare(self) -> bool:
        """Take the role's turn and look at it. True: somebody else did the work meanwhile."""
        turn = turns.take(self._session, self._authority, self._new.username)
        self._algorithm = turn.algorithm
        if self._authority.username != self._new.username:
            inspect(self._session, self._new)
        return turn.waited and self._already()

    def _already(self) -> bool:
        """Another rotation held the lock: find out what it did (law 4)."""
        try:
            prove(self._new, at=self._session.address)
        except CredentialRejected:
            pass
        else:
            return True
        moved = False
        try:
            prove(self._authority, at=self._session.address)
        except CredentialRejected:
            moved = True
        if moved:
            raise ChangeRefused(
                f"the password of {self._new.username!r} was changed by something else while this rotation waited for it: "
                "is the role rotated by two secrets?",
                retryable=True,
            )
        return False

    def _alter(self, verifier: str) -> LibpqError | None:
        """Change it. Returns the failure where the connection broke, as the server may have changed it all the same."""
        statement = f"ALTER ROLE {identifier(self._new.username)} PASSWORD {literal(verifier)}"
        failure: RotatorsError | None = None
        for attempt in range(CONFLICTS):
            try:
                self._session.rows(statement)
            except LibpqError as error:
                if error.sqlstate is None or not self._session.alive:
                    return error
                # Two ALTER ROLE at once, by people who took no lock of ours or took it in another database.
                if (
                    "concurrently updated" in error.text
                    and attempt + 1 < CONFLICTS
                    and deadline.current().left() > deadline.PROOF
                ):
                    time.sleep(random.uniform(0, PAUSE))  # noqa: S311 - only spreads the tries
                    continue
                failure = failures.change_failed(error, self._authority, self._new.username)
            break
        if failure is not None:
            raise failure
        return None

    def _prove(self, broken: LibpqError | None) -> None:
        """Law 10: the second login. Whatever it says but yes, current is put back over the session that is still open."""
        failure: RotatorsError | None = None
        spare = deadline.PROOF if broken is None else 0.0  # for the undo, which a dead session can't make
        try:
            with deadline.running(deadline.Deadline(deadline.current().left() - spare)):
                prove(self._new, at=self._session.address)
        except RotatorsError as error:
            failure = error
        if failure is None:
            return
        if broken is not None:
            raise failures.change_failed(broken, self._authority, self._new.username)
        undone = self._put_back()
        if isinstance(failure, CredentialRejected):
            raise ChangeRefused(f"the new password was set and then refused at login ({failure}); {undone}")
        failure.args = (f"the new password was set but could not be proven: {failure}; {undone}",)
        raise failure

    def _put_back(self) -> str:
        """
        Put current back in the form in which it opened, and say how that went.

        The server may be set to make md5 and still take SCRAM alone: then the new password was refused for its form. An
        admin does not know current's form: both are tried.
        """
        forms = ["md5", "scram-sha-256"] if self._algorithm == "md5" else ["scram-sha-256", "md5"]
        if self._authority.username == self._old.username:
            forms = ["scram-sha-256" if self._session.scram else "md5"]
        said = ""
        for form in forms:
            try:
                verifier = self._session.verifier(self._old.username, self._old.password, form)
                statement = f"ALTER ROLE {identifier(self._old.username)} PASSWORD {literal(verifier)}"
                self._session.rows(statement, seconds=deadline.PROOF)
            except LibpqError:
                return "AWSCURRENT could not be put back: the retry finds out which of the two opens"
            try:
                prove(self._old, at=self._session.address)
            except CredentialRejected as error:
                said = f"AWSCURRENT was put back, which could not be proven ({error})"
            except RotatorsError as error:
                return f"AWSCURRENT was put back, which could not be proven ({error})"
            else:
                return "AWSCURRENT was put back and opens again"
        return said
