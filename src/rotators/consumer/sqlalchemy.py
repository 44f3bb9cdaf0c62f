"""SQLAlchemy with a secret that is rotated: its event `do_connect`, for any driver, sync and async."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.util import await_only, greenlet_spawn

from rotators.consumer.database import read

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from rotators.consumer.cached import CachedSecret
    from rotators.consumer.version import SecretVersion

__all__ = ["use_secret"]

_TLS = {"psycopg": "psycopg", "psycopg_async": "psycopg", "psycopg2": "psycopg", "pymysql": "pymysql"}


def use_secret(engine: Engine | AsyncEngine, secret: CachedSecret) -> None:
    """
    Let an engine log in with a secret. The URL then needs no more than ``postgresql+psycopg://`` or ``mysql+pymysql://``.

    With psycopg, psycopg2 and PyMySQL, TLS is verified in full unless ``connect_args`` say otherwise; other drivers need it in
    ``connect_args``. Connections in the pool stay open through a rotation.

    Args:
        engine: of `create_engine` or `create_async_engine`, not used yet.
        secret: with ``host``, ``port``, ``username``, ``password`` and ``dbname``.

    Raises:
        sqlalchemy.exc.OperationalError: at connecting, as SQLAlchemy does.

    Example:
        >>> engine = create_engine("postgresql+psycopg://")
        >>> use_secret(engine, CachedSecret("shop/app"))
    """
    sync: Any = getattr(engine, "sync_engine", engine)

    def connect(dialect: Any, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> Any:
        def attempt(version: SecretVersion) -> Any:
            who = read(version)
            url = sync.url.set(
                username=who.username, password=who.password, host=who.host, port=who.port, database=who.dbname or None
            )
            arguments, login = dialect.create_connect_args(url)
            module = _TLS.get(dialect.driver)
            tls = import_module(f"rotators.consumer.{module}").tls(version, parameters) if module else {}
            return dialect.connect(*arguments, **{**tls, **parameters, **login})

        if not dialect.is_async:
            return secret.use(attempt)
        return await_only(secret.use_async(lambda version: greenlet_spawn(attempt, version)))

    event.listen(sync, "do_connect", connect)
