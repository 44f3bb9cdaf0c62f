"""Logging in to MySQL and MariaDB, and proving a credential by it."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rotators import deadline, telemetry
from rotators.addresses import addresses, remember
from rotators.engines.mysql.failures import login_failed
from rotators.engines.mysql.session import OURS, MySQLError, Session
from rotators.errors import ConfigurationError, RotatorsError, TargetUnreachable
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
    tls = _context(bundle, _stamp(bundle)) if bundle else None
    found = [at] if at else addresses(who.host, who.port)
    failure: RotatorsError = TargetUnreachable(f"{who.host} has no address", cause="dns")
    for number, address in enumerate(found):
        share = deadline.current().left() / (len(found) - number)
        try:
            session = Session.open(
                host=who.host,
                address=address,
                port=who.port,
                user=who.username,
                password=who.password,
                dbname=who.dbname,
                tls=tls,
                seconds=min(deadline.CONNECT, share),
            )
        except MySQLError as error:
            failure = login_failed(error, who, bundle)
            if error.number:
                break  # a server has spoken: the others are the same one
        else:
            remember(who.host, who.port, address)
            return session
    raise failure


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
            session.rows("SELECT NOW()")
        except MySQLError as error:
            failure = login_failed(error, who, "")
    if failure is not None:
        raise failure


def prepare(session: Session) -> None:
    """
    Make a session ours: quoting is the same whatever the server's sql_mode, names are quoted, it may write, and it outlives a
    proof.

    A server that waits for a lock goes on waiting when we have given up and gone, and makes the change when nobody looks any
    more. So it is told to give up first.

    Raises:
        MySQLError: it broke.
    """
    longest = max(1, int(deadline.current().left() / 3))
    settings = ["sql_quote_show_create = 1", "wait_timeout = 60", f"lock_wait_timeout = {longest}"]
    if session.is_mariadb:
        # Where a backup holds the lock, it goes by the first; by the last it wants verifiers of the form of 4.0.
        settings += [f"max_statement_time = {longest}", "tx_read_only = 0", "old_passwords = 0"]
    else:
        settings.append("transaction_read_only = 0")
    if _tried(session, f"{OURS}, {', '.join(settings)}"):
        return
    session.rows(OURS)
    for setting in settings:  # others of the family don't know all of them
        _tried(session, f"SET SESSION {setting}")


def _tried(session: Session, statement: str) -> bool:
    try:
        session.rows(statement)
    except MySQLError as error:
        if not error.number:
            raise
        return False
    return True


def _stamp(bundle: str) -> int:
    return Path(bundle).stat().st_mtime_ns if bundle else 0


@lru_cache(maxsize=4)
def _context(bundle: str, _: int) -> ssl.SSLContext:
    """Read the certificates once, and again when the file is another: that costs as much as the login itself."""
    problem = ""
    try:
        context = ssl.create_default_context(cafile=bundle)
    except (OSError, ssl.SSLError) as error:
        problem = type(error).__name__
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python 3.13 wants more of a CA's certificate than the C libraries do, and than MySQL's own tools put into one.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context
    raise ConfigurationError(f"the CA bundle {bundle} can't be read ({problem}): set ROTATORS_CA_BUNDLE to a PEM file")
