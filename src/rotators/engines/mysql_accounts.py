"""
The accounts of a user: on MySQL and MariaDB an account is a user **and** a host, and each has its own password.

Source: MySQL reference manual, "Account Names" and "Grant Tables"; MariaDB knowledge base, "mysql.global_priv".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rotators.engines import mysql_verifiers as verifiers
from rotators.engines.mysql_session import MySQLError, identifier, literal

if TYPE_CHECKING:
    from rotators.engines.mysql_session import Session

#: What both servers answer to who may not read a table or a column: ER_TABLEACCESS_DENIED, ER_COLUMNACCESS_DENIED, ….
DENIED = frozenset({1044, 1142, 1143, 1227, 1356})
_ENTRY = re.compile(r"(?:IDENTIFIED VIA|OR) (\w+)(?: USING '((?:[^']|'')*)')?")
_OLD_FORM = re.compile(r"IDENTIFIED BY PASSWORD '([^']*)'")


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
    """

    user: str
    host: str
    entries: tuple[Entry, ...]
    locked: bool = False

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


def serving(found: list[Account], client: str) -> Account | None:
    """
    Return the account by which a server lets a client in: of those whose host fits, the most specific.

    Source: MySQL reference manual, "Access Control, Stage 1": literal hosts before patterns, then by what stands before the
    first wildcard.

    Args:
        found: a user's accounts.
        client: where the server says that we come from.
    """
    fitting = [account for account in found if _fits(account.host, client)]
    return min(fitting, key=lambda account: _breadth(account.host), default=None)


def _mysql(session: Session, user: str) -> list[Account]:
    """User_attributes holds the retained password; servers before 8.0.14, and others of the family, have no such column."""
    base = "SELECT Host, plugin, HEX(authentication_string), account_locked, {} FROM mysql.user WHERE User = {}"
    try:
        rows = session.rows(base.format("User_attributes->>'$.additional_password'", literal(user)))
    except MySQLError as error:
        if error.number != 1054:  # noqa: PLR2004 - ER_BAD_FIELD_ERROR
            raise
        rows = session.rows(base.format("NULL", literal(user)))
    found = []
    for host, plugin, stored, locked, second in rows:
        entries = [Entry(str(plugin), bytes.fromhex(str(stored or "")))]
        if second:
            entries.append(Entry(str(plugin), str(second).encode("latin-1", "replace")))
        found.append(Account(user, str(host), tuple(entries), str(locked) == "Y"))
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
        found.append(Account(user, str(host), tuple(entries), bool(told.get("account_locked"))))
    return found


def _entry(told: dict[str, Any]) -> Entry:
    return Entry(told.get("plugin", verifiers.NATIVE), str(told.get("authentication_string", "")).encode())


def _parsed(statement: str) -> tuple[Entry, ...]:
    """Read MariaDB's SHOW CREATE USER. The old form stands for the native plugin."""
    old = _OLD_FORM.search(statement)
    if old:
        return (Entry(verifiers.NATIVE, old[1].encode()),)
    begin = statement.find(" IDENTIFIED VIA ")
    return tuple(
        Entry(match[1], (match[2] or "").replace("''", "'").encode())
        for match in _ENTRY.finditer(statement, max(begin, 0))
    )


def _fits(host: str, client: str) -> bool:
    if "/" in host:
        return _in_network(host, client)
    pattern = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in host.lower())
    names = {client.lower()} | ({"localhost"} if client in {"127.0.0.1", "::1"} else set())
    return any(re.fullmatch(pattern, name) for name in names)


def _in_network(host: str, client: str) -> bool:
    import ipaddress  # noqa: PLC0415 - for the rare account that names a network

    try:
        return ipaddress.ip_address(client) in ipaddress.ip_network(host, strict=False)
    except ValueError:
        return False


def _breadth(host: str) -> tuple[int, int]:
    wild = min((host.find(c) for c in "%_" if c in host), default=-1)
    return (0, 0) if wild < 0 else (1, -wild)
