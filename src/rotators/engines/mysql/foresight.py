"""
What would stop a change of a MySQL or MariaDB user, asked before there is one: nothing is said that changes anything.

The looks, and the refusals, are those of `plan` and `pair`; besides, what the admin would lack, and what is worth knowing.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from rotators.abc import Obstacle
from rotators.engines.mysql.accounts import accounts, is_mariadb
from rotators.engines.mysql.admin import Admin
from rotators.engines.mysql.failures import change_failed
from rotators.engines.mysql.granting import ON_DATABASE, ON_TABLE, missing, needed
from rotators.engines.mysql.grants import ALL, GLOBAL, GRANT_OPTION, Kind, Right, rights
from rotators.engines.mysql.login import login
from rotators.engines.mysql.pair import NO_GRANT, PairChange
from rotators.engines.mysql.plan import Plan, inspect, is_system
from rotators.engines.mysql.session import MySQLError, Session, identifier
from rotators.errors import ChangeRefused, RotatorsError
from rotators.strategies import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.database_secret import DatabaseSecret
    from rotators.engines.mysql.accounts import Account
    from rotators.engines.mysql.claims import Known

#: Since when an account has two passwords at once.
OVERLAPS = {False: (8, 0, 14), True: (10, 4, 0)}
_DATABASE = re.compile(r"`((?:[^`]|``)*)`\.")
#: What MySQL's ALL on an object does not hold, though MariaDB's does.
MARIADBS = "DELETE HISTORY"


def foresee(authority: DatabaseSecret, new: DatabaseSecret, old: DatabaseSecret, known: Known = ()) -> list[Obstacle]:
    """
    Return what stands in the way of `change.change`, or of `pair.pair` where the two name two users, with these arguments.

    Raises:
        CredentialRejected: `authority` was refused.
        TargetUnreachable, SecretError, ConfigurationError: could not be asked.
    """
    new = replace(new, password=secrets.token_urlsafe(32))  # current's would be taken for a change made already
    failure: RotatorsError | None = None
    found: list[Obstacle] = []
    with login(authority) as session:
        try:
            ((version,),) = session.rows("SELECT VERSION()")
            foresight = Foresight(session, authority, new, old, str(version))
            found += foresight.alone() if new.username == old.username else foresight.pair(known)
        except MySQLError as error:
            failure = change_failed(error, authority, new.username)
        except ChangeRefused as error:
            found.append(Obstacle(str(error)))
    if failure is not None:
        raise failure
    return found


class Foresight:
    """One look at a user, or at the two of a pair."""

    def __init__(
        self, session: Session, authority: DatabaseSecret, new: DatabaseSecret, old: DatabaseSecret, version: str
    ) -> None:
        self._session = session
        self._authority = authority
        self._new = new
        self._old = old
        self._mariadb = is_mariadb(version)
        numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
        self._version = tuple(map(int, numbers.groups())) if numbers else (0, 0, 0)

    def alone(self) -> Iterator[Obstacle]:
        """Look at a single user, which changes itself, or is changed by an admin."""
        planned = Plan(self._session, self._authority, self._new, self._old).alterations()
        mine = rights(self._session, None, mariadb=self._mariadb)
        creates = _held(mine, "CREATE USER")
        itself = self._authority.username == self._new.username
        if not itself and not creates:
            yield self._lacks("CREATE USER", f"alter {planned[0].account if planned else self._new.username!r}")
        if not itself and not self._mariadb and not _dynamic(mine, "SYSTEM_USER"):
            system = [
                a
                for a in accounts(self._session, self._new.username, mariadb=False) or []
                if is_system(self._session, a)
            ]
            yield from (self._lacks("SYSTEM_USER", f"alter {account.name}, which has it") for account in system)
        two = OVERLAPS[self._mariadb]
        if self._version < two:
            yield Obstacle(
                f"the old password stops opening at once: the server has two passwords from {'.'.join(map(str, two))} on",
                "clients that can't have a login refused take alternating users",
                fatal=False,
            )
        elif itself and not creates and (self._mariadb or not _dynamic(mine, "APPLICATION_PASSWORD_ADMIN")):
            right = "CREATE USER" if self._mariadb else "APPLICATION_PASSWORD_ADMIN"
            remedy = "name an admin's secret in 'masterarn'"
            if not self._mariadb:
                remedy = f"GRANT {right} ON *.* TO {self._me()}; or {remedy}"
            yield Obstacle(
                f"the old password stops opening at once, as {self._new.username!r} has no {right}", remedy, fatal=False
            )

    def pair(self, known: Known) -> Iterator[Obstacle]:
        """Look at the two users of a pair, which an admin makes equal."""
        change = PairChange(self._session, self._authority, self._new, self._old, known)
        admin = Admin(self._session, self._authority, self._new.username)
        reference = self._looked(change, admin)
        inspect(self._session, mariadb=self._mariadb)
        mine, me = rights(self._session, None, mariadb=self._mariadb), admin.name()
        clone = max(self._new.username, self._old.username, key=len)
        if not _held(mine, "CREATE USER"):
            yield self._lacks("CREATE USER", f"create or alter {clone!r}")
        sure = not any(right.kind is Kind.ROLE for right in mine)  # what a role of the admin's has, is not in the list
        for account in reference:
            lacking = missing(
                self._rights(f"{identifier(clone)}@{identifier(account.host)}"), self._rights(account.name)
            )
            for right in sorted(right for right in lacking if not covers(mine, right)):
                yield Obstacle(
                    f"the admin {me} may not hand on what {clone.removesuffix(SUFFIX)!r} has: {right}",
                    needed(right, me, mariadb=self._mariadb),
                    fatal=sure,
                )

    def _looked(self, change: PairChange, admin: Admin) -> list[Account]:
        denied: RotatorsError | None = None
        try:
            return change.foresee()
        except MySQLError as error:
            denied = admin.failed(error)
        raise denied

    def _rights(self, account: str) -> frozenset[Right]:
        try:
            return rights(self._session, account, mariadb=self._mariadb)
        except MySQLError as error:
            if error.number != NO_GRANT:
                raise
            return frozenset()  # it is still to be made

    def _lacks(self, right: str, what: str) -> Obstacle:
        return Obstacle(
            f"the admin {self._authority.username!r} may not {what}", f"GRANT {right} ON *.* TO {self._me()}"
        )

    def _me(self) -> str:
        return Admin(self._session, self._authority, self._new.username).name()


def covers(mine: frozenset[Right], right: Right) -> bool:
    """
    Say whether who has the rights `mine` may hand one on.

    Privileges of all levels above count together, and so does GRANT OPTION. Source: MySQL reference manual, "GRANT Statement".
    """
    if right.kind in {Kind.DYNAMIC, Kind.ROLE, Kind.PROXY}:
        return replace(right, option=True) in mine
    if right.kind in {Kind.DEFAULT, Kind.RESTRICTION}:
        return True  # CREATE USER gives the one; the other is nothing that is given
    held = {
        own.what
        for own in mine
        if own.kind is Kind.PRIVILEGE and own.column in {"", right.column} and _above(own.on, right.on)
    }
    wanted = {right.what}
    if right.what == ALL and ALL not in held:  # MySQL lists all of them where they are everywhere
        wanted = set(ON_DATABASE if right.on.endswith(".*") else ON_TABLE) - {MARIADBS}
    return GRANT_OPTION in held and (ALL in held or wanted <= held)


def _above(own: str, on: str) -> bool:
    """
    Say whether an object of the admin's is another, or holds it.

    A database's name is a pattern to who grants on what is in it, and not to who grants on the database: both servers asked.
    """
    if own in {GLOBAL, on}:
        return True
    pattern, name = _DATABASE.search(own), _DATABASE.search(on)
    if not own.endswith(".*") or on.endswith(".*") or pattern is None or name is None:
        return False
    parts = re.split(r"(\\.|[%_])", pattern[1])
    wild = "".join({"%": ".*", "_": "."}.get(part, re.escape(part.removeprefix("\\"))) for part in parts)
    return re.fullmatch(wild, name[1], re.DOTALL) is not None


def _held(mine: frozenset[Right], what: str) -> bool:
    return any(right.on == GLOBAL and right.what in {what, ALL} for right in mine)


def _dynamic(mine: frozenset[Right], what: str) -> bool:
    return any(right.kind is Kind.DYNAMIC and right.what == what for right in mine)
