"""What the tests of failures have in common: a step that must fail, and servers that are none."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import pytest

from rotators import RotatorsError, TargetUnreachable
from rotators.testing import LambdaContext, rotation_event
from rotators.testing.proxy import Proxy

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from tests.mysql_world import MySQLWorld

SINGLE = {"rotators:strategy": "single"}
PENDING = "pending-Canary-1234"
#: Bytes of the packet by which a client asks for TLS, which it begins right behind it.
TLS_REQUEST = 36


def redirect(app: MySQLWorld, **changes: Any) -> str:
    """Make the secret name something else, in current and pending alike; returns the token."""
    value = {key: value for key, value in {**app.value(), **changes}.items() if value is not None}
    app.put_current(value)
    return app.pending(password=PENDING)


def failing(app: MySQLWorld, token: str, step: str = "setSecret", timeout: float = 30.0) -> RotatorsError:
    """Run one step, which must fail with one of ours and change nothing."""
    with pytest.raises(RotatorsError) as caught:
        app.handler(rotation_event(step, app.arn, token), LambdaContext(timeout=timeout))
    said = str(caught.value)
    assert "unable to log in" not in said.lower()
    assert app.value()["password"] not in said
    assert PENDING not in said
    assert app.service.labels(app.arn)[token] == ["AWSPENDING"]
    assert caught.value.step == step
    assert caught.value.version == token
    assert caught.value.secret_id == app.arn
    assert caught.value.__context__ is None
    return caught.value


def unreachable(app: MySQLWorld, token: str, cause: str, *said: str, **more: Any) -> str:
    """Run one step, which must fail because the server could not be asked."""
    error = failing(app, token, **more)
    assert isinstance(error, TargetUnreachable), error
    assert error.cause == cause, error
    for words in said:
        assert words in str(error)
    return str(error)


def run(app: MySQLWorld, token: str) -> None:
    """Run the four steps."""
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        app.step(step, token)


def packet(payload: bytes, number: int = 0) -> bytes:
    """Frame what a server says."""
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


def error_packet(number: int, text: str = "no", sequence: int = 0, state: str = "") -> bytes:
    """Say no, as both servers do."""
    return packet(b"\xff" + number.to_bytes(2, "little") + f"{state}{text}".encode(), sequence)


def greeting(plugin: str = "mysql_native_password", *, tls: bool = False) -> bytes:
    """Say hello, as both servers do."""
    flags = 0x00_0F_A2_0F | (0x0800 if tls else 0)
    return packet(
        b"\x0a8.4.0\0" + (7).to_bytes(4, "little") + b"saltsalt\0" + (flags & 0xFFFF).to_bytes(2, "little") + b"\x21"
        b"\x02\0"
        + (flags >> 16).to_bytes(2, "little")
        + b"\x15"
        + b"\0" * 10
        + b"saltsaltsalt\0"
        + plugin.encode()
        + b"\0"
    )


class Fake:
    """
    A server on loopback that does to each connection what it is told, and keeps what clients said.

    Args:
        talk: called with the connection; what it sends is its business.
    """

    def __init__(self, talk: Callable[[Fake, socket.socket], None]) -> None:
        self._talk = talk
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard = b""
        self.messages = 0
        self.stop = threading.Event()
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            self._talk(self, connection)

    def hear(self, connection: socket.socket, most: int = 65536) -> bytes:
        """Take what the client says."""
        connection.settimeout(5)
        said = connection.recv(most)
        self.heard += said
        self.messages += bool(said)
        return said


def saying(*answers: bytes, tls: ssl.SSLContext | None = None) -> Fake:
    """A server that says one thing after the other, and hears the client in between; encrypted after the first, if asked."""

    def talk(fake: Fake, connection: socket.socket) -> None:
        connection.sendall(answers[0])
        if len(answers) > 1:
            fake.hear(connection, 65536 if tls is None else TLS_REQUEST)
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True)
            fake.hear(connection)
        with connection:
            for answer in answers[1:]:
                connection.sendall(answer)
                if not fake.hear(connection):
                    return
            if tls is None:
                connection.shutdown(socket.SHUT_WR)
            while fake.hear(connection):
                pass

    return Fake(talk)


def dripping(begin: bytes = b"", *, tls: ssl.SSLContext | None = None) -> Fake:
    """A server that says a byte each tenth of a second, for ever: no socket's time-out ever strikes."""

    def talk(fake: Fake, connection: socket.socket) -> None:
        connection.sendall(begin)
        if tls is not None:
            fake.hear(connection, TLS_REQUEST)
            connection = tls.wrap_socket(connection, server_side=True)
            fake.hear(connection)
        with connection:
            connection.sendall((60_000).to_bytes(3, "little") + (b"\x03" if tls else b"\0"))
            while not fake.stop.wait(0.1):
                connection.sendall(b"\0")

    return Fake(talk)


class Meddling(Proxy):
    """
    A proxy before whose connections somebody else does something to the server: `before[3]` comes before the third.

    What it stands for happens to people: an account made, locked or demanded a certificate of between two logins of ours.
    """

    def __init__(self, host: str, port: int, before: dict[int, Callable[[], object]]) -> None:
        super().__init__(host, port)
        self._before = before

    def _keep(self, end: socket.socket) -> None:
        if end.getsockname()[1] == self.port:  # the client's end
            self._before.pop(self.connections, lambda: None)()
        super()._keep(end)
