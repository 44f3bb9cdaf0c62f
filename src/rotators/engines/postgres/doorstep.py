"""
Logins halted at the server's door: connected, TLS and all, before a change, to prove it with the less delay after it.

While a role's password is changed AWSCURRENT does not open, until the label has moved: three logins later, one each in
setSecret, testSecret and finishSecret. Half of a login is connecting, forking and the TLS handshake, and needs no password;
the server looks that up when it is told who comes. So those halves are had before the change, and every proof is still a
real login, made when its step says so.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from rotators import deadline
from rotators.engines.postgres.libpq import Opening
from rotators.engines.postgres.libpq_errors import LibpqError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.database_secret import DatabaseSecret

#: How many proofs follow a change: setSecret's, testSecret's, finishSecret's.
PROOFS = 3
#: Seconds one is kept for a step that may come to this sandbox, by the wall clock: a frozen sandbox's other clock stands still.
KEEP = 10.0
#: Longest time, in seconds, spent on one.
KNOCK = 1.0

_lock = threading.Lock()
_waiting: list[tuple[DatabaseSecret, float, Opening]] = []


def wait(who: DatabaseSecret, parameters: Mapping[str, str], address: str) -> None:
    """Put logins of `who` before the door. Where that can't be had, nothing is lost: a login is made from its beginning."""
    clear()
    for _ in range(PROOFS):
        opening = Opening(parameters, address=address)
        try:
            opening.halt(seconds=deadline.current().wait(KNOCK))
        except LibpqError:
            opening.abandon()
            return
        with _lock:
            _waiting.append((who, time.time(), opening))


def take(who: DatabaseSecret) -> Opening | None:
    """Return a login of `who` that waits, None where there is none, or none that is fresh."""
    found: Opening | None = None
    with _lock:
        for entry in [entry for entry in _waiting if entry[0] == who]:
            _waiting.remove(entry)
            if 0 <= time.time() - entry[1] <= KEEP:
                found = entry[2]
                break
            entry[2].abandon()
    return found


def clear() -> None:
    """Drop what waited too long: a rotation that failed, or whose next step went to another sandbox."""
    with _lock:
        for entry in [entry for entry in _waiting if not 0 <= time.time() - entry[1] <= KEEP]:
            _waiting.remove(entry)
            entry[2].abandon()
