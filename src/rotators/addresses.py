"""A host's addresses, looked up within the time left (law 13): the C library's own look-up can hang for half a minute."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from rotators import deadline
from rotators.errors import TargetUnreachable
from rotators.waiting import within

LOOKUP = 5.0

#: The address that answered last, by host and port: a dead one among several is waited for once, not at every login.
_good: dict[tuple[str, int], str] = {}


def remember(host: str, port: int, address: str) -> None:
    """Note that an address of a host has answered: it is tried first from now on."""
    _good[host, port] = address


def addresses(host: str, port: int) -> list[str]:
    """
    Return the host's addresses, in the order to try them.

    Raises:
        TargetUnreachable: there is no such name, or no answer in time; `cause` is ``dns``.

    Example:
        >>> addresses("127.0.0.1", 5432)
        ['127.0.0.1']
    """
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return [host]
    query = {"host": host, "port": port, "type": socket.SOCK_STREAM}
    answers: list[Any] = []
    problem = ""
    try:
        answers = within(deadline.current().wait(LOOKUP), socket.getaddrinfo, query)
    except TimeoutError:
        pass
    except OSError as error:
        problem = error.strerror or type(error).__name__
    except UnicodeError:
        problem = "not a valid name"
    if problem:
        raise TargetUnreachable(
            f"DNS does not know the host {host!r} ({problem}): check 'host' in the secret and the function's VPC",
            cause="dns",
        )
    if not answers:
        raise TargetUnreachable(
            f"DNS did not answer for the host {host!r} in time: check the function's VPC, subnets and resolver",
            cause="dns",
        )
    found = list(dict.fromkeys(str(address[0]) for *_, address in answers))
    return sorted(found, key=lambda address: address != _good.get((host, port)))
