"""What a server, the driver or the network said, in one form."""

from __future__ import annotations

import pymysql

#: PyMySQL's own numbers are from 2000 on; no server's are.
OWN = range(2000, 3000)


class MySQLError(Exception):
    """
    What the server or the driver said.

    Attributes:
        number: the server's error number; 0 where the server said nothing.
        cause: what the socket or TLS raised, where it was that.
        timed_out: whether the time was up.
        sure: whether it came from who we think; not what was said before TLS began, which anybody may have said.
    """

    sure = True

    def __init__(self, number: int, text: str, *, cause: BaseException | None = None, timed_out: bool = False) -> None:
        super().__init__(text)
        self.number = number
        self.text = text
        self.cause = cause
        self.timed_out = timed_out


def told(error: Exception) -> MySQLError:
    """Read what PyMySQL raised: the server's number and text, or what the socket or TLS raised."""
    if not isinstance(error, pymysql.Error):
        return MySQLError(0, f"{type(error).__name__}: {error}", cause=error)
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    cause = getattr(error, "original_exception", None)
    return MySQLError(0 if number in OWN else number, str(error.args[-1] if error.args else ""), cause=cause)
