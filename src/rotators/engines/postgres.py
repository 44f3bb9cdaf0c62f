"""
PostgreSQL. One password a role, so current stops opening when pending starts to: that window is kept short and measured.

What is sent is never a password but its verifier, made here as the server's ``password_encryption`` says, so neither a
statement nor the server's log holds one. The session that made the change stays open until a second login has proven it,
and puts current back if it has not (law 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators import deadline
from rotators.addresses import addresses
from rotators.errors import (
    ConfigurationError,
    RotatorsError,
    SecretError,
    TargetUnreachable,
)
from rotators.secret import DatabaseSecret
from rotators.tls import ca_bundle

if TYPE_CHECKING:
    from rotators.engines.libpq import LibpqError, Session
    from rotators.secret import Secret

ENGINES = frozenset({"postgres", "aurora-postgresql"})
PORT, DBNAME = 5432, "postgres"
#: Longest time, in seconds, that proving a change may need; a change is not begun with less (law 13).
PROOF = 2.0
CONFLICTS = 10


class Postgres:
    """
    The PostgreSQL engine: ``postgres`` and ``aurora-postgresql``.

    Example:
        >>> handler = EngineRotator(Postgres())
    """

    name = "postgres"
    #: AWS's default for PostgreSQL: what breaks connection URLs and shells.
    exclude_characters = ":/@\"'\\"

    def resource(self, secret: Secret) -> dict[str, str]:
        """Return host, port, database, user and TLS: what pending must have in common with current (law 5)."""
        return _view(secret).resource()

    def test(self, secret: Secret) -> None:
        """Log in and read the time."""
        self.prove(_view(secret))

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """Change the role's password over a session of `by`, prove it, or put `like` back."""
        new, old = _view(secret), _view(like)
        authority = _admin(by, new) if by.get("username") != new.username else _view(by)
        with self.login(authority) as session:
            from rotators.engines.postgres_change import Change  # noqa: PLC0415 - loads the driver

            Change(self, session, authority, new, old).run()

    def prove(self, who: DatabaseSecret) -> None:
        """Log in and do one harmless read."""
        with self.login(who) as session:
            failure: RotatorsError | None = None
            try:
                session.rows("SELECT pg_catalog.now()")
            except _libpq_error() as error:
                failure = TargetUnreachable(
                    f"{who.host}:{who.port} let {who.username!r} in, and then did not answer ({error})", cause="dropped"
                )
        if failure is not None:
            raise failure

    def login(self, who: DatabaseSecret) -> Session:
        """Log in; each address of the host is tried until one answers."""
        from rotators.engines import postgres_failures as failures  # noqa: PLC0415
        from rotators.engines.libpq import Session, TimedOut  # noqa: PLC0415

        bundle = ca_bundle() if who.tls else ""
        if not who.tls:
            _warn(f'"ssl" is false in the secret: the login to {who.host}:{who.port} is not encrypted')
        found = addresses(who.host, who.port)
        failure: RotatorsError | None = None
        for number, address in enumerate(found):
            share = deadline.current().left() / (len(found) - number)
            wait = min(deadline.CONNECT, share)
            try:
                return Session.open({**_parameters(who, bundle), "hostaddr": address}, seconds=wait)
            except _libpq_error() as error:
                failure = failures.login_failed(error, who, bundle)
                if error.sqlstate is not None or (isinstance(error, TimedOut) and deadline.current().left() <= 0):
                    break
        raise failure or TargetUnreachable(f"{who.host} has no address", cause="dns")


def _view(secret: Secret) -> DatabaseSecret:
    return DatabaseSecret.of(secret, engines=ENGINES, port=PORT, dbname=DBNAME)


def _admin(admin: Secret, target: DatabaseSecret) -> DatabaseSecret:
    """Read an admin's secret. One that RDS manages has only username and password; one that names a host names ours (law 5)."""
    filled = admin if admin.get("port") is not None else admin.replace(port=target.port)
    view = DatabaseSecret.of(filled, engines=ENGINES, port=target.port, dbname=target.dbname, host=target.host)
    if (view.resource()["host"], view.port) != (target.resource()["host"], target.port):
        raise SecretError(
            "the secret that 'masterarn' names is for another host or port than this one; it was not used"
        )
    if target.tls and not view.tls:
        raise SecretError(
            "the secret that 'masterarn' names says \"ssl\": false, and this one does not; it was not used"
        )
    return view


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


def _libpq_error() -> type[LibpqError]:
    """Load the driver when it is first needed: importing it costs a cold start 60 ms."""
    try:
        from rotators.engines.libpq import LibpqError  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError("the PostgreSQL driver is missing: pip install 'rotators[postgres]'") from None
    return LibpqError


def _warn(text: str) -> None:
    from rotators import telemetry  # noqa: PLC0415

    telemetry.warn(text)
