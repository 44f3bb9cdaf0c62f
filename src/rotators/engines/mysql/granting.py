"""The statements that make one account's rights equal to another's: what is missing is granted, what is too much revoked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rotators.engines.mysql.grants import ALL, GLOBAL, GRANT_OPTION, Kind, Right

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Privileges that ALL holds on a table, on a database, and everywhere, on every server of the family. One of them that is not
#: wanted is revoked, and the server then names the rest, whatever its version has added.
ON_TABLE = (
    *(
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "CREATE",
        "DROP",
        "REFERENCES",
        "INDEX",
        "ALTER",
        "CREATE VIEW",
        "SHOW VIEW",
    ),
    "TRIGGER",
)
ON_DATABASE = (
    *(*ON_TABLE, "CREATE TEMPORARY TABLES", "LOCK TABLES", "EXECUTE", "CREATE ROUTINE", "ALTER ROUTINE", "EVENT"),
    "DELETE HISTORY",
)
EVERYWHERE = (*ON_DATABASE, "RELOAD", "SHUTDOWN", "PROCESS", "FILE", "SHOW DATABASES", "CREATE USER", "SUPER")


@dataclass(frozen=True, slots=True)
class Step:
    """A statement, and the rights that it gives or takes."""

    text: str
    rights: tuple[Right, ...]

    @property
    def of_package(self) -> bool:
        """Say whether it names a package, which MariaDB knows in its Oracle mode alone."""
        return self.rights[0].on.startswith("PACKAGE ")


@dataclass(frozen=True, slots=True)
class Granting:
    """
    How rights are given to one account, and taken.

    Example:
        >>> [step.text for step in Granting("`app`@`%`", mariadb=False).give([Right(Kind.PRIVILEGE, "SELECT", "`d`.*")])]
        ['GRANT SELECT ON `d`.* TO `app`@`%`']
    """

    account: str
    mariadb: bool

    def towards(self, have: frozenset[Right], want: frozenset[Right]) -> list[Step]:
        """
        Return the steps from `have` to `want`, or a good part of the way: look again afterwards, until there are none.

        Additions come first, so that who works with the account meanwhile misses nothing.
        """
        lacking, spare = missing(have, want), surplus(have, want)
        steps = self.give(right for right in lacking if right.kind is not Kind.DEFAULT)
        defaults = {right for right in want if right.kind is Kind.DEFAULT}
        if any(right.kind is Kind.DEFAULT for right in lacking | spare):
            steps.append(self._defaults(defaults))
        return steps + self._take((right for right in spare if right.kind is not Kind.DEFAULT), want)

    def give(self, rights: Iterable[Right]) -> list[Step]:
        """Return the statements that grant; restrictions come last, as they restrict what is granted before."""
        groups: defaultdict[tuple[Kind, str, bool], list[Right]] = defaultdict(list)
        chosen = sorted(rights)
        handed_on = {(right.kind, right.what, right.on) for right in chosen if right.option}
        for right in chosen:
            if right.kind in {Kind.PRIVILEGE, Kind.RESTRICTION}:
                groups[right.kind, right.on, False].append(right)
            elif right.kind is Kind.DYNAMIC:
                option = (right.kind, right.what, right.on) in handed_on
                groups[right.kind, right.on, option].append(right)
            else:
                groups[right.kind, right.what + right.on, (right.kind, right.what, right.on) in handed_on].append(right)
        steps = [self._given(group, option=option) for (_, _, option), group in groups.items()]
        return sorted(steps, key=lambda step: step.rights[0].kind is Kind.RESTRICTION)

    def _given(self, group: list[Right], *, option: bool) -> Step:
        first = group[0]
        if first.kind is Kind.RESTRICTION:
            return Step(f"REVOKE {_names(group)} ON {first.on} FROM {self.account}", tuple(group))
        if first.kind is Kind.ROLE:
            tail = " WITH ADMIN OPTION" if option else ""
            return Step(f"GRANT {first.what} TO {self.account}{tail}", tuple(group))
        option = option or any(right.what == GRANT_OPTION for right in group)
        tail = " WITH GRANT OPTION" if option else ""
        return Step(f"GRANT {_names(group) or 'USAGE'} ON {first.on} TO {self.account}{tail}", tuple(group))

    def _take(self, rights: Iterable[Right], want: frozenset[Right]) -> list[Step]:
        groups: defaultdict[str, list[Right]] = defaultdict(list)
        steps: list[Step] = []
        chosen = set(rights)
        for right in sorted(chosen):
            whole = Right(right.kind, right.what, right.on)
            if right.kind is Kind.PRIVILEGE:
                groups[right.on].append(right)
            elif right.kind is Kind.RESTRICTION:
                steps.append(Step(f"GRANT {right.what} ON {right.on} TO {self.account}", (right,)))
            elif right.option and whole not in chosen:
                steps += self._no_longer_handed_on(right, whole)
            elif not right.option:
                steps.append(self._revoked(right))
        return [self._less(group, want) for group in groups.values()] + steps

    def _less(self, group: list[Right], want: frozenset[Right]) -> Step:
        on = group[0].on
        if any(right.what == ALL for right in group):
            held = {right.what for right in want if right.on == on and not right.column}
            level = EVERYWHERE if on == GLOBAL else ON_DATABASE if on.endswith(".*") else ON_TABLE
            spare = next((name for name in level if name not in held), level[0])
            group = [Right(Kind.PRIVILEGE, spare, on)]
        options = [GRANT_OPTION] if any(right.what == GRANT_OPTION for right in group) else []
        names = ", ".join([*filter(None, [_names(group)]), *options])
        return Step(f"REVOKE {names} ON {on} FROM {self.account}", tuple(group))

    def _revoked(self, right: Right) -> Step:
        object_ = "" if right.kind is Kind.ROLE else f" ON {right.on}"
        return Step(f"REVOKE {right.what}{object_} FROM {self.account}", (right,))

    def _no_longer_handed_on(self, right: Right, whole: Right) -> list[Step]:
        """But for MariaDB's roles there are no words for it: it is revoked, and granted again at once."""
        if self.mariadb and right.kind is Kind.ROLE:
            return [Step(f"REVOKE ADMIN OPTION FOR {right.what} FROM {self.account}", (right,))]
        return [self._revoked(whole), self._given([whole], option=False)]

    def _defaults(self, wanted: set[Right]) -> Step:
        names = ", ".join(right.what for right in sorted(wanted)) or "NONE"
        word = "FOR" if self.mariadb else "TO"
        return Step(f"SET DEFAULT ROLE {names} {word} {self.account}", tuple(wanted) or (Right(Kind.DEFAULT, "NONE"),))


