"""A private MariaDB server, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rotators.lab import LabError
from rotators.lab.mysqld import Mysqld
from rotators.lab.mysqld_installation import MysqldInstallation, program

if TYPE_CHECKING:
    from collections.abc import Mapping

_INITIALIZE = ("mariadb-install-db", "mysql_install_db")


class MariaDB(Mysqld):
    """A private MariaDB server, with ed25519 passwords where its plugin is installed.

    >>> with MariaDB.start() as server:
    ...     server.execute("CREATE USER 'app'@'%' IDENTIFIED BY 'a'")
    ...     secret = server.secret("app", "a")
    """

    product = "MariaDB"
    engine = "mariadb"
    # A plugin that is not there costs a line in the log, and no more.
    quick: ClassVar[Mapping[str, str]] = {"innodb_log_file_size": "8M", "plugin_load_add": "auth_ed25519"}

    @classmethod
    def find(cls) -> MysqldInstallation:
        """The system's MariaDB. Raises `LabError`, naming the command that installs one."""
        found = MysqldInstallation.installed("MariaDB")
        if found is None or program(*_INITIALIZE) is None:
            raise LabError(
                "no MariaDB server on this machine. Install one:\n"
                "    apt-get install -y --no-install-recommends mariadb-server        (Debian, Ubuntu)"
            )
        return found

    def _initialize(self) -> str:
        self._run(
            program(*_INITIALIZE) or _INITIALIZE[0],
            *("--no-defaults", f"--datadir={self.data}", "--auth-root-authentication-method=normal"),
            *("--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=8M"),
        )
        return ""

    def _first_statements(self) -> list[str]:
        # It is made with a root for every name of this machine.
        others = "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';"
        return [others, "FLUSH PRIVILEGES;", *super()._first_statements()]

    def _tls(self) -> dict[str, str]:
        if self.certificate is None:
            return {"skip_ssl": "ON"}
        certificate, key = self.certificate
        return {"ssl_cert": str(certificate), "ssl_key": str(key)}
