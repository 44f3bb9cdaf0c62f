"""
``ROTATORS_HOST_ALIASES``: which names are of the same server, by the word of whoever runs the function.

Groups are parted by commas, the names of a group by ``=``; a name may carry a port. A group of one name says no more than
that we know this host: that is enough for an admin's secret that names none.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from rotators.database_secret import MAX_PORT
from rotators.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "ROTATORS_HOST_ALIASES"
EXAMPLE = '"db.example.com=proxy.example.com, main.example.com:5432=pool.example.com:6432"'

#: An address of version 6 has colons of its own: it stands in brackets, or has no port.
_NAME = re.compile(r"\[(?P<six>[^\[\]\s]+)\](?::(?P<port6>\d{1,5}))?|(?P<host>[^\s:/@\[\]]+)(?::(?P<port>\d{1,5}))?")
_BARE = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


class Name(NamedTuple):
    """One name of a group; without a port it stands for the host with any."""

    host: str
    port: int | None

    def fits(self, host: str, port: int | None) -> bool:
        """Say whether it names that server; None for whatever port."""
        return self.host == normal(host) and (self.port is None or port in {None, self.port})


def known(host: str, port: int | None) -> bool:
    """
    Say whether a server stands in the variable at all; None for whatever port.

    Raises:
        ConfigurationError: the variable can't be read.
    """
    return any(name.fits(host, port) for group in _groups() for name in group)


def same(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """
    Say whether two (host, port) are the same server: both stand in one group.

    The ports must be the same too, unless the group names both.

    Raises:
        ConfigurationError: the variable can't be read.

    Example:
        >>> os.environ["ROTATORS_HOST_ALIASES"] = "db.example.com=proxy.example.com"
        >>> same(("db.example.com", 5432), ("proxy.example.com", 5432))
        True
    """
    for group in _groups():
        for mine in group:
            for theirs in group:
                ports = one[1] == other[1] or (mine.port is not None and theirs.port is not None)
                if ports and mine.fits(*one) and theirs.fits(*other):
                    return True
    return False


def normal(host: str) -> str:
    """Return a host as it is compared: without regard to case, brackets and a last dot."""
    return host.removeprefix("[").removesuffix("]").removesuffix(".").lower()


def _groups() -> Iterator[list[Name]]:
    text = os.environ.get(VARIABLE, "")
    for group in text.split(",") if text.strip() else ():
        yield [_name(part.strip()) for part in group.split("=")]


def _name(text: str) -> Name:
    if _BARE.fullmatch(text):
        return Name(normal(text), None)
    found = _NAME.fullmatch(text)
    port = (found["port6"] or found["port"]) if found else None
    if not found or (port is not None and not 0 < int(port) <= MAX_PORT):
        raise ConfigurationError(
            f"{VARIABLE} can't be read at {text!r}: it holds groups of names of one server, such as {EXAMPLE}"
        )
    return Name(normal(found["six"] or found["host"]), int(port) if port else None)
