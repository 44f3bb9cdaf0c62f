"""
One session with a MySQL or MariaDB server: PyMySQL, never waiting longer than the time left (law 13).

PyMySQL's time-outs are for each read, so a server that drips bytes is bounded by none of them, and its connect time-out does
not cover a server that accepts and says nothing. Here every login and every statement has an end of its own.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from rotators import deadline
from rotators.engines.mysql.errors import MySQLError, told
from rotators.engines.mysql.plugins import PLUGINS
from rotators.engines.mysql.wire import Wire
from rotators.waiting import within

if TYPE_CHECKING:
    import ssl

__all__ = ["OURS", "MySQLError", "Session", "identifier", "literal"]

#: What makes every session alike, whatever the server's or the user's own settings: strings end at a quote, and nowhere else.
OURS = "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES', autocommit = 1"


#: Seconds a thread gets to notice that its connection was cut.
GRACE = 0.2


class Session:
    """
    An open session.

    Example:
        >>> with Session.open(host="db", address="127.0.0.1", port=3306, user="app", password="…", seconds=5) as session:
        ...     session.rows("SELECT 1")
        [(1,)]
    """

    def __init__(self, connection: Wire, address: str) -> None:
        self._connection = connection
        #: The address of the server.
        self.address = address

    @property
    def is_mariadb(self) -> bool:
        """Say what the greeting says; something between may give it in the server's name."""
        return "mariadb" in self._connection.version.lower()

    @property
    def here(self) -> str:
        """Our own address, as the server sees it if nothing stands between."""
        return self._connection.here

    @classmethod
    def open(  # noqa: PLR0913 - what a login is made of, each by its name
        cls,
        *,
        host: str,
        address: str,
        port: int,
        user: str,
        password: str,
        seconds: float,
        dbname: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """
        Log in.

        Args:
            host: the name the certificate must carry.
            address: the address to connect to.
            port: its port.
            user: the user's name.
            password: its password.
            seconds: how long it may take.
            dbname: the database to use; none by default.
            tls: how to encrypt and what to trust; None sends everything in the clear.

        Raises:
            MySQLError: refused, or could not be asked.
        """
        end = deadline.Deadline(seconds)
        connection = Wire(
            host=host,
            port=port,
            user=user,
            password=password.encode(),  # utf-8, as the server's own clients send it over utf8mb4
            database=dbname or None,
            charset="utf8mb4",
            autocommit=None,
            ssl=tls,
            ssl_disabled=tls is None,
            auth_plugin_map=PLUGINS,  # type: ignore[arg-type] # by bytes or by str, says PyMySQL itself
            defer_connect=True,
            program_name="rotators",
        )
        session = cls(connection, address)
        try:
            failure = session._log_in(address, port, end)
        except BaseException:
            connection.drop()
            raise
        if failure is None:
            return session
        failure.sure = tls is None or connection.encrypted
        raise failure

    def _log_in(self, address: str, port: int, end: deadline.Deadline) -> MySQLError | None:
        try:
            wire = self._connection.reach(address, port, end.left())
        except OSError as error:
            return MySQLError(0, type(error).__name__, cause=error, timed_out=isinstance(error, TimeoutError))
        failure = self._bounded(end.left(), self._connection.connect, {"sock": wire})
        if failure is not None:
            self._connection.drop()
        return failure

    def rows(self, statement: str, *, seconds: float = deadline.LONGEST) -> list[tuple[Any, ...]]:
        """
        Run one statement and return its rows.

        Raises:
            MySQLError: the server refused it, the connection broke, or there was no answer in time; it may have run then.
        """
        answer: list[tuple[Any, ...]] = []

        def run() -> None:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
                answer.extend(cursor.fetchall())

        failure = self._bounded(deadline.current().wait(seconds), run, {})
        if failure is not None:
            raise failure
        return answer

    def _bounded(self, seconds: float, work: Any, parameters: dict[str, Any]) -> MySQLError | None:
        """Run something on the connection; when its time is up the connection is cut, so that its thread ends too."""
        ended = threading.Event()

        def run(**more: Any) -> None:
            try:
                work(**more)
            finally:
                ended.set()

        try:
            within(max(0.001, seconds), run, parameters)
        except TimeoutError as error:
            self._connection.cut()
            ended.wait(GRACE)  # nobody reads from it any more when it is closed
            return MySQLError(0, "no answer in time", cause=error, timed_out=True)
        except Exception as error:  # noqa: BLE001 - PyMySQL lets its bugs and the socket's errors through
            return told(error)
        return None

    @property
    def alive(self) -> bool:
        """Say whether the connection is still thought to be good."""
        return bool(self._connection.open)

    def close(self) -> None:
        """End the session, with a farewell: a server counts those who leave without one."""
        with suppress(Exception):
            self._connection.close()
        self._connection.drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def literal(text: str) -> str:
    """Quote a string, for the sql_mode of `OURS`."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a name."""
    return "`" + name.replace("`", "``") + "`"
