"""Logging in to PostgreSQL, and proving a credential by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators import deadline, telemetry
from rotators.addresses import addresses, remember
from rotators.engines.postgres import doorstep
from rotators.engines.postgres.failures import login_failed
from rotators.engines.postgres.libpq import Session
from rotators.engines.postgres.libpq_errors import LibpqError
from rotators.errors import RotatorsError, TargetUnreachable
from rotators.tls import ca_bundle

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret


def login(who: DatabaseSecret, *, at: str | None = None) -> Session:
    """
    Open a session; each address of the host is tried until one answers, the one that answered last first.

    Args:
        who: the credential.
        at: the one address to use: what a change is proven on is the server that was changed.

    Raises:
        CredentialRejected: refused.
        TargetUnreachable, SecretError, ConfigurationError: could not be asked, and what to do about it.

    Example:
        >>> with login(secret) as session: ...
    """
    bundle = ca_bundle() if who.tls else ""
    if not who.tls:
        telemetry.warn(f'"ssl" is false in the secret: the login to {who.host}:{who.port} is not encrypted')
    waiting = _from_the_doorstep(who, at, bundle)
    if waiting is not None:
        return waiting
    found = [at] if at else addresses(who.host, who.port)
    failure: RotatorsError = TargetUnreachable(f"{who.host} has no address", cause="dns")
    for number, address in enumerate(found):
        share = deadline.current().left() / (len(found) - number)
        try:
            parameters = {**_parameters(who, bundle), "hostaddr": address}
            session = Session.open(parameters, address=address, seconds=min(deadline.CONNECT, share))
        except LibpqError as error:
            failure = login_failed(error, who, bundle)
            if error.sqlstate is not None:
                break  # a server has spoken: the others are the same one
        else:
            remember(who.host, who.port, address)
            return session
    raise failure


def stand_by(who: DatabaseSecret, at: str) -> None:
    """Connect for the proofs of a change that is about to be made."""
    doorstep.wait(who, {**_parameters(who, ca_bundle() if who.tls else ""), "hostaddr": at}, at)


def _from_the_doorstep(who: DatabaseSecret, at: str | None, bundle: str) -> Session | None:
    """Go on with a login that waits; None where there is none, or where the server let it fall without a word."""
    opening = doorstep.take(who)
    if opening is None:
        return None
    failure: RotatorsError | None = None
    try:
        session = opening.finish(seconds=deadline.current().wait(deadline.CONNECT))
    except LibpqError as error:
        if error.sqlstate is not None:
            failure = login_failed(error, who, bundle)
    else:
        if at in {None, session.address}:
            return session
        session.close()
    if failure is not None:
        raise failure
    return None


def prove(who: DatabaseSecret, *, at: str | None = None) -> None:
    """
    Log in and do one harmless read.

    Raises:
        CredentialRejected: refused.
        TargetUnreachable, SecretError, ConfigurationError: could not be asked.
    """
    failure: RotatorsError | None = None
    with login(who, at=at) as session:
        try:
            session.rows("SELECT pg_catalog.now()")
        except LibpqError as error:
            where = f"{who.host}:{who.port}"
            failure = TargetUnreachable(
                f"{where} let {who.username!r} in, and then did not answer ({error})", cause="dropped"
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
        # What follows are libpq's own defaults, said so that no PG… variable says otherwise.
        "target_session_attrs": "any",
        "load_balance_hosts": "disable",
        "sslnegotiation": "postgres",
        "ssl_min_protocol_version": "TLSv1.2",
        **tls,
    }
