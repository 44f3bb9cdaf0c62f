"""PostgreSQL for the engine contract: psycopg by itself, and the superuser over the socket."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
from psycopg import sql

from rotators.testing import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.lab.postgres import Postgres

OPTIONS = 16  # since this version a CREATEROLE admin needs ADMIN OPTION on who is to be changed
REFUSED = "password authentication failed"


class PostgresTarget(Target):
    """Roles of one server, and an admin as on RDS: CREATEROLE, no superuser."""

    #: A table, an attribute, a setting of the role.
    rights: ClassVar[tuple[str, ...]] = ("orders", "CREATEDB", "rotators.flag")

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.dbname = "postgres"
        self._admin: dict[str, Any] | None = None
        self._names: list[str] = []
        self._table = sql.Identifier(f"orders_{uuid.uuid4().hex[:12]}")

    def account(self, username: str, password: str) -> dict[str, Any]:
        return self._role(username, password, "LOGIN")

    def superuser(self, username: str, password: str) -> dict[str, Any]:
        return self._role(username, password, "LOGIN SUPERUSER")

    def admin(self) -> dict[str, Any]:
        if self._admin is None:
            made = list(self._names)
            self._admin = self._role(f"admin_{uuid.uuid4().hex[:12]}", "admin-Canary-19c4", "LOGIN CREATEROLE CREATEDB")
            self._execute("GRANT SET ON PARAMETER rotators.flag TO {}", self._admin["username"])
            for name in made:
                self._lend(name)
        return self._admin

    def opens(self, value: dict[str, Any]) -> bool:
        try:
            self._session(value).close()
        except psycopg.OperationalError as error:
            if REFUSED not in str(error):
                raise
            return False
        return True

    def rejections(self) -> int:
        return self.log().count(f"FATAL:  {REFUSED}")

    def log(self) -> str:
        return self.server.log.read_text(errors="replace")

    @contextmanager
    def unprovable(self, value: dict[str, Any], by: dict[str, Any]) -> Iterator[None]:
        """The server takes SCRAM alone; who makes the change is set to make md5."""
        self._execute("ALTER ROLE {} SET password_encryption = 'md5'", by["username"])
        yield
        self._execute("ALTER ROLE {} RESET password_encryption", by["username"])

    def grant(self, username: str, right: str) -> None:
        self._execute(
            {
                "orders": "GRANT SELECT ON {table} TO {}",
                "CREATEDB": "ALTER ROLE {} CREATEDB",
                "rotators.flag": "ALTER ROLE {} SET rotators.flag = 'on'",
            }[right],
            username,
        )

    def revoke(self, username: str, right: str) -> None:
        self._execute(
            {
                "orders": "REVOKE SELECT ON {table} FROM {}",
                "CREATEDB": "ALTER ROLE {} NOCREATEDB",
                "rotators.flag": "ALTER ROLE {} RESET rotators.flag",
            }[right],
            username,
        )

    def can(self, value: dict[str, Any], right: str) -> bool:
        question = {
            "orders": "SELECT has_table_privilege({name}, 'SELECT')",
            "CREATEDB": "SELECT rolcreatedb FROM pg_roles WHERE rolname = session_user",
            "rotators.flag": "SELECT current_setting('rotators.flag', true) = 'on'",
        }[right]
        with self._session(value) as session:
            row = session.execute(sql.SQL(question).format(name=self._table.as_string())).fetchone()
        return bool(row and row[0])

    def _role(self, username: str, password: str, options: str) -> dict[str, Any]:
        if not self._names:
            self._execute("CREATE TABLE {table} ()")
        role = sql.SQL("CREATE ROLE {} {} PASSWORD {}")
        statement = role.format(sql.Identifier(username), sql.SQL(options), sql.Literal(password))
        self.server.execute(statement.as_string())
        self._names.append(username)
        if self._admin is not None and "SUPERUSER" not in options:
            self._lend(username)
        return self.server.secret(username, password)

    def _lend(self, username: str) -> None:
        if self.server.installation.major >= OPTIONS and self._admin is not None:
            self._execute("GRANT {} TO {admin} WITH ADMIN OPTION", username)

    def _execute(self, statement: str, *names: str) -> None:
        more = {"table": self._table}
        if self._admin is not None:
            more["admin"] = sql.Identifier(self._admin["username"])
        self.server.execute(sql.SQL(statement).format(*map(sql.Identifier, names), **more).as_string())

    def _session(self, value: dict[str, Any]) -> psycopg.Connection:
        return psycopg.connect(
            host=self.server.host,
            port=value["port"],
            user=value["username"],
            password=value["password"],
            dbname=self.dbname,
            sslmode="require" if self.server.tls else "disable",
            connect_timeout=5,
            autocommit=True,
        )
