"""A session's turn at roles: the session made ours, the roles' locks taken, the server looked at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rotators import deadline, telemetry
from rotators.engines.postgres import failures

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret
    from rotators.engines.postgres.libpq import Session

#: A change that a crash of the server could take back is not one to move a label for.
DURABLE = (
    "SELECT pg_catalog.set_config('synchronous_commit', 'local', false) "
    "WHERE pg_catalog.current_setting('synchronous_commit') = 'off'"
)


@dataclass(frozen=True, slots=True)
class Turn:
    """
    What was found when the turn came.

    Attributes:
        waited: whether another rotation had the locks before.
        algorithm: of the verifiers to be made, as the server's ``password_encryption`` says.
    """

    waited: bool
    algorithm: str


def take(session: Session, authority: DatabaseSecret, *roles: str) -> Turn:
    """
    Make a session ours and take the locks of `roles`, in the order given; they are held until the session ends.

    Raises:
        ChangeRefused: the server is a standby.
        LibpqError: the server refused, or the connection broke.
    """
    tries = " AND ".join(f"pg_catalog.pg_try_advisory_lock({key(role)})" for role in roles)
    ((locked, standby, encryption),) = session.rows(
        f"{ours(deadline.current().wait(deadline.CONNECT))} SELECT {tries}, pg_catalog.pg_is_in_recovery(), "
        "pg_catalog.current_setting('password_encryption')"
    )
    if standby == "t":
        raise failures.read_only(authority)
    if locked != "t":
        for role in roles:
            session.rows(f"SELECT pg_catalog.pg_advisory_lock({key(role)})")
    algorithm = "scram-sha-256"
    if encryption in {"md5", "on"}:
        algorithm = "md5"
        telemetry.warn("the server's password_encryption is md5, which is weak: set it to scram-sha-256")
    return Turn(locked != "t", algorithm)


def key(role: str) -> int:
    """Return the number of a role's advisory lock. Such locks are a database's: an admin elsewhere takes another."""
    return int.from_bytes(hashlib.blake2b(role.encode(), digest_size=8).digest(), signed=True)


def ours(seconds: float) -> str:
    """
    Return the statements that make a session ours: no setting of its role's makes a change fail or last.

    ``SET ROLE NONE`` because a role with ``ALTER ROLE … SET ROLE owner`` can't change its own password.

    Args:
        seconds: the longest one statement may take.
    """
    milliseconds = max(1, int(seconds * 1000))
    return (
        "SET ROLE NONE; SET search_path = pg_catalog; SET default_transaction_read_only = off; "
        f"SET statement_timeout = {milliseconds}; SET lock_timeout = {milliseconds * 9 // 10}; {DURABLE};"
    )
