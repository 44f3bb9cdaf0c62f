"""A private PostgreSQL server, for tests and the demo."""

from __future__ import annotations

from signal import SIGINT, SIGQUIT
from typing import TYPE_CHECKING, Any, Self

import psycopg

from rotators.lab import LabError, cluster
from rotators.lab.installation import Installation
from rotators.lab.place import Place
from rotators.lab.process import Signals
from rotators.lab.server import Server
from rotators.lab.template import copied_from

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_STATUS = 7  # the line of postmaster.pid, counted from 0, that says how far the server is (miscadmin.h)
_LOCAL = "local all all scram-sha-256\nlocal replication all scram-sha-256\n"
_TCP = "{kind} all all all scram-sha-256\n{kind} replication all all scram-sha-256"


class Postgres(Server):
    """A private PostgreSQL server on 127.0.0.1: own data directory, own port, scram-sha-256.

    With TLS, where its build has it, it takes no plaintext connection over TCP. It ends with this process, however that
    ends, and with it the directory, if that was not given. Made by `start` or `standby_of`.

    >>> with Postgres.start(settings={"log_statement": "all"}) as server:
    ...     server.execute("CREATE ROLE app LOGIN PASSWORD 'a'")
    ...     secret = server.secret("app", "a")
    """

    product = "PostgreSQL"
    engine = "postgres"
    dbname = "postgres"
    signals = Signals(SIGINT, SIGQUIT)  # "fast" and "immediate shutdown"
    superuser = cluster.SUPERUSER

    def __init__(self, place: Place, installation: Installation, host: str, *, tls: bool | None) -> None:
        if tls and not installation.tls:
            raise LabError(f"PostgreSQL {installation.version} in {installation.bin} was built without TLS")
        super().__init__(place, host, tls=installation.tls if tls is None else tls)
        self.installation, self.version = installation, installation.version
        self._settings: dict[str, str] = {}
        self._hba = ""

    def __repr__(self) -> str:
        return f"Postgres({self.version!r}, {self.host}:{self.port}, tls={self.tls})"

    @classmethod
    def start(  # noqa: PLR0913 - all but the first by name, each with a default
        cls,
        directory: Path | None = None,
        *,
        tls: bool | None = None,
        settings: Mapping[str, str] | None = None,
        hba: str | None = None,
        host: str = "127.0.0.1",
        port: int | None = None,
        template: Path | None = None,
        installation: Installation | None = None,
    ) -> Self:
        """Make a data directory and start a server on it.

        `directory`: where to keep everything, and to go on with what is there (default: a temporary one, removed by `stop`).
        `tls`: None for what the build can. `settings`: more of postgresql.conf. `hba`: pg_hba.conf's lines for TCP.
        `port`: None for one that is free. `template`: a directory in which initdb's result is kept for further servers.
        `installation`: whose programs (default: `find`).

        Raises `LabError`, with the last words of the server's log, if it does not start.
        """
        installation = installation or Installation.find()
        place = Place(directory)
        with place.removed_if_it_fails():
            server = cls(place, installation, host, tls=tls)
            server._settings = dict(settings or {})
            server._hba = hba if hba is not None else _TCP.format(kind="hostssl" if server.tls else "host")
            server.superuser_password = place.superuser_password or copied_from(
                template and template / f"postgres-{installation.version}",
                place.data,
                place.account,
                lambda: cluster.create(place.data, place.account, installation),
            )
            server._listen(port)
        return server

    @classmethod
    def standby_of(cls, primary: Postgres, directory: Path | None = None) -> Self:
        """Start a second server, one that follows `primary` and answers reads only."""
        place = Place(directory)
        with place.removed_if_it_fails():
            server = cls(place, primary.installation, primary.host, tls=primary.tls)
            server._settings, server._hba = dict(primary._settings), primary._hba
            server.superuser_password = primary.superuser_password
            source = ("-h", str(primary._place.sockets), "-p", str(primary.port), "-U", cls.superuser)
            cluster.run(
                place.account,
                primary.installation.program("pg_basebackup"),
                *("-D", str(place.data), *source, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"),
                PGPASSWORD=primary.superuser_password,
            )
            server._listen()
        return server

    def connect(self, dbname: str = "postgres") -> psycopg.Connection:
        """Return a session of the superuser, over the socket, each statement committed by itself."""
        return psycopg.connect(
            host=str(self._place.sockets),
            port=self.port,
            user=self.superuser,
            password=self.superuser_password,
            dbname=dbname,
            autocommit=True,
        )

    def execute(self, *statements: str, dbname: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements as the superuser; returns the rows of the last one."""
        rows: list[tuple[Any, ...]] = []
        with self.connect(dbname) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
        return rows

    def _command(self) -> Sequence[str]:
        tls: dict[str, str] = {}
        if self.certificate:
            certificate, key = self.certificate
            tls = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
        listen = {"listen_addresses": self.host, "unix_socket_directories": str(self._place.sockets)}
        settings = cluster.QUICK | tls | listen | {"port": str(self.port)} | self._settings
        cluster.configure(self.data, self._place.account, settings, _LOCAL + self._hba)
        return [self.installation.program("postgres"), "-D", str(self.data)]

    def _environment(self) -> dict[str, str]:
        return cluster.environment()

    def _is_ready(self, pid: int) -> bool:
        """Read off the lock file, as pg_ctl does."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > _STATUS and lines[0] == str(pid) and lines[_STATUS].strip() == "ready"
