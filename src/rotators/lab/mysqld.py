"""What private MariaDB and MySQL servers have in common: the program that both once were."""

from __future__ import annotations

import os
import secrets
import subprocess
from abc import abstractmethod
from signal import SIGKILL, SIGTERM
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pymysql

from rotators.lab import LabError
from rotators.lab.place import Place
from rotators.lab.process import Signals
from rotators.lab.server import Server
from rotators.lab.template import copied_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pymysql.connections import Connection

    from rotators.lab.mysqld_installation import MysqldInstallation

# A server that may lose everything at a power cut is quick. Names are not looked up: an account is user@address.
_QUICK = {
    "skip_log_bin": "ON",
    "skip_name_resolve": "ON",
    "innodb_flush_log_at_trx_commit": "0",
    "innodb_buffer_pool_size": "32M",
    "innodb_log_buffer_size": "1M",
    "innodb_use_native_aio": "OFF",
    "performance_schema": "OFF",
}


class Mysqld(Server):
    """A private server on 127.0.0.1: own data directory, own port, own certificate. `MariaDB` or `MySQL`.

    It ends with this process, however that ends, and with it the directory, if that was not given. All that clients
    send is in the file `general_log`, but for the superuser's own statements: there passwords stand in plain text.
    """

    signals = Signals(SIGTERM, SIGKILL)
    superuser = "root"
    quick: ClassVar[Mapping[str, str]]

    def __init__(self, place: Place, installation: MysqldInstallation, host: str, *, tls: bool) -> None:
        super().__init__(place, host, tls=tls)
        self.installation, self.version = installation, installation.version
        self.general_log = self.directory / "general.log"
        self._first = self.directory / "first.sql"
        self._settings: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.version!r}, {self.host}:{self.port}, tls={self.tls})"

    @classmethod
    @abstractmethod
    def find(cls) -> MysqldInstallation:
        """The installation to use. Raises `LabError`, naming the command that installs one."""

    @classmethod
    def start(  # noqa: PLR0913 - all but the first by name, each with a default
        cls,
        directory: Path | None = None,
        *,
        tls: bool = True,
        require_secure_transport: bool | None = None,
        settings: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        port: int | None = None,
        template: Path | None = None,
        installation: MysqldInstallation | None = None,
    ) -> Self:
        """Make a data directory and start a server on it.

        `directory`: where to keep everything, and to go on with what is there (default: a temporary one, removed by `stop`).
        `tls`: whether it has TLS. `port`: None for one that is free. `require_secure_transport`: whether it takes nothing
        else over TCP (default: as `tls`). `settings`: more of the server's options, such as `{"max_connections": "5"}`.
        `template`: a directory in which what the initialisation made is kept for further servers. `installation`: whose
        programs (default: `find`).

        Raises `LabError`, with the last words of the server's log, if it does not start.
        """
        installation = installation or cls.find()
        place = Place(directory)
        with place.removed_if_it_fails():
            server = cls(place, installation, host, tls=tls)
            secure = tls if require_secure_transport is None else require_secure_transport
            server._settings = {"require_secure_transport": "ON" if secure else "OFF"} | dict(settings or {})
            if place.superuser_password is None:
                copied_from(
                    template and template / f"{cls.engine}-{installation.version}",
                    place.data,
                    place.account,
                    server._initialize,
                )
                server._write_first_statements()
            else:
                server.superuser_password = place.superuser_password
            server._listen(port)
            server._first.unlink(missing_ok=True)
        return server

    @property
    def socket(self) -> Path:
        """The server's socket, which the superuser comes in by."""
        return self._place.sockets / "s"

    def connect(self, dbname: str | None = None) -> Connection[Any]:
        """Return a session of the superuser, over the socket, each statement committed by itself and none logged."""
        return pymysql.connect(
            unix_socket=str(self.socket),
            user=self.superuser,
            password=self.superuser_password,
            database=dbname,
            autocommit=True,
            ssl_disabled=True,
            init_command="SET sql_log_off = ON",
            connect_timeout=10,
        )

    def execute(self, *statements: str, dbname: str | None = None) -> list[tuple[Any, ...]]:
        """Run statements as the superuser; returns the rows of the last one."""
        rows: list[tuple[Any, ...]] = []
        with self.connect(dbname) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                rows = list(cursor.fetchall())
        return rows

    @abstractmethod
    def _initialize(self) -> str:
        """Make a data directory whose superuser has no password yet."""

    @abstractmethod
    def _tls(self) -> dict[str, str]:
        """Return the options that make the server use `certificate`, or have no TLS at all."""

    def _first_statements(self) -> Sequence[str]:
        """Statements that leave one superuser, which may come from anywhere."""
        return (
            "RENAME USER 'root'@'localhost' TO 'root'@'%';",
            f"ALTER USER 'root'@'%' IDENTIFIED BY '{self.superuser_password}';",
        )

    def _write_first_statements(self) -> None:
        """One a line, as both servers want it. MariaDB does not log these, and MySQL logs no password."""
        self.superuser_password = "Aa1-" + secrets.token_urlsafe(18)  # the prefix satisfies password checkers
        self._first.touch(mode=0o600)
        self._first.write_text("\n".join([*self._first_statements(), ""]))
        self._place.account.own(self._first)

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command,
            cwd="/",
            check=False,
            capture_output=True,
            text=True,
            env=self._environment(),
            **self._place.account.run_as,
        )
        if done.returncode != 0:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
            raise LabError(f"{self.product} can't make a data directory:\n    " + "\n    ".join(last))

    def _command(self) -> Sequence[str]:
        options = {
            "datadir": str(self.data),
            "socket": str(self.socket),
            "pid_file": str(self.directory / "pid"),
            "bind_address": self.host,
            "port": str(self.port),
            "general_log": "ON",
            "general_log_file": str(self.general_log),
            **({"init_file": str(self._first)} if self._first.exists() else {}),
        }
        groups = (_QUICK, self.quick, self._tls(), options, self._settings)  # the last of two that are the same counts
        return self.installation.command(*(option for group in groups for option in group.items()))

    def _environment(self) -> dict[str, str]:
        """Ours, but for a TMPDIR that its account may not be able to enter."""
        return os.environ | {"TMPDIR": str(self._place.sockets)}

    def _is_ready(self, pid: int) -> bool:  # noqa: ARG002 - the log is this process's
        return "ready for connections" in self._said()
