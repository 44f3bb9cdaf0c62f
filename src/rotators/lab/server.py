"""What every private server of the lab does alike: find a port, start, restart, stop, leave nothing behind."""

from __future__ import annotations

import atexit
import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

from rotators.lab import LabError
from rotators.lab.certificates import Authority
from rotators.lab.ports import free_port
from rotators.lab.process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rotators.lab.place import Place
    from rotators.lab.process import Signals

_PORTS_TRIED = 5


class Server(ABC):
    """A database server on loopback, in a place of its own, that ends with this process, however that ends."""

    product: ClassVar[str]
    engine: ClassVar[str]
    dbname: ClassVar[str | None] = None
    signals: ClassVar[Signals]

    def __init__(self, place: Place, host: str, *, tls: bool) -> None:
        self.host = host
        self.port = 0
        self.superuser_password = ""
        self.tls = tls
        self.directory, self.data, self.log = place.directory, place.data, place.log
        self.authority: Authority | None = None
        self.certificate: tuple[Path, Path] | None = None
        if tls:
            self.authority = Authority(place.tls)
            self.certificate = self.authority.issue(*dict.fromkeys(("localhost", "127.0.0.1", host)))
            place.account.own(place.tls)
        self._place = place
        self._process: ServerProcess | None = None
        self._starter = os.getpid()
        self._log_begin = 0

    @property
    def ca_bundle(self) -> Path | None:
        """What a client must trust to verify this server; None where it has no TLS."""
        return self.authority.bundle if self.authority else None

    @property
    def pid(self) -> int | None:
        """The process's id; None while there is none."""
        return self._process.pid if self._process else None

    def secret(self, username: str, password: str, dbname: str | None = None, **more: Any) -> dict[str, Any]:
        """Return the database secret of one of this server's accounts, `more` being further keys of it."""
        secret = {
            "engine": self.engine,
            "host": self.host,
            "port": self.port,
            "username": username,
            "password": password,
        }
        dbname = dbname or self.dbname
        return secret | ({"dbname": dbname} if dbname else {}) | ({} if self.tls else {"ssl": False}) | more

    def restart(self) -> None:
        """Stop and start on the same port, with the same data."""
        self._halt()
        if not self._launch():
            raise self._failure()

    def stop(self) -> None:
        """Stop the server and remove its directory, if it was not given. May be called twice."""
        if os.getpid() != self._starter:
            return  # a forked child runs its parent's exit handlers
        self._halt(immediately=self._place.is_temporary)
        self._place.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Write what the server reads before it starts on `port`, and return its command line."""

    @abstractmethod
    def _environment(self) -> dict[str, str]:
        """Return the server's environment."""

    @abstractmethod
    def _is_ready(self, pid: int) -> bool:
        """Whether the process takes connections, found out without connecting: that would leave a line in the log."""

    def _said(self) -> str:
        """What the server has written to its log since it was started last."""
        with self.log.open("rb") as log:
            log.seek(self._log_begin)
            return log.read().decode(errors="replace")

    def _listen(self, port: int | None = None) -> None:
        """Start on `port`, or on one that is free; a `Place` that is kept is whole from here on."""
        for _ in range(_PORTS_TRIED):
            self.port = port or free_port(self.host)
            if self._launch():
                self._place.keep(self.superuser_password)
                return
            taken = "Address already in use" in self._said()
            if port and taken:
                raise LabError(f"{self.host}:{port}, where {self.product} is to listen, is taken by another process")
            if not taken:
                break
        raise self._failure()

    def _launch(self) -> bool:
        self._log_begin = self.log.stat().st_size
        self._process = ServerProcess(self._command(), self._place, self._environment(), self.signals)
        atexit.register(self.stop)
        ready = False
        try:
            ready = self._process.wait_until_ready(self._is_ready)
        finally:
            if not ready:
                self._halt()
        return ready

    def _halt(self, *, immediately: bool = False) -> None:
        process, self._process = self._process, None
        atexit.unregister(self.stop)
        if process is not None:
            process.stop(immediately=immediately)

    def _failure(self) -> LabError:
        last = self.log.read_text(errors="replace").strip().splitlines()[-5:]
        return LabError(f"{self.product} does not start; the end of its log:\n    " + "\n    ".join(last))
