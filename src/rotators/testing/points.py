"""
What counts as an external call, and how one that goes wrong looks to who made it.

A rotator's author marks nothing: the clients that Python programs use are known here, and for any other the socket. The
outermost call counts: what botocore asks of urllib3, and that of a socket, is one call and not three.
"""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

#: Whose sockets are counted by what calls them, and not one by one.
KNOWN = ("botocore", "urllib3", "http.client", "httpcore", "pymysql", "redis", "rotators.engines", "psycopg")


@dataclass(frozen=True, slots=True)
class Point:
    """
    A method whose call counts.

    Attributes:
        module, owner, method: where it is. What is not installed is passed over.
        lost: makes what the caller sees of an answer that never comes, from (what it is called on, its arguments).
        throttled: the same, of a service that asks for patience; None where there is no such answer.
        name: says in words what a call is.
        chosen: says whether a call counts.
        needs: the package that the module imports, where it is not its own.
    """

    module: str
    owner: str
    method: str
    lost: Callable[[Any, tuple[Any, ...]], BaseException]
    name: Callable[[Any, tuple[Any, ...], dict[str, Any]], str]
    throttled: Callable[[Any, tuple[Any, ...]], BaseException] | None = None
    chosen: Callable[[Any], bool] = lambda _: True
    needs: str = ""

    @property
    def cls(self) -> Any:
        """Return the class it is a method of."""
        return getattr(import_module(self.module), self.owner)


def points() -> Iterator[Point]:
    """Yield what counts, of what is installed."""
    for point in POINTS:
        top = point.needs or point.module.split(".")[0]
        if top in sys.modules or find_spec(top) is not None:
            yield point


def _named(label: str) -> Callable[[Any, tuple[Any, ...], dict[str, Any]], str]:
    return lambda *_: label


def _request(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Name an HTTP request, without its query."""
    method = kwargs.get("method", args[0] if args else "?")
    url = str(kwargs.get("url", args[1] if len(args) > 1 else "?"))
    return f"{method} {url.partition('?')[0]}"


def _httpx_request(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    request = kwargs.get("request", args[0] if args else None)
    return f"{request.method} {request.url.path}" if request is not None else "?"


def _aws_lost(_: Any, args: tuple[Any, ...]) -> BaseException:  # noqa: ARG001 - as all of them
    from botocore.exceptions import ReadTimeoutError  # noqa: PLC0415 - as the others: none is loaded for nothing

    return ReadTimeoutError(endpoint_url="https://aws", error="timed out")


def _aws_throttled(_: Any, args: tuple[Any, ...]) -> BaseException:
    from botocore.exceptions import ClientError  # noqa: PLC0415

    return ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, str(args[0]))


def _urllib3_lost(this: Any, args: tuple[Any, ...]) -> BaseException:  # noqa: ARG001
    from urllib3.exceptions import ReadTimeoutError  # noqa: PLC0415

    return ReadTimeoutError(this, "", "Read timed out.")


def _httpx_lost(*_: Any) -> BaseException:
    lost: BaseException = import_module("httpx").ReadTimeout("timed out")
    return lost


def _libpq_lost(*_: Any) -> BaseException:
    from rotators.engines.postgres.libpq_errors import LibpqError  # noqa: PLC0415

    return LibpqError(None, "server closed the connection unexpectedly")


def _mysql_lost(*_: Any) -> BaseException:
    from pymysql.err import OperationalError  # noqa: PLC0415

    lost: BaseException = OperationalError(2013, "Lost connection to MySQL server during query")
    return lost


def _redis_lost(*_: Any) -> BaseException:
    lost: BaseException = import_module("redis.exceptions").TimeoutError("Timeout reading from socket")
    return lost


def _timeout(*_: Any) -> BaseException:
    return TimeoutError("timed out")


def _stranger(sock: Any) -> bool:
    """Say whether a socket is one that no known client opened, and that goes somewhere."""
    if sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - who calls is what is asked
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(KNOWN):
            return False
        frame = frame.f_back
    return True


def _libpq(owner: str, method: str, does: str) -> Point:
    name = _named(f"PostgreSQL: {does}")
    return Point("rotators.engines.postgres.libpq", owner, method, _libpq_lost, name, needs="psycopg")


POINTS = (
    Point(
        "botocore.client", "BaseClient", "_make_api_call", _aws_lost, lambda _, args, __: str(args[0]), _aws_throttled
    ),
    _libpq("Session", "open", "log in"),
    _libpq("Opening", "halt", "connect"),
    _libpq("Opening", "finish", "log in"),
    _libpq("Session", "rows", "a statement"),
    Point("pymysql.connections", "Connection", "connect", _mysql_lost, _named("MySQL: log in")),
    Point("pymysql.connections", "Connection", "query", _mysql_lost, _named("MySQL: a statement")),
    Point("psycopg", "Connection", "connect", _timeout, _named("psycopg: log in")),
    Point("psycopg", "Cursor", "execute", _timeout, _named("psycopg: a statement")),
    Point("redis.connection", "AbstractConnection", "connect", _redis_lost, _named("Redis: connect")),
    Point("redis.connection", "AbstractConnection", "send_packed_command", _redis_lost, _named("Redis: a command")),
    Point("urllib3.connectionpool", "HTTPConnectionPool", "urlopen", _urllib3_lost, _request),
    Point("httpx", "HTTPTransport", "handle_request", _httpx_lost, _httpx_request),
    Point("httpx", "AsyncHTTPTransport", "handle_async_request", _httpx_lost, _httpx_request),
    Point("http.client", "HTTPConnection", "request", _timeout, _request),
    Point("http.client", "HTTPConnection", "getresponse", _timeout, _named("the answer")),
    Point("socket", "socket", "connect", _timeout, _named("a socket: connect"), chosen=_stranger),
    Point("socket", "socket", "sendall", _timeout, _named("a socket: send"), chosen=_stranger),
    Point("socket", "socket", "send", _timeout, _named("a socket: send"), chosen=_stranger),
    Point("ssl", "SSLSocket", "sendall", _timeout, _named("a socket: send"), chosen=_stranger),
    Point("ssl", "SSLSocket", "send", _timeout, _named("a socket: send"), chosen=_stranger),
)
