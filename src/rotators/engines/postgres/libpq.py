"""
One session with a PostgreSQL server: psycopg's libpq, driven without ever blocking longer than the time left (law 13).

psycopg's own ``Connection`` waits for a silent server for ever once it is connected, and a failed login tells its
SQLSTATE only inside a text in the server's language. Here every wait has an end, and the SQLSTATE is read from libpq's
protocol trace, which goes to an anonymous file in memory that is gone before the session is used.
"""

from __future__ import annotations

import os
import select
import time
from functools import cache
from typing import TYPE_CHECKING, Self

from psycopg import pq
from psycopg.conninfo import make_conninfo

from rotators import deadline
from rotators.engines.postgres.libpq_errors import LibpqError, TimedOut, sqlstate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg.pq.abc import PGconn

ENDED = {pq.PollingStatus.OK, pq.PollingStatus.FAILED}


class Opening:
    """
    A login on its way, which may be halted before the server has been told who comes.

    Until it gets the startup packet a server has looked up no password. So connecting, its fork and the TLS handshake, half
    of a login's time, can be had before a change, and only the rest is spent while nobody else can log in.

    Args:
        parameters: libpq's connection parameters; those that an older libpq does not know are left out.
        address: which of the host's addresses the parameters name, to be remembered.
    """

    def __init__(self, parameters: Mapping[str, str], *, address: str | None = None) -> None:
        self._connection: PGconn = pq.PGconn.connect_start(_conninfo(parameters))
        self._trace = _trace(self._connection)
        self._address = address
        self._tls = parameters.get("sslmode") != "disable"
        self._status: int = pq.PollingStatus.WRITING

    def halt(self, *, seconds: float) -> None:
        """
        Go on until the connection, TLS included, is made; no further.

        Raises:
            TimedOut: no answer in time.
        """
        self._poll(time.monotonic() + seconds, until_made=True)

    def finish(self, *, seconds: float) -> Session:
        """
        Log in.

        Raises:
            LibpqError: refused, or could not be asked.
            TimedOut: no answer in time.
        """
        connection = self._connection
        try:
            self._poll(time.monotonic() + seconds)
            said = self._said()
            if connection.status == pq.ConnStatus.OK:
                connection.nonblocking = 1
                return Session(connection, scram="AuthenticationMD5Password" not in said, address=self._address)
            failure = LibpqError(*sqlstate(said, connection.get_error_message("utf-8")))
        except BaseException:
            self.abandon()
            raise
        connection.finish()
        raise failure

    def abandon(self) -> None:
        """Drop it, wherever it is. Nothing happens to a login that was finished."""
        if self._trace is not None:
            self._said()
            self._connection.finish()

    def _poll(self, end: float, *, until_made: bool = False) -> None:
        connection = self._connection
        while self._status not in ENDED and connection.status != pq.ConnStatus.BAD:
            made = connection.status == pq.ConnStatus.MADE and (connection.ssl_in_use or not self._tls)
            if until_made and made:
                return
            _wait(connection, reading=self._status == pq.PollingStatus.READING, end=end, doing="logging in")
            self._status = connection.connect_poll()

    def _said(self) -> str:
        """End the trace, once, and return it; the C library's buffer must be empty before the number is anybody else's."""
        trace, self._trace = self._trace, None
        if trace is None:
            return ""
        self._connection.untrace()
        os.lseek(trace, 0, os.SEEK_SET)
        said = os.read(trace, 1 << 20).decode("utf-8", "replace")
        os.close(trace)
        return said


class Session:
    """
    An open session.

    Example:
        >>> with Session.open({"host": "127.0.0.1", "user": "app", "password": "…"}, seconds=5) as session:
        ...     session.rows("SELECT 1")
        [('1',)]
    """

    def __init__(self, connection: PGconn, *, scram: bool = True, address: str | None = None) -> None:
        self._connection = connection
        #: The address of the server, where the caller chose one.
        self.address = address
        #: Whether the login was by SCRAM; else by md5 or in the clear.
        self.scram = scram

    @classmethod
    def open(cls, parameters: Mapping[str, str], *, seconds: float, address: str | None = None) -> Session:
        """
        Log in.

        Args:
            parameters: libpq's connection parameters; those that an older libpq does not know are left out.
            seconds: how long it may take.
            address: which of the host's addresses the parameters name, to be remembered.

        Raises:
            LibpqError: refused, or could not be asked.
            TimedOut: no answer in time.
        """
        return Opening(parameters, address=address).finish(seconds=seconds)

    def rows(self, statement: str, *, seconds: float = deadline.LONGEST) -> list[tuple[str | None, ...]]:
        """
        Run statements in one round trip and return the last one's rows, as text.

        Raises:
            LibpqError: the server refused one, or the connection broke.
            TimedOut: no answer in time; the session is closed, and the statement may have run.
        """
        connection, end = self._connection, time.monotonic() + deadline.current().wait(seconds)
        failure: LibpqError | None = None
        rows: list[tuple[str | None, ...]] = []
        try:
            connection.send_query(statement.encode())
            while connection.flush():
                _wait(connection, reading=False, end=end, doing="sending a statement")
            while True:
                while connection.is_busy():
                    _wait(connection, reading=True, end=end, doing="waiting for a statement")
                    connection.consume_input()
                result = connection.get_result()
                if result is None:
                    break
                if result.status == pq.ExecStatus.TUPLES_OK:
                    rows = [
                        tuple(_text(result.get_value(row, column)) for column in range(result.nfields))
                        for row in range(result.ntuples)
                    ]
                elif result.status != pq.ExecStatus.COMMAND_OK and failure is None:
                    state = result.error_field(pq.DiagnosticField.SQLSTATE)
                    failure = LibpqError(_text(state), result.get_error_message("utf-8"))
        except TimedOut:
            self.close()
            raise
        except Exception as error:  # noqa: BLE001 - psycopg's, for a connection that is gone
            failure = LibpqError(None, type(error).__name__)
        if failure is not None:
            raise failure
        return rows

    def verifier(self, user: str, password: str, algorithm: str) -> str:
        """
        Return what the server stores for a password, made here, so that the password itself is never sent.

        Source: libpq, PQencryptPasswordConn.
        """
        made = self._connection.encrypt_password(password.encode(), user.encode(), algorithm.encode())
        return made.decode("ascii")

    def parameter(self, name: str) -> str:
        """Return what the server reported about itself at login, such as ``server_version``."""
        return _text(self._connection.parameter_status(name.encode())) or ""

    @property
    def alive(self) -> bool:
        """Say whether the connection is still thought to be good."""
        return self._connection.status == pq.ConnStatus.OK

    def close(self) -> None:
        """End the session."""
        self._connection.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _wait(connection: PGconn, *, reading: bool, end: float, doing: str) -> None:
    left = end - time.monotonic()
    if left > 0:
        poll = select.poll()  # not select(): a sandbox may have more than 1024 files open
        poll.register(connection.socket, select.POLLIN if reading else select.POLLOUT)
        if poll.poll(left * 1000):
            return
    raise TimedOut(doing)


@cache
def _known() -> frozenset[str]:
    return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())


def _conninfo(parameters: Mapping[str, str]) -> bytes:
    return make_conninfo("", **{name: value for name, value in parameters.items() if name in _known()}).encode()


def _trace(connection: PGconn) -> int | None:
    """Trace the login into memory, where the system can; elsewhere the error's text has to do."""
    if connection.status == pq.ConnStatus.BAD or not hasattr(os, "memfd_create"):
        return None
    trace = os.memfd_create("login")
    connection.trace(trace)
    return trace


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
