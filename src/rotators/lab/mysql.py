"""A private MySQL server, Oracle's own, for tests."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rotators.lab import LabError
from rotators.lab.account import Account
from rotators.lab.installation import open_directory
from rotators.lab.mysqld import Mysqld
from rotators.lab.mysqld_installation import MysqldInstallation

if TYPE_CHECKING:
    from collections.abc import Mapping


class MySQL(Mysqld):
    """A private MySQL server: caching_sha2_password, dual passwords.

    >>> with MySQL.start() as server:
    ...     server.execute("CREATE USER 'app'@'%' IDENTIFIED BY 'a'")
    ...     secret = server.secret("app", "a")
    """

    product = "MySQL"
    engine = "mysql"
    quick: ClassVar[Mapping[str, str]] = {
        "innodb_flush_method": "nosync",
        "innodb_redo_log_capacity": "8M",
        "mysqlx": "OFF",
        "secure_file_priv": "NULL",
    }

    @classmethod
    def find(cls) -> MysqldInstallation:
        """The server to use: the one unpacked in the directory in ROTATORS_MYSQL, else the system's.

        Such a directory is what `.ci/setup mysql` makes: `run PROGRAM` in it runs one of its programs.

        Raises `LabError`, which says how to get one.
        """
        chosen = os.environ.get("ROTATORS_MYSQL")
        found = _unpacked(Path(chosen).absolute()) if chosen else MysqldInstallation.installed("MySQL")
        if chosen and (found is None or found.product != "MySQL"):
            raise LabError(f"ROTATORS_MYSQL is {chosen}, but no MySQL server runs from there")
        if found is None:
            raise LabError(
                "no MySQL server on this machine (MariaDB is none): run `.ci/setup mysql` in a checkout,\n"
                "install mysql-server where the system has it, or name the directory of an unpacked one in ROTATORS_MYSQL"
            )
        return found

    def _initialize(self) -> str:
        options = {"datadir": str(self.data), "auto_generate_certs": "OFF"} | dict(self.quick)
        self._run(*self.installation.command(*options.items()), "--initialize-insecure")
        return ""

    def _tls(self) -> dict[str, str]:
        options = {"auto_generate_certs": "OFF"}
        if self.authority is None or self.certificate is None:
            return options | {"tls_version": ""}
        certificate, key = self.certificate
        return options | {"ssl_ca": str(self.authority.bundle), "ssl_cert": str(certificate), "ssl_key": str(key)}


def _unpacked(tree: Path) -> MysqldInstallation | None:
    """The server in a tree that was unpacked and not installed, copied first if our account may not read it there."""
    if not (tree / "run").exists():
        return None
    if not Account.for_servers().reaches(tree):
        tree = _copied(tree)
    return MysqldInstallation.at(
        str(tree / "run"),
        "/usr/sbin/mysqld",
        options=(
            f"--basedir={tree / 'usr'}",
            f"--lc-messages-dir={tree / 'usr/share/mysql'}",
            f"--plugin-dir={tree / 'usr/lib/mysql/plugin'}",
        ),
    )


@cache
def _copied(tree: Path) -> Path:
    shared = Path(tempfile.mkdtemp(prefix="rotators-mysql-", dir=open_directory()))
    atexit.register(shutil.rmtree, shared, ignore_errors=True)
    shared.chmod(0o755)
    return Path(shutil.copytree(tree, shared / "mysql", symlinks=True, copy_function=_linked))


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
