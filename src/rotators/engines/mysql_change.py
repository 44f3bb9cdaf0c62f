"""One change of one user's password on MySQL or MariaDB: planned, made, proven, or undone (laws 4, 10 and 13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators import deadline, telemetry
from rotators.engines.mysql_failures import EXPIRED, change_failed, login_failed
from rotators.engines.mysql_login import login, prove
from rotators.engines.mysql_plan import Plan
from rotators.engines.mysql_session import MySQLError, Session
from rotators.errors import ChangeRefused, CredentialRejected, RotatorsError, TargetUnreachable

if TYPE_CHECKING:
    from rotators.engines.mysql_alterations import Alteration, Form
    from rotators.secret import DatabaseSecret

#: Seconds a proof needs, and an undo: a change is not begun without the time for both (laws 10 and 13).
PROOF = 1.5
#: The server does not know the words, or the session lacks the right to them: say it another way.
OTHERWISE = frozenset({1064, 1149, 1227})
#: The first password is not the one that opened: it was changed by an earlier try, or is that of an abandoned one.
MOVED = 3891
#: The password must be named to be changed, and the one that opened is not the first.
NAMELESS = 3892
#: MariaDB says so of an account that has a socket's way in too, after it has changed the password.
UNCERTAIN = 1699


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
        self._made: list[Alteration] = []
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
        if deadline.current().left() < 2 * PROOF:
            raise TargetUnreachable(
                "too little time is left to change the password and prove it: raise the function's Timeout",
                cause="timeout",
            )
        broken: MySQLError | None = None
        for alteration in planned:
            broken = broken or self._alter(alteration)
        if self._made:
            self._say()
        self._prove(broken)

    def _alter(self, alteration: Alteration) -> MySQLError | None:
        """Change an account. Returns the failure where the connection broke, as the server may have changed it all the same."""
        form, problem = self._said(alteration)
        if problem is not None and problem.number == MOVED:
            return self._moved(alteration)
        if problem is None or problem.number in {0, UNCERTAIN}:
            self._made.append(alteration)
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
            problem: MySQLError | None = None
            try:
                self._session.rows(form.statement)
            except MySQLError as error:
                problem = error
            if problem is None or problem.number not in OTHERWISE:
                break
        return form, problem

    def _moved(self, alteration: Alteration) -> MySQLError | None:
        """Current opens as the second password. Either an earlier try of ours was first, or an abandoned attempt (law 4)."""
        try:
            prove(self._new, at=self._session.address)
        except CredentialRejected:
            pass
        else:
            return None
        problem: MySQLError | None = None
        try:
            self._session.rows(alteration.forms[-1].statement)  # without RETAIN, so that the second password stays
        except MySQLError as error:
            problem = error
        if problem is not None and problem.number:
            self._refuse(problem)
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
        failure: RotatorsError | None = None
        spare = PROOF if broken is None else 0.0  # for the undo, which a dead session can't make
        try:
            with deadline.running(deadline.Deadline(deadline.current().left() - spare)):
                prove(self._new, at=self._session.address)
        except RotatorsError as error:
            failure = error
        if failure is None:
            return
        if broken is not None:
            raise change_failed(broken, self._authority, self._new.username)
        undone = self._put_back()
        if isinstance(failure, CredentialRejected):
            raise ChangeRefused(f"the new password was set and then refused at login ({failure}); {undone}")
        failure.args = (f"the new password was set but could not be proven: {failure}; {undone}",)
        raise failure

    def _put_back(self) -> str:
        """Put every account back as it was, and say how that went."""
        try:
            for alteration in self._made:
                self._session.rows(alteration.undo, seconds=PROOF)
        except MySQLError:
            return "AWSCURRENT could not be put back: the retry finds out which of the two opens"
        try:
            prove(self._old, at=self._session.address)
        except RotatorsError as error:
            return f"AWSCURRENT was put back, which could not be proven ({error})"
        return "AWSCURRENT was put back and opens again"
