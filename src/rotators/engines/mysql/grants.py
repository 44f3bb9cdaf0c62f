"""
An account's rights as a set: read from SHOW GRANTS, so that two accounts can be compared whatever their names are.

Rows are split where the server splits them: a name may hold quotes, backquotes, commas and " TO ".
Source: MySQL reference manual and MariaDB knowledge base, "SHOW GRANTS".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rotators.engines.mysql.session import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rotators.engines.mysql.session import Session

GLOBAL = "*.*"
ALL, GRANT_OPTION = "ALL PRIVILEGES", "GRANT OPTION"
#: How many rights a sentence names.
NAMED = 12

_TOKEN = re.compile(r"`(?:[^`]|``)*`|'(?:[^']|'')*'|[(),@]|[^\s`'(),@]+")
_ROLE = r"`(?:[^`]|``)*`@`(?:[^`]|``)*`"
_DEFAULTS = re.compile(rf" DEFAULT ROLE ({_ROLE}(?:,{_ROLE})*) REQUIRE ")


class Kind(StrEnum):
    """What a right is, by the words that give and take it."""

    PRIVILEGE = "privilege"
    DYNAMIC = "dynamic privilege"
    ROLE = "role"
    DEFAULT = "default role"
    PROXY = "proxy"
    RESTRICTION = "partial revoke"


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """
    One thing that an account may do.

    Attributes:
        kind: by which words it is given and taken.
        what: the privilege's name; a role's or a proxied user's, quoted.
        on: the object, as the server writes it: ``*.*``, ``PROCEDURE `db`.`name` ``; empty for roles.
        column: the column, quoted; empty for the whole object.
        option: the right to hand it on. For an object's privileges that is a privilege of its own, `GRANT_OPTION`.
    """

    kind: Kind
    what: str
    on: str = ""
    column: str = ""
    option: bool = False

    def __str__(self) -> str:
        if self.kind in {Kind.ROLE, Kind.DEFAULT}:
            return f"{self.kind} {self.what}{' WITH ADMIN OPTION' if self.option else ''}"
        column = f" ({self.column})" if self.column else ""
        option = " WITH GRANT OPTION" if self.option else ""
        before = "REVOKE " if self.kind is Kind.RESTRICTION else ""
        return f"{before}{self.what}{column} ON {self.on}{option}"

    @property
    def under_all(self) -> bool:
        """Say whether ALL PRIVILEGES on the object would hold it."""
        return self.kind is Kind.PRIVILEGE and self.what not in {ALL, GRANT_OPTION}


def rights(session: Session, account: str | None, *, mariadb: bool) -> frozenset[Right]:
    """
    Return what an account may do; of one's own, MySQL lists the rights of the roles that are active too.

    Args:
        session: of who may look, made ours: anybody at oneself, others with SELECT on the database mysql.
        account: its name, as a statement has it; None for the session's own.
        mariadb: which server it is.

    Raises:
        MySQLError: the server refused the look, or the connection broke.

    Example:
        >>> rights(session, "`app`@`%`", mariadb=False)
        frozenset({Right(kind=<Kind.PRIVILEGE: 'privilege'>, what='SELECT', on='`shop`.*', column='', option=False)})
    """
    found = {
        right
        for (row,) in session.rows(f"SHOW GRANTS FOR {account or 'CURRENT_USER()'}")
        for right in parsed(str(row), mariadb=mariadb)
    }
    if not mariadb:
        roles = _DEFAULTS.search(created(session, account))
        found |= {Right(Kind.DEFAULT, name) for name in re.findall(_ROLE, roles[1] if roles else "")}
    return frozenset(found)


def created(session: Session, account: str | None) -> str:
    """
    Return what SHOW CREATE USER says of an account, from behind its name on.

    Raises:
        MySQLError: the server refused the look, or the connection broke.
    """
    name = account
    if name is None:
        ((current,),) = session.rows("SELECT CURRENT_USER()")
        user, _, host = str(current).rpartition("@")
        name = f"{identifier(user)}@{identifier(host)}"
    # An account of MariaDB whose password has expired has a second row, with its policy.
    rows = session.rows(f"SHOW CREATE USER {account or 'CURRENT_USER()'}")
    return "".join(str(row).removeprefix(f"CREATE USER {name}").removeprefix(f"ALTER USER {name}") for (row,) in rows)


def parsed(row: str, *, mariadb: bool) -> Iterator[Right]:
    """
    Read one row of SHOW GRANTS.

    Example:
        >>> [str(right) for right in parsed("GRANT SELECT (`a`), DROP ON `d`.`t` TO `app`@`%`", mariadb=False)]
        ['SELECT (`a`) ON `d`.`t`', 'DROP ON `d`.`t`']
    """
    tokens = list(_TOKEN.finditer(row))
    words = [token[0] for token in tokens]
    if words[:3] == ["SET", "DEFAULT", "ROLE"]:  # MariaDB's way to say it
        yield Right(Kind.DEFAULT, "".join(words[3 : _index(words, "FOR")]))
        return
    restricted = words[0] == "REVOKE"
    on = _index(words, "ON")
    to = _index(words, "FROM" if restricted and on is not None else "TO", after=on or 0)
    if to is None:
        return
    option = any(
        pair in {("GRANT", "OPTION"), ("ADMIN", "OPTION")} for pair in zip(words[to:], words[to + 1 :], strict=False)
    )
    if on is None:
        for name in _split(words[1:to]):
            yield from _with(Right(Kind.ROLE, "".join(name)), option=option)
        return
    target = row[tokens[on].end() : tokens[to].start()].strip()
    for privilege in _split(words[1:on]):
        yield from _privilege(privilege, target, restricted=restricted, option=option, mariadb=mariadb)


def _privilege(words: Sequence[str], on: str, *, restricted: bool, option: bool, mariadb: bool) -> Iterator[Right]:
    what = " ".join(word for word in words if word[0] not in "`()")
    if restricted:
        yield Right(Kind.RESTRICTION, what, on)
    elif what == "PROXY":
        yield from _with(Right(Kind.PROXY, what, on), option=option)
    elif not mariadb and on == GLOBAL and "_" in what:
        yield from _with(Right(Kind.DYNAMIC, what, on), option=option)
    else:
        if what != "USAGE":
            columns = [word for word in words if word[0] == "`"]
            yield from (Right(Kind.PRIVILEGE, what, on, column) for column in columns or [""])
        if option:
            yield Right(Kind.PRIVILEGE, GRANT_OPTION, on)


def _with(right: Right, *, option: bool) -> Iterator[Right]:
    yield right
    if option:
        yield Right(right.kind, right.what, right.on, right.column, option=True)


def _split(words: Sequence[str]) -> Iterator[list[str]]:
    """Split at commas that stand in no parentheses."""
    part: list[str] = []
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if word == "," and not depth:
            yield part
            part = []
        elif word != ",":
            part.append(word)
    yield part


def _index(words: Sequence[str], word: str, *, after: int = 0) -> int | None:
    return words.index(word, after) if word in words[after:] else None


def listed(rights: Iterable[Right]) -> str:
    """Name rights in a sentence, the first `NAMED` of them: ALL on MySQL is a page of names."""
    names = [str(right) for right in sorted(rights)]
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
