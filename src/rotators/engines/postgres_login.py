"""Logging in to PostgreSQL, and proving a credential by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators import deadline, telemetry
from rotators.addresses import addresses
from rotators.engines.libpq import LibpqError, Session
from rotators.engines.postgres_failures import login_failed
from rotators.errors import RotatorsError, TargetUnreachable
from rotators.tls import ca_bundle

if TYPE_CHECKING:
    from rotators.secret import DatabaseSecret


def login(who: DatabaseSecret) -> Session:
    """
    Open a session; each address of the host is tried until one answers.

    Raises:
        CredentialRejected: refused.
        TargetUnreachable, SecretError, ConfigurationError: could not be asked, and what to do about it.

    Example:
        >>> with login(secret) as session: ...
    """
    bundle = ca_bundle() if who.tls else ""
    if not who.tls:
        telemetry.warn(f'"ssl" is false in the secret: the login to {who.host}:{who.port} is not encrypted')
    found = addresses(who.host, who.port)
    failure: RotatorsError = TargetUnreachable(f"{who.host} has no address", cause="dns")
    for number, address in enumerate(found):
        share = deadline.current().left() / (len(found) - number)
        try:
            return Session.open({**_parameters(who, bundle), "hostaddr": address}, seconds=min(deadline.CONNECT, share))
        except LibpqError as error:
            failure = login_failed(error, who, bundle)
            if error.sqlstate is not None:
                break  # a server has spoken: the others are the same one
    raise failure


def prove(who: DatabaseSecret) -> None:
    """
    Log in and do one harmless read.

    Raises:
        CredentialRejected: refused.
        TargetUnreachable, SecretError, ConfigurationError: could not be asked.
    """
    failure: RotatorsError | None = None
    with login(who) as session:
        try:
            session.rows("SELECT pg_catalog.now()")
        except LibpqError as error:
            at = f"{who.host}:{who.port}"
            failure = TargetUnreachable(
                f"{at} let {who.username!r} in, and then did not answer ({error})", cause="dropped"
            )
    if failure is not None:
        raise failure


def _parameters(who: DatabaseSecret, bundle: str) -> dict[str, str]:
    tls = {"sslmode": "verify-full", "sslrootcert": bundle} if who.tls else {"sslmode": "disable"}
    return {
        "host": who.host,
        "port": str(who.port),
        "user": who.username,
        "password": who.password,
        "dbname": who.dbname,
        "application_name": "rotators",
        "client_encoding": "UTF8",
        "options": "",  # nothing from PGOPTIONS
        "gssencmode": "disable",
        "sslcertmode": "disable",
        **tls,
    }
