"""What went wrong, as libpq or the server said it; and a failed login's SQLSTATE, which libpq itself tells nobody."""

from __future__ import annotations

import re

_ERROR = re.compile(
    r'ErrorResponse\t S "[^"]*"(?: V "[^"]*")? C "([0-9A-Z]{5})" M "(.*?)"(?: [A-Z] "|\s*\\x00)', re.DOTALL
)
#: A server in another language than English, on a system without the trace: these are told apart by their text alone.
_ENGLISH = {
    "password authentication failed": "28P01",
    "no pg_hba.conf entry": "28000",
    "too many clients": "53300",
    "too many connections": "53300",
    "remaining connection slots": "53300",
    "starting up": "57P03",
    "shutting down": "57P03",
    "not permitted to log in": "28000",
}


class LibpqError(Exception):
    """
    What went wrong, as the server or libpq said it. Never leaves the engine.

    Attributes:
        sqlstate: five characters where the server answered, None where it did not.
        text: what was said, for finding out; not for showing.
    """

    def __init__(self, sqlstate: str | None, text: str) -> None:
        super().__init__(sqlstate or "no answer")
        self.sqlstate = sqlstate
        self.text = text


class TimedOut(LibpqError):
    """The time was up."""

    def __init__(self, doing: str) -> None:
        super().__init__(None, "timed out")
        self.doing = doing


def sqlstate(trace: str, text: str) -> tuple[str | None, str]:
    """Return a failed login's SQLSTATE and text, by the protocol's trace where there is one, else by the English words."""
    found = _ERROR.findall(trace)
    if found:
        state, message = found[-1]
        return state, message
    for phrase, state in _ENGLISH.items():
        if phrase in text:
            return state, text
    return None, text
