"""psycopg, and its pool, with a secret that is rotated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from rotators.consumer.database import read
from rotators.tls import ca_bundle

if TYPE_CHECKING:
    from rotators.consumer.cached import CachedSecret
    from rotators.consumer.version import SecretVersion

__all__ = ["async_connection_class", "connect", "connect_async", "connection_class"]


def connect(secret: CachedSecret, **parameters: Any) -> psycopg.Connection[Any]:
    """
    Log in to PostgreSQL. A refused login is made again with the right version.

    TLS is verified in full (``ROTATORS_CA_BUNDLE`` or the system's authorities), but where the secret says ``"ssl": false`` or
    the parameters say otherwise.

    Args:
        secret: with ``host``, ``port``, ``username``, ``password`` and ``dbname``.
        parameters: of `psycopg.connect`; each overrules the secret.

    Raises:
        psycopg.OperationalError: as psycopg does.
        SecretUnreadable, SecretError, ConfigurationError: the secret could not be read, or is no database's.

    Example:
        >>> with connect(CachedSecret("shop/app")) as connection:
        ...     connection.execute("SELECT 1")
    """
    return secret.use(lambda version: psycopg.connect(**login(version, parameters)))


async def connect_async(secret: CachedSecret, **parameters: Any) -> psycopg.AsyncConnection[Any]:
    """
    Log in as `connect` does, for asyncio.

    Args:
        secret: as for `connect`.
        parameters: of `psycopg.AsyncConnection.connect`.

    Example:
        >>> async with await connect_async(CachedSecret("shop/app")) as connection:
        ...     await connection.execute("SELECT 1")
    """

    async def attempt(version: SecretVersion) -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(**login(version, parameters))

    return await secret.use_async(attempt)


def connection_class(secret: CachedSecret) -> type[psycopg.Connection[Any]]:
    """
    Return the class of a pool's connections: each logs in as `connect` does, so the pool needs no conninfo.

    Connections that are open stay open; PostgreSQL asks for the password at login alone.

    Example:
        >>> ConnectionPool(connection_class=connection_class(CachedSecret("shop/app")), open=True)
    """

    class Connection(psycopg.Connection[Any]):
        @classmethod
        def connect(cls, conninfo: str = "", **parameters: Any) -> Any:
            base, given = super().connect, {**conninfo_to_dict(conninfo), **parameters}
            return secret.use(lambda version: base(**login(version, given)))

    return Connection


def async_connection_class(secret: CachedSecret) -> type[psycopg.AsyncConnection[Any]]:
    """
    Return the same for an AsyncConnectionPool.

    Example:
        >>> AsyncConnectionPool(connection_class=async_connection_class(CachedSecret("shop/app")), open=False)
    """

    class Connection(psycopg.AsyncConnection[Any]):
        @classmethod
        async def connect(cls, conninfo: str = "", **parameters: Any) -> Any:
            base, given = super().connect, {**conninfo_to_dict(conninfo), **parameters}

            async def attempt(version: SecretVersion) -> Any:
                return await base(**login(version, given))

            return await secret.use_async(attempt)

    return Connection


def login(version: SecretVersion, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return libpq's parameters."""
    who = read(version)
    found = {"host": who.host, "port": who.port, "user": who.username, "password": who.password, "dbname": who.dbname}
    return {**found, **tls(version, parameters), **parameters}


def tls(version: SecretVersion, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return libpq's parameters of TLS, where the caller gave none."""
    if parameters.keys() & {"sslmode", "sslrootcert"}:
        return {}
    return {"sslmode": "verify-full", "sslrootcert": ca_bundle()} if read(version).tls else {"sslmode": "disable"}
