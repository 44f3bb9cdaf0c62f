"""
The accounts of a user: on MySQL and MariaDB an account is a user **and** a host, and each has its own password.

Source: MySQL reference manual, "Account Names" and "Grant Tables"; MariaDB knowledge base, "mysql.global_priv".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rotators.engines.mysql import verifiers
from rotators.engines.mysql.session import MySQLError, identifier, literal

if TYPE_CHECKING:
    from rotators.engines.mysql.session import Session

#: What both servers answer to who may not read a table or a column, or where there is none: ER_TABLEACCESS_DENIED, ….
DENIED = frozenset({1044, 1142, 1143, 1146, 1227, 1356})
#: MariaDB's bits for GRANT OPTION and SUPER.
ADMINISTERS = 1 << 10 | 1 << 15
_STRING = r"'((?:[^']|'')*)'"
_NAME = r"`(?:[^`]|``)*`"
_WAY = rf"(\w+)(?: USING {_STRING})?"
_WAYS = re.compile(
    rf"CREATE USER {_NAME}@{_NAME} IDENTIFIED (?:BY PASSWORD {_STRING}|VIA ({_WAY}(?: OR {_WAY})*))", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One way into an account: a plugin, and what it compares with."""

    plugin: str
    stored: bytes = field(repr=False)

    def opens(self, password: str) -> bool:
        """Say whether a password opens it; no where that can't be known."""
        return bool(verifiers.opens(self.plugin, self.stored, password))


@dataclass(frozen=True, slots=True)
class Account:
    """
    One account, as its server stores it.

    Attributes:
        user: the user's name.
        host: the host's name, address or pattern.
        entries: the ways in, the first first; on MySQL a second one is the password that was retained.
        locked: whether ACCOUNT LOCK was said.
        administers: whether it is a superuser, or may grant everything it has on everything.
    """

    user: str
    host: str
    entries: tuple[Entry, ...]
    locked: bool = False
    administers: bool = False

    @property
    def name(self) -> str:
        """Return it as a statement names it."""
        return f"{identifier(self.user)}@{identifier(self.host)}"

    def opens(self, password: str) -> bool:
        """Say whether any of its entries is a password's."""
        return any(entry.opens(password) for entry in self.entries)

    def first(self, password: str) -> bool:
        """Say whether its first password is this one."""
        passwords = [entry for entry in self.entries if entry.plugin in verifiers.PASSWORDS]
        return bool(passwords) and passwords[0].opens(password)


def is_mariadb(version: str) -> bool:
    """Tell the two apart by what the server answers to SELECT VERSION(); the secret may say either."""
    return "mariadb" in version.lower()


def accounts(session: Session, user: str, *, mariadb: bool) -> list[Account] | None:
    """
    Return every account of a user; None where the session may not read them.

    Raises:
        MySQLError: the connection broke.
    """
    try:
        return _mariadb(session, user) if mariadb else _mysql(session, user)
    except MySQLError as error:
        if error.number not in DENIED:
            raise
        return None


def own(session: Session, *, mariadb: bool) -> Account:
    """
    Return the account that a session has logged in to; MySQL shows nobody its own verifiers, so there it has no entries.

    Raises:
        MySQLError: the connection broke.
    """
    ((current,),) = session.rows("SELECT CURRENT_USER()")
    user, _, host = str(current).rpartition("@")
    entries: tuple[Entry, ...] = ()
    if mariadb:
        ((statement,),) = session.rows("SHOW CREATE USER")
        entries = _parsed(str(statement))
    return Account(user, host, entries)


def _mysql(session: Session, user: str) -> list[Account]:
    """User_attributes holds the retained password; servers before 8.0.14, and others of the family, have no such column."""
    base = (
        "SELECT Host, plugin, HEX(authentication_string), account_locked = 'Y', Super_priv = 'Y' OR Grant_priv = 'Y', {} "
        "FROM mysql.user WHERE User = {}"
    )
    try:
        rows = session.rows(base.format("User_attributes->>'$.additional_password'", literal(user)))
    except MySQLError as error:
        if error.number != 1054:  # noqa: PLR2004 - ER_BAD_FIELD_ERROR
            raise
        rows = session.rows(base.format("NULL", literal(user)))
    found = []
    for host, plugin, stored, locked, administers, second in rows:
        entries = [Entry(str(plugin), bytes.fromhex(str(stored or "")))]
        if second:
            entries.append(Entry(str(plugin), str(second).encode("latin-1", "replace")))
        found.append(Account(user, str(host), tuple(entries), bool(locked), bool(administers)))
    return found


def _mariadb(session: Session, user: str) -> list[Account]:
    found = []
    for host, text in session.rows(f"SELECT Host, Priv FROM mysql.global_priv WHERE User = {literal(user)}"):  # noqa: S608
        told: dict[str, Any] = json.loads(text)
        if told.get("is_role"):
            continue
        first = _entry(told)
        others = told.get("auth_or")
        entries = [first if not other else _entry(other) for other in others] if others else [first]
        administers = bool(int(told.get("access", 0)) & ADMINISTERS)
        found.append(Account(user, str(host), tuple(entries), bool(told.get("account_locked")), administers))
    return found


def _entry(told: dict[str, Any]) -> Entry:
    return Entry(told.get("plugin", verifiers.NATIVE), str(told.get("authentication_string", "")).encode())


def _parsed(statement: str) -> tuple[Entry, ...]:
    """Read MariaDB's SHOW CREATE USER. The old form stands for the native plugin."""
    found = _WAYS.match(statement)
    if found is None:
        return ()
    if found[2] is None:
        return (Entry(verifiers.NATIVE, found[1].encode()),)
    return tuple(
        Entry(match[1], (match[2] or "").replace("''", "'").encode())
        for match in re.finditer(rf"(?:^| OR ){_WAY}", found[2], re.DOTALL)
    )
