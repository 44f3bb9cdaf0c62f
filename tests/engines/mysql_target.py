"""MariaDB and MySQL for the engine contract: PyMySQL by itself, and the superuser over the socket."""

from __future__ import annotations

import ssl
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pymysql
from pymysql.converters import escape_string

from rotators.engines.mysql.plugins import PLUGINS
from rotators.testing import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rotators.lab.mysqld import Mysqld

REFUSED = 1045
DENIED = {1142, 1227}
_ANYBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_ANYBODY.check_hostname, _ANYBODY.verify_mode = False, ssl.CERT_NONE


class MysqldTarget(Target):
    """Users of one server, each with a table of one database to begin with, and an admin with all rights; `rights`: of users."""

    #: Two tables, and a right to everything.
    rights: ClassVar[tuple[str, ...]] = ("orders", "bills", "PROCESS")

    def __init__(self, server: Mysqld, *, rights: str = "") -> None:
        self.server = server
        self.dbname = f"db_{uuid.uuid4().hex[:12]}"
        self._rights = rights
        self._admin: dict[str, Any] | None = None
        self._execute(
            f"CREATE DATABASE {self.dbname}",
            *(f"CREATE TABLE {self.dbname}.{table} (a INT)" for table in ("common", "orders", "bills")),
        )

    def account(self, username: str, password: str) -> dict[str, Any]:
        return self._user(username, password, f"SELECT ON {self.dbname}.common", self._rights)

    def superuser(self, username: str, password: str) -> dict[str, Any]:
        return self._user(username, password, "ALL ON *.*")

    def admin(self) -> dict[str, Any]:
        if self._admin is None:
            self._admin = self.superuser(f"admin_{uuid.uuid4().hex[:12]}", "admin-Canary-19c4")
            self._execute(f"GRANT ALL ON *.* TO {_name(self._admin['username'])} WITH GRANT OPTION")
        return self._admin

    def opens(self, value: dict[str, Any]) -> bool:
        try:
            session(value).close()
        except pymysql.err.OperationalError as error:
            if error.args[0] != REFUSED:
                raise
            return False
        return True

    def rejections(self) -> int:
        return self.server.general_log.read_text(errors="replace").count("Access denied for user")

    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in (self.server.log, self.server.general_log))

    @contextmanager
    def unprovable(self, value: dict[str, Any], by: dict[str, Any]) -> Iterator[None]:
        """Who changes itself may have no session more; who is changed by another has none left for this hour."""
        itself = value["username"] == by["username"]
        limit = "MAX_USER_CONNECTIONS 1" if itself else "MAX_CONNECTIONS_PER_HOUR 1"
        self._execute(f"ALTER USER {_name(value['username'])} WITH {limit}")
        if not itself:
            assert self.opens(value)
        yield
        self._execute(
            f"ALTER USER {_name(value['username'])} WITH MAX_USER_CONNECTIONS 0 MAX_CONNECTIONS_PER_HOUR 0",
            "FLUSH USER_RESOURCES",
        )

    def grant(self, username: str, right: str) -> None:
        self._execute(f"GRANT {self._what(right)} TO {_name(username)}")

    def revoke(self, username: str, right: str) -> None:
        self._execute(f"REVOKE {self._what(right)} FROM {_name(username)}")

    def can(self, value: dict[str, Any], right: str) -> bool:
        question = "SHOW ENGINE INNODB STATUS" if right == "PROCESS" else f"SELECT * FROM {self.dbname}.{right}"
        try:
            with session(value) as connection, connection.cursor() as cursor:
                cursor.execute(question)
        except pymysql.err.OperationalError as error:
            if error.args[0] not in DENIED:
                raise
            return False
        return True

    def _what(self, right: str) -> str:
        return "PROCESS ON *.*" if right == "PROCESS" else f"SELECT ON {self.dbname}.{right}"

    def _user(self, username: str, password: str, *rights: str) -> dict[str, Any]:
        name = _name(username)
        self._execute(
            f"CREATE USER {name} IDENTIFIED BY '{escape_string(password)}'",
            *(f"GRANT {right} TO {name}" for right in rights if right),
        )
        return self.server.secret(username, password, self.dbname)

    def _execute(self, *statements: str) -> None:
        self.server.execute(*statements)


def session(value: Mapping[str, Any]) -> Any:
    """Log in, encrypted where the server can; who is at the other end is of no interest here."""
    return pymysql.connect(
        host=value["host"],
        port=value["port"],
        user=value["username"],
        password=value["password"].encode(),
        charset="utf8mb4",
        ssl=_ANYBODY,
        auth_plugin_map=PLUGINS,  # type: ignore[arg-type]
        autocommit=True,
        connect_timeout=5,
        read_timeout=10,
    )


def _name(username: str) -> str:
    return f"`{username.replace('`', '``')}`@`%`"
