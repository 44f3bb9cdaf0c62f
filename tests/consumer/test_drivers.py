"""Each driver logs in to a real server after its cached value went stale, and under load through real rotations."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

import psycopg as driver
import pytest
from psycopg_pool import AsyncConnectionPool, ConnectionPool
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from rotators.consumer import CachedSecret, psycopg, pymysql, sqlalchemy
from rotators.testing import rotate
from tests.load import survives
from tests.servers import account

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mariadb import MariaDB
    from rotators.testing import SecretsManager
    from tests.world import World

NEW = "new-Canary-51c2"


def test_psycopg_its_pool_and_sqlalchemy(world: Callable[..., World]) -> None:
    app = world()
    secrets = [CachedSecret(app.arn, client=app.service.client()) for _ in range(3)]
    for secret in secrets:
        secret.get()
    app.set_password(NEW)
    app.put_current({**app.value(), "password": NEW})
    with psycopg.connect(secrets[0]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (app.username,)
    kind = psycopg.connection_class(secrets[1])
    with ConnectionPool(connection_class=kind, min_size=1, open=True) as pool, pool.connection(30) as pooled:
        assert pooled.execute("SELECT current_user").fetchone() == (app.username,)
    engine = create_engine("postgresql+psycopg://")
    sqlalchemy.use_secret(engine, secrets[2])
    with engine.connect() as opened:
        assert opened.execute(text("SELECT current_user")).scalar() == app.username
    engine.dispose()


def test_pymysql_and_sqlalchemy(mariadb: MariaDB, service: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(mariadb.ca_bundle))
    value: dict[str, Any] = account(mariadb)
    client = service.client()
    client.create_secret(Name="app", SecretString=json.dumps(value))
    secrets = [CachedSecret("app", client=client) for _ in range(2)]
    for secret in secrets:
        secret.get()
    mariadb.execute(f"ALTER USER '{value['username']}'@'%' IDENTIFIED BY '{NEW}'")
    client.put_secret_value(SecretId="app", SecretString=json.dumps({**value, "password": NEW}))
    pymysql.connect(secrets[0]).close()
    engine = create_engine("mysql+pymysql://")
    sqlalchemy.use_secret(engine, secrets[1])
    with engine.connect() as opened:
        assert opened.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


def shop(world: Callable[..., World], **more: Any) -> tuple[World, CachedSecret]:
    app = world()
    secret = CachedSecret(app.arn, client=app.service.client(), **more)
    secret.get()
    return app, secret


@pytest.mark.parametrize("pending", [False, True])
def test_a_pool_lives_through_rotations(world: Callable[..., World], pending: bool) -> None:
    """Its connections are closed after each use, so it logs in all the time, in threads of its own."""
    app, secret = shop(world, pending=pending)
    kind = psycopg.connection_class(secret)
    with ConnectionPool("application_name=pool", connection_class=kind, min_size=2, max_size=4, open=True) as pool:

        def request() -> None:
            with pool.connection(15) as connection:
                assert connection.execute("SHOW application_name").fetchone() == ("pool",)
                connection.close()

        survives(app, request)
        assert pool.get_stats()["connections_num"] > 10
        assert "connections_errors" not in pool.get_stats()


def test_an_asyncio_pool_lives_through_a_rotation(world: Callable[..., World]) -> None:
    app, secret = shop(world)
    behind = CachedSecret(app.arn, client=app.service.client())
    behind.get()

    async def all_of_it() -> int:
        kind, number = psycopg.async_connection_class(secret), 0
        async with AsyncConnectionPool(connection_class=kind, min_size=1, max_size=4, open=False) as pool:
            rotation = asyncio.create_task(asyncio.to_thread(rotate, app.service, app.arn, app.handler))
            while not rotation.done() or number < 5:
                async with pool.connection(15) as connection:
                    await connection.execute("SELECT 1")
                    await connection.close()
                number += rotation.done()
            assert "connections_errors" not in pool.get_stats()
            assert (await rotation).succeeded
        async with await psycopg.connect_async(behind) as connection:
            await connection.execute("SELECT 1")
        return number

    with app.log() as log:
        assert asyncio.run(all_of_it()) == 5
    assert any("password authentication failed" in line for line in log)


def test_sqlalchemy_lives_through_rotations(world: Callable[..., World]) -> None:
    app, secret = shop(world)
    engine = create_engine("postgresql+psycopg://", pool_size=2, max_overflow=4)
    sqlalchemy.use_secret(engine, secret)

    def request() -> None:
        with engine.connect() as connection:
            assert connection.execute(text("SELECT current_user")).scalar() == app.username
            connection.invalidate()

    survives(app, request)
    engine.dispose()


def test_sqlalchemy_in_asyncio_after_a_rotation(world: Callable[..., World]) -> None:
    app, secret = shop(world)
    assert rotate(app.service, app.arn, app.handler).succeeded

    async def user() -> Any:
        engine = create_async_engine("postgresql+psycopg://")
        sqlalchemy.use_secret(engine, secret)
        async with engine.connect() as connection:
            found = (await connection.execute(text("SELECT current_user"))).scalar()
        await engine.dispose()
        return found

    assert asyncio.run(user()) == app.username


def test_what_stays_refused_is_the_drivers_error_and_shows_nothing(
    world: Callable[..., World], caplog: pytest.LogCaptureFixture
) -> None:
    app, secret = shop(world, patience=0.0)
    app.set_password(NEW)
    caplog.set_level(logging.DEBUG)
    engine = create_engine("postgresql+psycopg://")
    sqlalchemy.use_secret(engine, secret)
    for attempt in (lambda: psycopg.connect(secret), engine.connect):
        with pytest.raises(
            (OperationalError, driver.OperationalError), match="password authentication failed"
        ) as raised:
            attempt()
        text_ = "".join(traceback.format_exception(raised.value))
        assert "Canary" not in text_ + repr(raised.value) + caplog.text
    engine.dispose()


def test_what_the_caller_says_overrules_the_secret(world: Callable[..., World]) -> None:
    app, secret = shop(world)
    with pytest.raises(driver.OperationalError, match="no_such_place"):
        psycopg.connect(secret, host="no_such_place.invalid")
    kind = psycopg.connection_class(secret)
    with pytest.raises(driver.OperationalError, match="no_such_database"):
        kind.connect("dbname=no_such_database")
    assert app.username not in repr(kind)
