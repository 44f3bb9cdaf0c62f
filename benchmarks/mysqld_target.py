"""A MariaDB, or a MySQL, to measure on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pymysql
from general_log import GeneralLog
from target import ADMIN, DATABASE, Strategy, Target, know_the_unpacked_mysql

from rotators.lab.login_client import Login
from rotators.lab.mariadb import MariaDB
from rotators.lab.mysql import MySQL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.lab.mysqld import Mysqld

_DENIED = 1045


class MysqldTarget(Target):
    """What the two have in common."""

    strategies = (Strategy.SINGLE, Strategy.OWN_RIGHTS, Strategy.BY_ADMIN, Strategy.ALTERNATING)
    ours = "rotators.handlers.mysql.handler"
    templates: ClassVar[Mapping[Strategy, str]] = {
        Strategy.SINGLE: "mysql_single_user_template.handler",
        Strategy.ALTERNATING: "mysql_alternating_template.handler",
    }
    server: Mysqld
    #: What a user needs to keep two passwords of its own.
    right: ClassVar[str]

    def log_in(self, secret: dict[str, Any]) -> tuple[Login, str]:
        """By PyMySQL as it comes: what opens for it opens for others."""
        try:
            pymysql.connect(
                unix_socket=str(self.server.socket),
                user=secret["username"],
                password=secret["password"],
                database=secret["dbname"],
                ssl_disabled=True,
                connect_timeout=10,
            ).close()
        except pymysql.err.OperationalError as error:
            return (Login.REFUSED, "") if error.args[0] == _DENIED else (Login.FAILED, str(error))
        return Login.OPENED, ""

    def logins(self) -> tuple[int, int]:
        """By the general log."""
        return self._log.logins()

    def _prepare(self) -> None:
        self.server.execute(f"CREATE DATABASE {DATABASE}")
        self._log = GeneralLog(self.server.general_log)

    def _make_user(self, name: str, password: str, strategy: Strategy) -> None:
        self.server.execute(
            f"CREATE USER '{name}'@'%' IDENTIFIED BY '{password}'", f"GRANT ALL ON {DATABASE}.* TO '{name}'@'%'"
        )
        if strategy is Strategy.OWN_RIGHTS:
            self.server.execute(f"GRANT {self.right} ON *.* TO '{name}'@'%'")

    def _make_admin(self, password: str) -> None:
        self.server.execute(
            f"CREATE USER '{ADMIN}'@'%' IDENTIFIED BY '{password}'",
            f"GRANT ALL ON *.* TO '{ADMIN}'@'%' WITH GRANT OPTION",
        )


class MariaDBTarget(MysqldTarget):
    """MariaDB: a user may have several ways in."""

    key = "mariadb"
    right = "CREATE USER"

    def _start(self) -> MariaDB:
        return MariaDB.start()


class MySQLTarget(MysqldTarget):
    """MySQL: a user may keep its old password."""

    key = "mysql"
    right = "APPLICATION_PASSWORD_ADMIN"

    def _start(self) -> MySQL:
        know_the_unpacked_mysql()
        return MySQL.start()
