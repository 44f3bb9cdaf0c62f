"""
What an account has besides its password and its rights: what it demands of a connection, its limits, its policies, its lock.

Read from the servers' own tables: SHOW CREATE USER of MySQL writes a certificate's subject so that it can't be read back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rotators.engines.mysql.session import literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.engines.mysql.session import Session

#: Subject of a certificate that nobody has. An account that demands it is one that we began to make: of which user, it says.
UNFINISHED = "rotators: not finished, to be the second user of "
LIMITS = {
    "MAX_QUERIES_PER_HOUR": "max_questions",
    "MAX_UPDATES_PER_HOUR": "max_updates",
    "MAX_CONNECTIONS_PER_HOUR": "max_connections",
    "MAX_USER_CONNECTIONS": "max_user_connections",
    "MAX_STATEMENT_TIME": "max_statement_time",  # MariaDB's alone
}
#: MySQL's words that are only there where they are in use; servers before 8.0.19 don't know them.
BLOCKING = ("FAILED_LOGIN_ATTEMPTS", "PASSWORD_LOCK_TIME")
COLUMNS = (
    *("ssl_type", "ssl_cipher", "x509_issuer", "x509_subject", "max_questions", "max_updates", "max_connections"),
    *("max_user_connections", "password_lifetime", "account_locked", "Password_reuse_history", "Password_reuse_time"),
    *("Password_require_current", "User_attributes"),
)


@dataclass(frozen=True, slots=True)
class Traits:
    """
    The traits of one account.

    Attributes:
        clauses: what follows its password in ALTER USER, the lock's clause aside.
        locked: whether it is locked.
        unfinished: of which user it is to be the second one, where we began to make it and did not come to the end.
        second_of: of which user our mark says that it is the second one; MySQL alone has room for a mark.
    """

    clauses: str
    locked: bool
    unfinished: str | None
    second_of: str | None

    def over(self, other: Traits) -> str:
        """Return the clauses that give another account these traits, but for the lock."""
        blocking = BLOCKING[0] in other.clauses and BLOCKING[0] not in self.clauses
        return self.clauses + "".join(f" {word} 0" for word in BLOCKING if blocking)


def traits(session: Session, user: str, *, mariadb: bool) -> dict[str, Traits]:
    """
    Return the traits of a user's accounts, by their hosts.

    Raises:
        MySQLError: the session may not look, or the connection broke.
    """
    where = f"WHERE User = {literal(user)}"
    if mariadb:
        found = session.rows(f"SELECT Host, Priv FROM mysql.global_priv {where}")  # noqa: S608
        return {str(host): _mariadb(json.loads(text)) for host, text in found}
    there = {str(row[0]) for row in session.rows("SHOW COLUMNS FROM mysql.user")}
    columns = [column for column in COLUMNS if column in there]
    found = session.rows(f"SELECT Host, {', '.join(columns)} FROM mysql.user {where}")  # noqa: S608
    return {str(host): _mysql(dict(zip(columns, map(_text, told), strict=True))) for host, *told in found}


def unfinished(base: str) -> str:
    """Return the clauses of an account that we begin to make: no password and no certificate opens it."""
    return f"REQUIRE SUBJECT {literal(UNFINISHED + base)} ACCOUNT LOCK"


def marked(base: str) -> str:
    """Return MySQL's clause that marks an account as the second one of a user."""
    return f"ATTRIBUTE {literal(json.dumps({'rotators': {'second_of': base}}))}"


def _mariadb(told: Mapping[str, Any]) -> Traits:
    kind = {0: "", 1: "ANY", 2: "X509", 3: "SPECIFIED"}.get(int(told.get("ssl_type", 0)), "")
    subject = str(told.get("x509_subject", ""))
    clauses = [
        _require(kind, told),
        _limits({word: told.get(key, 0) for word, key in LIMITS.items()}),
        _expiry(None if told.get("password_lifetime", -1) == -1 else told["password_lifetime"]),
    ]
    return Traits(" ".join(clauses), bool(told.get("account_locked")), _began(subject), None)


def _mysql(told: Mapping[str, Any]) -> Traits:
    attributes = json.loads(told.get("User_attributes") or "{}")
    clauses = [
        _require(told["ssl_type"], told),
        _limits({word: told[key] for word, key in LIMITS.items() if key in told}),
        _expiry(told.get("password_lifetime")),
    ]
    if "Password_reuse_history" in told:
        history, days = told["Password_reuse_history"], told["Password_reuse_time"]
        clauses.append(f"PASSWORD HISTORY {'DEFAULT' if history is None else history}")
        clauses.append(f"PASSWORD REUSE INTERVAL {'DEFAULT' if days is None else f'{days} DAY'}")
    if "Password_require_current" in told:
        required = {None: " DEFAULT", "N": " OPTIONAL"}.get(told["Password_require_current"], "")
        clauses.append(f"PASSWORD REQUIRE CURRENT{required}")
    blocking = attributes.get("Password_locking")
    if blocking:
        days = int(blocking.get("password_lock_time_days", 0))
        clauses.append(f"{BLOCKING[0]} {int(blocking.get('failed_login_attempts', 0))}")
        clauses.append(f"{BLOCKING[1]} {'UNBOUNDED' if days < 0 else days}")
    mark = attributes.get("metadata", {}).get("rotators")
    second_of = mark.get("second_of") if isinstance(mark, dict) else None
    return Traits(" ".join(clauses), told.get("account_locked") == "Y", _began(told["x509_subject"] or ""), second_of)


def _require(kind: str, told: Mapping[str, Any]) -> str:
    if kind != "SPECIFIED":
        return f"REQUIRE { {'ANY': 'SSL', 'X509': 'X509'}.get(kind, 'NONE') }"
    demands = {"ISSUER": told["x509_issuer"], "SUBJECT": told["x509_subject"], "CIPHER": told["ssl_cipher"]}
    return "REQUIRE " + " AND ".join(f"{word} {literal(str(value))}" for word, value in demands.items() if value)


def _limits(found: Mapping[str, Any]) -> str:
    return "WITH " + " ".join(f"{word} {value or 0}" for word, value in found.items())


def _expiry(days: Any) -> str:
    return f"PASSWORD EXPIRE {'DEFAULT' if days is None else f'INTERVAL {days} DAY' if int(days) else 'NEVER'}"


def _began(subject: str) -> str | None:
    return subject.removeprefix(UNFINISHED) if subject.startswith(UNFINISHED) else None


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
