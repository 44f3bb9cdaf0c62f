"""
PostgreSQL. One password a role, so current stops opening when pending starts to: that window is kept short and measured.

What is sent is never a password but its verifier, made here as the server's ``password_encryption`` says, so neither a
statement nor the server's log holds one. The session that made the change stays open until a second login has proven it,
and puts current back if it has not (law 10).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rotators.errors import ConfigurationError, SecretError
from rotators.passwords import EXCLUDED
from rotators.secret import DatabaseSecret

if TYPE_CHECKING:
    from rotators.secret import Secret

ENGINES = frozenset({"postgres", "aurora-postgresql"})
PORT, DBNAME = 5432, "postgres"


class Postgres:
    """
    The PostgreSQL engine: ``postgres`` and ``aurora-postgresql``.

    Example:
        >>> handler = EngineRotator(Postgres())
    """

    name = "postgres"
    exclude_characters = EXCLUDED

    def resource(self, secret: Secret) -> dict[str, str]:
        """Return host, port, database, user and TLS: what pending must have in common with current (law 5)."""
        return _view(secret).resource()

    def test(self, secret: Secret) -> None:
        """Log in and read the time."""
        _driver("postgres_login").prove(_view(secret))

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """Change the role's password over a session of `by`, prove it, or put `like` back."""
        new, old = _view(secret), _view(like)
        _driver("postgres_change").change(_authority(by, new), new, old)


def _view(secret: Secret) -> DatabaseSecret:
    return DatabaseSecret.of(secret, engines=ENGINES, port=PORT, dbname=DBNAME)


def _authority(admin: Secret, target: DatabaseSecret) -> DatabaseSecret:
    """
    Read whose login makes the change: an older version's, or an admin's, which may be for our server alone (law 5).

    An admin's secret that RDS manages has only username and password.
    """
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


def _driver(module: str) -> Any:
    """Load what needs the driver when it is first needed: that costs a cold start 60 ms."""
    missing = ""
    try:
        return import_module(f"rotators.engines.{module}")
    except ImportError as error:
        missing = str(error)
    raise ConfigurationError(f"the PostgreSQL driver can't be loaded ({missing}): pip install 'rotators[postgres]'")
