"""One session with a Redis or Valkey server: redis-py's connection, never waiting longer than the time left (law 13)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Self

from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from rotators import deadline, tls
from rotators.engines.redis.failures import command_failed, login_failed
from rotators.waiting import within

if TYPE_CHECKING:
    import socket

    from rotators.database_secret import DatabaseSecret
    from rotators.errors import RotatorsError

#: Seconds a node may take for one command.
PATIENCE = 5.0


class Refused(Exception):
    """
    The server's own refusal of a command.

    Attributes:
        word: its first word, such as NOPERM; empty where it has none.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        first = text.partition(" ")[0]
        self.word = first if first.isupper() else ""


class Session:
    """
    An open session of a user at a node.

    Args:
        who: the user, its password, and the node.

    Raises:
        CredentialRejected: refused.
        TargetUnreachable: could not be asked (law 8).

    Example:
        >>> with Session(who) as session:
        ...     session.ask("ACL", "WHOAMI")
        b'app'
    """

    def __init__(self, who: DatabaseSecret) -> None:
        self._who = who
        end = deadline.Deadline(deadline.current().wait(deadline.CONNECT))
        self._connection = _connection(who, max(0.1, end.left()))
        failure: RotatorsError | None = None
        try:
            within(end.left(), self._connection.connect, {})
        except (RedisError, OSError, TimeoutError, ValueError) as error:
            failure = login_failed(error, who)
        if failure is not None:
            self.close()
            raise failure

    def ask(self, *command: str) -> Any:
        """
        Send a command, and return the answer.

        Raises:
            Refused: the server would not.
            TargetUnreachable: there was no answer; it may have been done.
        """
        refused, failure = "", None

        def run() -> Any:
            self._connection.send_command(*command, check_health=False)  # type: ignore[no-untyped-call]
            return self._connection.read_response()

        try:
            return within(deadline.current().wait(PATIENCE), run, {})
        except ResponseError as error:
            refused = _said(error)
        except (RedisError, OSError, TimeoutError) as error:
            failure = command_failed(error, self._who)
        if failure is not None:
            raise failure
        raise Refused(refused)

    def close(self) -> None:
        """End the session."""
        self._connection.disconnect()  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _said(error: ResponseError) -> str:
    """Return what the server said: redis-py takes the first word off where it has a class for it."""
    names = {"NoPermissionError": "NOPERM", "ReadOnlyError": "READONLY", "BusyLoadingError": "LOADING"}
    word = names.get(type(error).__name__, "")
    text = str(error)
    return text if not word or text.startswith(word) else f"{word} {text}"


def _connection(who: DatabaseSecret, seconds: float) -> Connection:
    settings: dict[str, Any] = {
        "host": who.host,
        "port": who.port,
        "username": who.username,
        "password": who.password,
        "protocol": 2,
        "socket_connect_timeout": seconds,
        "socket_timeout": PATIENCE,
        "driver_info": None,
        "retry": Retry(NoBackoff(), 0),  # a refused login is refused; and who asks again counts the time itself
        "health_check_interval": 0,
    }
    if not who.tls:
        return Connection(**settings)  # type: ignore[no-untyped-call]
    return _Verified(
        **settings,
        ssl_ca_certs=tls.ca_bundle(),
        ssl_cert_reqs="required",
        ssl_check_hostname=True,
        ssl_min_version=ssl.TLSVersion.TLSv1_2,
    )


class _Verified(SSLConnection):
    """Trusts the bundle alone. redis-py would trust the system's authorities too, and read all of them at each login."""

    def _wrap_socket_with_ssl(self, sock: socket.socket) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=self.ca_certs)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context.wrap_socket(sock, server_hostname=self.host)
