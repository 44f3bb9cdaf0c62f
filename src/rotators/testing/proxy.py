"""A TCP proxy on loopback that cuts or swallows what passes: real dropped connections and real silence, TLS or not."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self


class Proxy:
    """
    Stands between a client and a server.

    Args:
        host: where the server listens.
        port: and on which port.
        cut_after: how many pieces of data may pass, in both directions together, before every connection is cut; None
            for any number. A piece is what one read of the socket returns.
        silent: accept connections and never say anything.

    Example:
        >>> with Proxy("127.0.0.1", 5432, cut_after=7) as proxy:
        ...     secret = secret.replace(port=proxy.port)
    """

    def __init__(self, host: str, port: int, *, cut_after: int | None = None, silent: bool = False) -> None:
        self._target = (host, port)
        self._silent = silent
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = True
        self.cut_after = cut_after
        self.passed = 0
        self.connections = 0

    @property
    def port(self) -> int:
        """The port to connect to, on 127.0.0.1."""
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()

    def _accept(self) -> None:
        while self._open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._keep(client)
            if self._silent:
                continue
            if self.cut_after is not None and self.passed >= self.cut_after:
                self._cut()
                continue
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._keep(server)
            for end in (client, server):
                with contextlib.suppress(OSError):  # gone already
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                with self._lock:
                    over = self.cut_after is not None and self.passed >= self.cut_after
                    self.passed += not over
                if over:
                    self._cut()
                    return
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _keep(self, end: socket.socket) -> None:
        with self._lock:
            self._sockets.append(end)

    def _cut(self) -> None:
        with self._lock:
            ends, self._sockets = self._sockets, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
