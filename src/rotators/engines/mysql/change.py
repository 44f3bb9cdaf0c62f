"""One change of one user's password on MySQL or MariaDB: planned, made, proven, or undone (laws 4, 10 and 13)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rotators import deadline, telemetry
from rotators.engines.mysql.failures import change_failed, login_failed
from rotators.engines.mysql.login import login, prove
from rotators.engines.mysql.numbers import EXPIRED, FAILED, MOVED, NAMELESS, OTHERWISE, UNCERTAIN
from rotators.engines.mysql.plan import Plan
from rotators.engines.mysql.session import MySQLError, Session
from rotators.errors import ChangeRefused, CredentialRejected, RotatorsError, TargetUnreachable

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret
    from rotators.engines.mysql.alterations import Alteration, Form

#: Why a proof is tried once more before the change is undone.
BLIPS = frozenset({"dropped", "refused", "network"})


def change(authority: DatabaseSecret, new: DatabaseSecret, old: DatabaseSecret) -> None:
    """
    Give a user the password of `new` over a session of `authority`, prove it, or put the account back.

    Raises:
        CredentialRejected: `authority` was refused, and nothing was changed.
        ChangeRefused: the server would not have it, or it did not take and was undone.
        TargetUnreachable: could not be asked.
    """
    with login(authority) as session:
        Change(session, authority, new, old).run()


class Change:
    """One change of one user's password: planned, made, proven, or undone."""

    def __init__(self, session: Session, authority: DatabaseSecret, new: DatabaseSecret, old: DatabaseSecret) -> None:
        self._session = session
        self._authority = authority
        self._new = new
        self._old = old
        self._plan = Plan(session, authority, new, old)
        self._made: list[Form] = []
        self._overlaps = True

    def run(self) -> None:
        """Make the change and prove it. What it raises is what ``Engine.set`` promises."""
        failure: RotatorsError | None = None
        planned: list[Alteration] = []
        try:
            planned = self._plan.alterations()
        except MySQLError as error:
            translate = login_failed if error.number in EXPIRED else change_failed
            failure = translate(error, self._authority, self._new.username)
        if failure is not None:
            raise failure
        deadline.current().enough()
        broken: MySQLError | None = None
        for number, alteration in enumerate(planned, 1):
            broken = self._alter(alteration)
            if broken is not None:
                if number < len(planned):  # the retry finds out which accounts are still to be changed
                    raise change_failed(broken, self._authority, self._new.username)
                break
        if self._made:
            self._say()
        self._prove(broken)

    def _alter(self, alteration: Alteration) -> MySQLError | None:
        """Change an account. Returns the failure where the connection broke, as the server may have changed it all the same."""
        form, problem = self._said(alteration)
        if problem is not None and problem.number == MOVED:
            return self._moved(alteration)
        if problem is None or problem.number in {0, UNCERTAIN}:
            self._made.append(form)
            self._overlaps = self._overlaps and form.overlaps
            return problem if problem is not None and not problem.number else None
        if not alteration.needed:
            telemetry.warn(
                f"{alteration.account} keeps its password, which is the same: the user may not change another account's. "
                "GRANT CREATE USER ON *.* TO it, or name an admin's secret in 'masterarn'"
            )
            return None
        self._refuse(problem)
        return None

    def _said(self, alteration: Alteration) -> tuple[Form, MySQLError | None]:
        """Say it in the best form that the server will have."""
        for form in alteration.forms:
            problem = self._run(form.statement)
            if problem is None or problem.number not in OTHERWISE:
                break
        return form, problem

    def _run(self, statement: str) -> MySQLError | None:
        """Run one statement, with the time for a proof to spare. Returns what went wrong."""
        try:
            self._session.rows(statement, seconds=max(deadline.PROOF, deadline.current().left() - deadline.PROOF))
        except MySQLError as error:
            return self._reason() or error if error.number == FAILED else error
        return None

    def _reason(self) -> MySQLError | None:
        with suppress(MySQLError, ValueError):
            for _, number, text in self._session.rows("SHOW ERRORS"):
                if int(number) != FAILED:
                    return MySQLError(int(number), str(text))
        return None

    def _moved(self, alteration: Alteration) -> MySQLError | None:
        """Current opens as the second password. Either an earlier try of ours was first, or an abandoned attempt (law 4)."""
        try:
            prove(self._new, at=self._session.address)
        except CredentialRejected:
            pass
        else:
            return None
        plainly = alteration.forms[-1]  # without RETAIN, so that the second password stays
        problem = self._run(plainly.statement)
        if problem is not None and problem.number:
            self._refuse(problem)
        self._made.append(plainly)
        return problem

    def _refuse(self, problem: MySQLError) -> None:
        undone = f"; {self._put_back()}" if self._made else ""
        if problem.number == NAMELESS:
            raise CredentialRejected(f"the password that opens is only the older one of {self._new.username!r}{undone}")
        failure = change_failed(problem, self._authority, self._new.username)
        failure.args = (f"{failure}{undone}",)
        raise failure

    def _say(self) -> None:
        """Tell what clients saw, and which grant would spare them a failed login."""
        telemetry.add(two_passwords=self._overlaps)
        if self._overlaps:
            return
        telemetry.window_opened()
        right, since = (
            ("CREATE USER", "MariaDB 10.4") if self._plan.mariadb else ("APPLICATION_PASSWORD_ADMIN", "MySQL 8.0.14")
        )
        telemetry.warn(
            f"the old password of {self._new.username!r} stopped opening at once. So that both open until the next rotation "
            f"({since} and later): GRANT {right} ON *.* TO the user, or name an admin's secret in 'masterarn'"
        )

    def _prove(self, broken: MySQLError | None) -> None:
        """Law 10: the second login. Whatever it says but yes, the accounts are put back over the session that is still open."""
        failure = self._proof(
            spare=deadline.PROOF if broken is None else 0.0
        )  # for the undo, which a dead session can't make
        if isinstance(failure, TargetUnreachable) and failure.cause in BLIPS:
            failure = self._proof(spare=deadline.PROOF)
        if failure is None:
            return
        if broken is not None:
            raise change_failed(broken, self._authority, self._new.username)
        if not self._made and isinstance(failure, CredentialRejected):
            raise ChangeRefused(f"the new password is set already, and refused at login ({failure})")
        if not self._made:
            raise failure
        undone = self._put_back()
        if isinstance(failure, CredentialRejected):
            raise ChangeRefused(f"the new password was set and then refused at login ({failure}); {undone}")
        failure.args = (f"the new password was set but could not be proven: {failure}; {undone}",)
        raise failure

    def _proof(self, *, spare: float) -> RotatorsError | None:
        """Log in with the new password, with so many seconds to spare. Returns what went wrong."""
        try:
            with deadline.running(deadline.Deadline(deadline.current().left() - spare)):
                prove(self._new, at=self._session.address)
        except RotatorsError as error:
            return error
        return None

    def _put_back(self) -> str:
        """Put every account back as it was, and say how that went."""
        failed = False
        for form in reversed(self._made):
            try:
                self._session.rows(form.undo, seconds=deadline.PROOF)
            except MySQLError as error:
                failed = failed or error.number != UNCERTAIN
        if failed:
            return "AWSCURRENT could not be put back: the retry finds out which of the two opens"
        try:
            prove(self._old, at=self._session.address)
        except RotatorsError as error:
            return f"the account was put back as it was, but AWSCURRENT could not be proven ({error})"
        return "AWSCURRENT was put back and opens again"
