"""A private PostgreSQL server, for tests and the demo."""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING, Any, Self

import psycopg

from rotators.lab import LabError, cluster
from rotators.lab.certificates import Authority
from rotators.lab.installation import Installation
from rotators.lab.place import Place
from rotators.lab.ports import free_port
from rotators.lab.process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PORTS_TRIED = 5
_LOCAL = "local all all scram-sha-256\nlocal replication all scram-sha-256\n"
_TCP = "{kind} all all all scram-sha-256\n{kind} replication all all scram-sha-256"


class Postgres:
    """A private PostgreSQL server on 127.0.0.1: own data directory, own port, scram-sha-256.

    With TLS, where its build has it, it takes no plaintext connection over TCP. It ends with this process, however that
    ends, and with it the directory, if that was not given. Made by `start` or `standby_of`.

    >>> with Postgres.start(settings={"log_statement": "all"}) as server:
    ...     server.execute("CREATE ROLE app LOGIN PASSWORD 'a'")
    ...     secret = server.secret("app", "a")
    """

    superuser = cluster.SUPERUSER

    def __init__(self, place: Place, installation: Installation, host: str, *, tls: bool | None) -> None:
        if tls and not installation.tls:
            raise LabError(f"PostgreSQL {installation.version} in {installation.bin} was built without TLS")
        self.host = host
        self.port = 0
        self.superuser_password = ""
        self.installation, self.version = installation, installation.version
        self.tls = installation.tls if tls is None else tls
        self.directory, self.data, self.log = place.directory, place.data, place.log
        self.authority = Authority(place.tls) if self.tls else None
        self._place = place
        self._settings: dict[str, str] = {}
        self._hba = ""
        self._process: ServerProcess | None = None
        self._starter = os.getpid()

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
        template: Path | None = None,
        installation: Installation | None = None,
    ) -> Self:
        """Make a data directory and start a server on it.

        `directory`: where to keep everything (default: a temporary one, removed by `stop`). `tls`: None for what the
        build can. `settings`: more of postgresql.conf. `hba`: pg_hba.conf's lines for TCP. `template`: a directory in
        which initdb's result is kept for further servers. `installation`: whose programs (default: `find`).

        Raises `LabError`, with the last words of the server's log, if it does not start.
        """
        installation = installation or Installation.find()
        place = Place(directory)
        with place.removed_if_it_fails():
            server = cls(place, installation, host, tls=tls)
            server._settings = dict(settings or {})
            server._hba = hba if hba is not None else _TCP.format(kind="hostssl" if server.tls else "host")
            made = (place.data, place.account, installation)
            server.superuser_password = cluster.create_from(template, *made) if template else cluster.create(*made)
            server._listen()
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

    @property
    def ca_bundle(self) -> Path | None:
        """What a client must trust to verify this server; None where it has no TLS."""
        return self.authority.bundle if self.authority else None

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

    def secret(self, username: str, password: str, dbname: str = "postgres", **more: Any) -> dict[str, Any]:
        """Return the database secret of one of this server's roles, `more` being further keys of it."""
        secret = {
            "engine": "postgres",
            "host": self.host,
            "port": self.port,
            "username": username,
            "password": password,
            "dbname": dbname,
        }
        return secret | ({} if self.tls else {"ssl": False}) | more

    def restart(self) -> None:
        """Stop and start on the same port, with the same data."""
        self._halt()
        if not self._launch():
            raise self._failure()

    def stop(self) -> None:
        """Stop the server and remove its directory, if it was not given. May be called twice."""
        if os.getpid() != self._starter:
            return  # a forked child runs its parent's exit handlers
        self._halt()
        self._place.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _listen(self) -> None:
        tls: dict[str, str] = {}
        if self.authority:
            certificate, key = self.authority.issue(*dict.fromkeys(("localhost", "127.0.0.1", self.host)))
            self._place.account.own(self._place.tls)
            tls = {"ssl": "on", "ssl_cert_file": str(certificate.absolute()), "ssl_key_file": str(key.absolute())}
        listen = {"listen_addresses": self.host, "unix_socket_directories": str(self._place.sockets)}
        for _ in range(_PORTS_TRIED):
            self.port = free_port(self.host)
            settings = cluster.QUICK | tls | listen | {"port": str(self.port)} | self._settings
            cluster.configure(self.data, self._place.account, settings, _LOCAL + self._hba)
            if self._launch():
                return
            if "Address already in use" not in self.log.read_text(errors="replace"):
                break
        raise self._failure()

    def _launch(self) -> bool:
        self._process = ServerProcess(self.installation, self._place)
        atexit.register(self.stop)
        ready = False
        try:
            ready = self._process.wait_until_ready()
        finally:
            if not ready:
                self._halt()
        return ready

    def _halt(self) -> None:
        process, self._process = self._process, None
        atexit.unregister(self.stop)
        if process is not None:
            process.stop()

    def _failure(self) -> LabError:
        last = self.log.read_text(errors="replace").strip().splitlines()[-5:]
        return LabError("PostgreSQL does not start; the end of its log:\n    " + "\n    ".join(last))
