"""PyMySQL with a secret that is rotated, for MySQL and MariaDB."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pymysql

from rotators.consumer.database import read
from rotators.tls import ca_bundle

if TYPE_CHECKING:
    from pymysql.connections import Connection

    from rotators.consumer.cached import CachedSecret
    from rotators.consumer.version import SecretVersion

__all__ = ["connect"]


def connect(secret: CachedSecret, **parameters: Any) -> Connection[Any]:
    """
    Log in to MySQL or MariaDB. A refused login is made again with the right version.

    TLS is verified in full (``ROTATORS_CA_BUNDLE`` or the system's authorities), but where the secret says ``"ssl": false`` or
    the parameters say otherwise. In asyncio: ``await asyncio.to_thread(connect, secret)``.

    Args:
        secret: with ``host``, ``port``, ``username``, ``password`` and, if there is one, ``dbname``.
        parameters: of `pymysql.connect`; each overrules the secret.

    Raises:
        pymysql.err.OperationalError: as PyMySQL does.
        SecretUnreadable, SecretError, ConfigurationError: the secret could not be read, or is no database's.

    Example:
        >>> with connect(CachedSecret("shop/app")) as connection, connection.cursor() as cursor:
        ...     cursor.execute("SELECT 1")
    """
    return secret.use(lambda version: pymysql.connect(**login(version, parameters)))


def login(version: SecretVersion, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return PyMySQL's parameters."""
    who = read(version)
    found = {"host": who.host, "port": who.port, "user": who.username, "password": who.password}
    return {**found, "database": who.dbname or None, **tls(version, parameters), **parameters}


def tls(version: SecretVersion, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return PyMySQL's parameters of TLS, where the caller gave none."""
    if any(name.startswith("ssl") for name in parameters):
        return {}
    if not read(version).tls:
        return {"ssl_disabled": True}
    context = ssl.create_default_context(cafile=ca_bundle())
    # Python 3.13 wants more of a CA's certificate than the C libraries do, and than MySQL's own tools put into one.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return {"ssl": context}
