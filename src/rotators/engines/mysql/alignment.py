"""Making one account's rights equal to another's, over an admin's session: looked at again until they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rotators import telemetry
from rotators.engines.mysql.granting import Granting, Step, missing, needed, surplus
from rotators.engines.mysql.grants import GLOBAL, Kind, Right, rights
from rotators.engines.mysql.session import MySQLError
from rotators.errors import ChangeRefused

if TYPE_CHECKING:
    from rotators.engines.mysql.admin import Admin

#: How often the rights are looked at. Two are enough but where ALL PRIVILEGES or partial revokes hide others.
ROUNDS = 8
#: What both servers answer to who may not give or take a right, or alter an account.
DENIED = frozenset({1044, 1045, 1142, 1143, 1227, 1370, 1698})
NO_TABLE = 1146
#: The object is gone, or its column, and the right to it is left over: ER_BAD_FIELD, ER_NO_SUCH_TABLE, ER_SP_DOES_NOT_EXIST, ….
GONE = frozenset({1049, 1054, NO_TABLE, 1305, 1356})
#: It was not there to be revoked: somebody else was quicker, and the next look shows it.
NOT_HELD = frozenset({1141, 1147, 1403})
#: Without NO_AUTO_CREATE_USER, a GRANT to an account that somebody drops meanwhile would make one without a password.
PLAIN, ORACLE = (f"SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,{mode}'" for mode in ("NO_AUTO_CREATE_USER", "ORACLE"))


class Alignment:
    """
    Gives accounts the rights of others.

    Args:
        admin: who gives and takes.

    Example:
        >>> Alignment(admin).align("`app_clone`@`%`", "`app`@`%`")
    """

    def __init__(self, admin: Admin) -> None:
        self._admin = admin
        self._session = admin.session
        self._mariadb = admin.mariadb
        self._denied: dict[str, str] = {}
        self._gone: set[Right] = set()

    def align(self, account: str, reference: str) -> None:
        """
        Make `account` able to do what `reference` is, no less and no more.

        Raises:
            ChangeRefused: the admin may not give or take a right; names it, and the statement that lets it.
            MySQLError: the connection broke.
        """
        granting = Granting(account, self._mariadb)
        done: list[str] = []
        for _ in range(ROUNDS):
            want = rights(self._session, reference, mariadb=self._mariadb) - self._gone
            have = rights(self._session, account, mariadb=self._mariadb)
            steps = granting.towards(have, want)
            if not steps:
                break
            for step in steps:
                self._take(step, granting)
            if self._denied:
                raise self._refusal(account)
            done += [step.text for step in steps]
        else:
            left = ", ".join(str(right) for right in sorted(missing(have, want) | surplus(have, want)))
            raise ChangeRefused(f"the rights of {account} can't be made equal to those of {reference}: {left}")
        if done:
            telemetry.add(rights_changed=len(done))

    def _take(self, step: Step, granting: Granting) -> None:
        problem = self._run(step)
        if problem is None or problem.number in NOT_HELD:
            return
        if problem.number in GONE and step.text.startswith("GRANT"):
            self._left_over(step, granting, problem)
        elif problem.number not in DENIED:
            if not self._denied:  # else it follows from that: a role that could not be granted can't be a default
                raise problem
        else:
            self._find_denied(step, granting, problem)

    def _run(self, step: Step) -> MySQLError | None:
        try:
            if step.of_package:
                self._session.rows(ORACLE)
            self._session.rows(step.text)
        except MySQLError as error:
            if not error.number:
                raise
            return error
        finally:
            if step.of_package and self._session.alive:
                self._session.rows(PLAIN)
        return None

    def _left_over(self, step: Step, granting: Granting, problem: MySQLError) -> None:
        """
        Give a right on what does not exist at the moment.

        Both servers let a table's privileges be granted before it is made, where CREATE is among them; CREATE goes again in
        the next round. So a table that is dropped and made anew every night does not lose its rights on the clone.
        """
        first = step.rights[0]
        whole = all(right.kind is Kind.PRIVILEGE and not right.column for right in step.rights)
        if problem.number == NO_TABLE and whole:
            early = granting.give({*step.rights, replace(first, what="CREATE")})
            if all(self._run(one) is None for one in early):
                return
        if len(step.rights) > 1:
            for right in step.rights:
                for one in granting.give([right]):
                    self._take(one, granting)
            return
        self._gone.add(first)
        telemetry.warn(f"a right on what no longer exists was not copied: {first}")

    def _find_denied(self, step: Step, granting: Granting, problem: MySQLError) -> None:
        """Find out which of several rights it is that the admin may not hand on."""
        system = "SYSTEM_USER" in problem.text
        alone = (
            [one for right in step.rights for one in granting.give([right])] if step.text.startswith("GRANT") else []
        )
        if system or len(alone) < 2:  # noqa: PLR2004 - one can't be told apart further
            right = Right(Kind.DYNAMIC, "SYSTEM_USER", GLOBAL) if system else step.rights[0]
            for each in [right] if system else step.rights:
                self._denied[str(each)] = self._needed(each)
            return
        refused = [(one, found) for one in alone if (found := self._run(one)) is not None]
        for one, found in refused or [(step, problem)]:
            if found.number in DENIED:
                self._denied[str(one.rights[0])] = self._needed(one.rights[0])

    def _needed(self, right: Right) -> str:
        return needed(right, self._admin.name(), mariadb=self._mariadb)

    def _refusal(self, account: str) -> ChangeRefused:
        statements = "; ".join(dict.fromkeys(self._denied.values()))
        return ChangeRefused(
            f"the admin may not give to {account}, or take from it: {', '.join(self._denied)}. Let it: {statements}"
        )
