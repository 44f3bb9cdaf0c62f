"""What there is to be granted: objects with names that are hard to read, and a right of each kind on them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rotators.lab.mysqld import Mysqld

#: Every right is "what TO ?", `?` the account. {d} is a database of its own, {w} one with a wild name, {r} a role's, {u} a user's.
COMMON = [
    "SELECT, RELOAD, SHOW DATABASES ON *.* TO ?",
    "PROCESS ON *.* TO ? WITH GRANT OPTION",
    "ALL ON `{d}`.* TO ?",
    "SELECT, EVENT, LOCK TABLES ON `{d}`.* TO ? WITH GRANT OPTION",
    "SELECT, INSERT ON `a\\_b{d}%`.* TO ?",
    "ALL ON `{w}`.* TO ? WITH GRANT OPTION",
    "CREATE TEMPORARY TABLES ON `{w}`.* TO ?",
    "ALL ON `{d}`.t TO ?",
    "SELECT, TRIGGER ON `{d}`.t TO ?",
    "UPDATE ON `{d}`.t TO ? WITH GRANT OPTION",
    "SELECT (a, b), INSERT (c), REFERENCES (a) ON `{d}`.t TO ?",
    "SELECT (`b``, c`), UPDATE (`TO 'x'`) ON `{d}`.`t TO '``x``@``%` TO ?",
    "DELETE ON `{d}`.`t TO '``x``@``%` TO ?",
    "EXECUTE ON FUNCTION `{d}`.f TO ?",
    "ALTER ROUTINE ON FUNCTION `{d}`.f TO ? WITH GRANT OPTION",
    "EXECUTE, ALTER ROUTINE ON PROCEDURE `{d}`.`p TO q` TO ?",
    "USAGE ON `{d}`.* TO ? WITH GRANT OPTION",
    "USAGE ON `{d}`.t TO ? WITH GRANT OPTION",
    "USAGE ON PROCEDURE `{d}`.`p TO q` TO ? WITH GRANT OPTION",
    "USAGE ON *.* TO ? WITH GRANT OPTION",
    "SELECT ON `mysql`.`user` TO ?",
    "SELECT, CREATE ON `{d}`.later TO ?",
    "PROXY ON `{u}`@`%` TO ?",
    "PROXY ON `{u}`@`%` TO ? WITH GRANT OPTION",
    "PROXY ON ''@'' TO ?",
    "{r}1 TO ?",
    "{r}2 TO ? WITH ADMIN OPTION",
    "{r}1 TO ? WITH ADMIN OPTION",
    "{r}3 TO ?",
]
MARIADB = [
    "ALL ON *.* TO ? WITH GRANT OPTION",
    "BINLOG ADMIN, READ_ONLY ADMIN ON *.* TO ?",
    "DELETE HISTORY ON `{d}`.* TO ?",
]
MYSQL = [
    "ALL ON *.* TO ?",
    "BACKUP_ADMIN, XA_RECOVER_ADMIN ON *.* TO ?",
    "BACKUP_ADMIN ON *.* TO ? WITH GRANT OPTION",
    "SYSTEM_USER ON *.* TO ? WITH GRANT OPTION",
]
#: What there are no words of GRANT for: default roles.
DEFAULTS = {"mariadb": "SET DEFAULT ROLE {r}1 FOR ?", "mysql": "SET DEFAULT ROLE {r}1, {r}3 TO ?"}


class Stock:
    """Objects on one server, and the rights that can be had on them."""

    def __init__(self, server: Mysqld) -> None:
        self._server = server
        unique = uuid.uuid4().hex[:8]
        self.names = {"d": f"d{unique}", "w": f'w\'{unique} "TO" ``%\\', "r": f"r{unique}", "u": f"u{unique}"}
        self.rights = [
            right.format(**self.names) for right in COMMON + (MARIADB if server.engine == "mariadb" else MYSQL)
        ]
        self.default = DEFAULTS[server.engine].format(**self.names)
        d, w, r, u = self.names.values()
        server.execute(
            f"CREATE DATABASE `{d}`",
            f"CREATE DATABASE `{w}`",
            f"CREATE TABLE `{d}`.t (a INT, b INT, c INT)",
            f"CREATE TABLE `{d}`.`t TO '``x``@``%` (`b``, c` INT, `TO 'x'` INT)",
            f"CREATE FUNCTION `{d}`.f() RETURNS INT DETERMINISTIC RETURN 1",
            f"CREATE PROCEDURE `{d}`.`p TO q`() SELECT 1",
            *(f"CREATE ROLE {r}{number}" for number in (1, 2, 3)),
            f"GRANT SELECT ON `{w}`.* TO {r}1",
            f"CREATE USER `{u}` IDENTIFIED BY 'x-Canary-1'",
        )

    def give(self, account: str, *rights: str) -> None:
        """Grant rights, and a default role where it is there to be one."""
        self._server.execute(*(f"GRANT {right.replace('?', account)}" for right in rights))
        role = self.names["r"]
        if {f"{role}1 TO ?", f"{role}3 TO ?"} <= set(rights):
            self._server.execute(self.default.replace("?", account))

    def clear(self, account: str) -> None:
        """Take everything."""
        for (row,) in self._server.execute(f"SHOW GRANTS FOR {account}"):
            if " PROXY " in row:
                self._server.execute(
                    row.replace("GRANT", "REVOKE").replace(f"TO {account}", f"FROM {account}").split(" WITH ")[0]
                )
            if row.startswith(f"GRANT `{self.names['r']}"):
                for role in row.removeprefix("GRANT ").split(f" TO {account}")[0].split(","):
                    self._server.execute(f"REVOKE {role} FROM {account}")
        self._server.execute(f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {account}")
