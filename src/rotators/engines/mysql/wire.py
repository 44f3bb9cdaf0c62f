"""PyMySQL's connection, made to trust a server less: no TLS means no login, and a packet has a size that makes sense."""

from __future__ import annotations

import socket
from contextlib import suppress

import pymysql
from pymysql.constants import CLIENT

#: Bytes of one packet, and of all that a session receives. What we ask for is a few rows.
PACKET = 1 << 20
SESSION = 1 << 26
#: What is said of a server that offers no TLS.
NO_TLS = "SSL is required but the server doesn't support it"


class Wire(pymysql.Connection):
    """A connection to one server."""

    _received = 0
    _wire: socket.socket | None = None
    _end: socket.socket | None = None

    def reach(self, address: str, port: int, seconds: float) -> socket.socket:
        """
        Connect a socket, and keep a second handle of it to end it by: TLS takes the first one away.

        Raises:
            OSError: it can't be reached.
        """
        wire = socket.create_connection((address, port), timeout=max(0.001, seconds))
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire, self._end = wire, wire.dup()
        return wire

    @property
    def here(self) -> str:
        """Our own address, as the server sees it if nothing stands between."""
        return str(self._end.getsockname()[0]) if self._end else ""

    @property
    def version(self) -> str:
        """The server's version by its greeting."""
        return str(getattr(self, "server_version", ""))

    @property
    def encrypted(self) -> bool:
        """Say whether TLS is spoken."""
        return bool(self._secure)  # type: ignore[attr-defined]

    def cut(self) -> None:
        """End it at once, whoever waits for it on whatever thread."""
        if self._end is not None:
            with suppress(OSError):  # it is gone already
                self._end.shutdown(socket.SHUT_RDWR)

    def drop(self) -> None:
        """End it without a farewell."""
        self.cut()
        for name in ("_sock", "_rfile", "_wire", "_end"):
            with suppress(OSError, AttributeError):
                getattr(self, name).close()

    def _request_authentication(self) -> None:
        """
        Log in. Releases of PyMySQL before 1.2 go on without TLS where the server offers none, or somebody took it out.

        Without TLS we begin by a plugin that tells nothing, so that a server which wants another has to say so: then it is
        one of `plugins` that answers, in any release.
        """
        if self.ssl and not self.server_capabilities & CLIENT.SSL:  # type: ignore[attr-defined]
            raise pymysql.err.OperationalError(2026, NO_TLS)
        if not self.ssl:
            self._auth_plugin_name = "mysql_native_password"
        super()._request_authentication()  # type: ignore[misc] # not in the stubs

    def _read_bytes(self, num_bytes: int) -> bytes:
        """Read, but not whatever a server likes to send: a function has little memory."""
        self._received += num_bytes
        if num_bytes > PACKET or self._received > SESSION:
            self._force_close()  # type: ignore[attr-defined]
            raise pymysql.err.OperationalError(0, "a packet that is too large")
        data: bytes = super()._read_bytes(num_bytes)  # type: ignore[misc]
        return data
