"""Each driver logs in to a real server after its cached value went stale."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from psycopg_pool import ConnectionPool
from sqlalchemy import create_engine, text

from rotators.consumer import CachedSecret, psycopg, pymysql, sqlalchemy
from tests.servers import account

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

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
