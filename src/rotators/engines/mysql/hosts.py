"""
Which of a user's accounts a server lets a client in by: of those whose host fits, the most specific one.

The two servers agree on what fits and not on what is more specific. Source: MySQL reference manual, "Access Control, Stage 1:
Connection Verification"; MariaDB knowledge base, "CREATE USER"; and both of them asked, account by account.
"""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rotators.engines.mysql.accounts import Account

#: Characters a host has at most, for MariaDB's guess at how many hosts a pattern fits.
LONGEST = 255
_WILD = re.compile(r"\\(.)|([%_])")


def serving(found: Sequence[Account], client: str, *, address: str = "", mariadb: bool = False) -> Account | None:
    """
    Return the account by which a server lets a client in, None where there is none.

    Args:
        found: a user's accounts.
        client: the client's host as the server says it, a name where it looks names up, else an address.
        address: the client's address, for a server that says a name.
        mariadb: which of the two it is.
    """
    came = (client, address if _address(client) is None else client)
    fitting = [account for account in found if fits(account.host, *came, mariadb=mariadb)]
    order: Callable[[str], tuple[int, ...]] = _mariadb_order if mariadb else _mysql_order
    return min(fitting, key=lambda account: order(account.host), default=None)


def fits(host: str, client: str, address: str, *, mariadb: bool) -> bool:
    """Say whether a client may come in by an account of this host."""
    network = _network(host, mariadb=mariadb)
    came = _address(address)
    if network is not None and came is not None:
        value, mask = network
        return came & mask == value
    pattern = _pattern(host or "%")
    return bool(pattern.fullmatch(client) or (address and pattern.fullmatch(address)))


def _pattern(host: str) -> re.Pattern[str]:
    """Read a host's wildcards; a backslash takes the meaning from the next character."""
    out, at = "", 0
    for match in _WILD.finditer(host):
        out += re.escape(host[at : match.start()])
        out += re.escape(match[1]) if match[1] else {"%": ".*", "_": "."}[match[2]]
        at = match.end()
    return re.compile(out + re.escape(host[at:]), re.IGNORECASE | re.DOTALL)


def _network(host: str, *, mariadb: bool) -> tuple[int, int] | None:
    """Return value and mask of a host that is a network of version 4, None for any other. MariaDB has no short form of it."""
    text, slash, mask = host.partition("/")
    value = _address(text)
    if value is None or not slash:
        return None
    if mask.isdecimal() and not mariadb and int(mask) <= 32:  # noqa: PLR2004 - bits
        return value, (0xFFFFFFFF << 32 - int(mask)) & 0xFFFFFFFF
    bits = _address(mask)
    return None if bits is None else (value, bits)


def _address(text: str) -> int | None:
    with suppress(ValueError):
        return int(ipaddress.IPv4Address(text))
    return None


def _mysql_order(host: str) -> tuple[int, ...]:
    """Addresses first, then networks with a prefix, then those with a mask, then by what stands before the first wildcard."""
    network, mask = _network(host, mariadb=False), host.partition("/")[2]
    if _address(host) is not None:
        return (0, 0)
    if network is not None:
        return (1 if mask.isdecimal() else 2, -network[1])
    wild = _WILD.search(host)
    while wild and wild[1]:
        wild = _WILD.search(host, wild.end())
    if wild is None:
        return (3, 0) if host else (5, 0)
    return (4, 0 if host != "%" else 1, -wild.start())


def _mariadb_order(host: str) -> tuple[int, ...]:
    """The fewer hosts a pattern fits the sooner it comes: no wildcard, then a fixed length, then the more that is fixed."""
    many = one = fixed = before = 0
    for match in re.finditer(r"\\(.)|(%+)|(_)|(.)", host, re.DOTALL):
        if match[2] or match[3]:
            before = before if many or one else fixed
            many += bool(match[2])
            one += bool(match[3])
        else:
            fixed += 1
    free = LONGEST - fixed - one if many else 0
    return (2 * free + 1, many, one, before) if free > one else (2 * one, free, many, before)