def missing(have: frozenset[Right], want: frozenset[Right]) -> set[Right]:
    """Return what has to be granted. What ALL PRIVILEGES hide is seen once they are gone."""
    whole = {right.on for right in have if right.what == ALL}
    return {right for right in want - have if not (right.under_all and right.on in whole)}


def surplus(have: frozenset[Right], want: frozenset[Right]) -> set[Right]:
    """Return what has to be revoked."""
    whole = {right.on for right in want if right.what == ALL}
    return {right for right in have - want if not (right.under_all and right.on in whole)}


def needed(right: Right, admin: str, *, mariadb: bool) -> str:
    """Return the statement that lets an admin give or take a right. MariaDB asks for UPDATE where MySQL asks for CREATE USER."""
    if right.kind is Kind.ROLE:
        return f"GRANT {right.what} TO {admin} WITH ADMIN OPTION"
    if right.kind is Kind.DEFAULT:
        return f"GRANT {'UPDATE ON `mysql`.*' if mariadb else 'CREATE USER ON *.*'} TO {admin}"
    return f"GRANT {_names([right]) or 'USAGE'} ON {right.on} TO {admin} WITH GRANT OPTION"


def _names(group: Iterable[Right]) -> str:
    """Write privileges, the columns of each together."""
    columns: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
    for right in group:
        if right.what != GRANT_OPTION:
            columns[right.what, bool(right.column)].append(right.column)
    return ", ".join(f"{what} ({', '.join(found)})" if some else what for (what, some), found in columns.items())
