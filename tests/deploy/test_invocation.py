"""A rotation by nothing but the artifact, under Lambda's own runtime: each function, and the drivers that it loads."""

from __future__ import annotations

import ssl
import sys
import uuid
from typing import TYPE_CHECKING, Any

import psycopg
import pymysql
import pytest

from rotators.lab.redis import Redis
from tests.api_key.courier import DESCRIPTION, Courier
from tests.deploy.runtime import Function
from tests.deploy.sam import FUNCTIONS
from tests.deploy.sample import Sample, runtime
from tests.iam.stand_in import IAM
from tests.redis.target import RedisTarget
from tests.servers import account

if TYPE_CHECKING:
    from pathlib import Path

    from rotators.lab.server import Server
    from tests.deploy.cloudformation import Stack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a Lambda artifact holds Linux libraries")

OLD = "0ld password, ünlike the new"


@pytest.mark.parametrize(
    "function, database, plugin, drivers",
    [
        ("PostgresRotation", "postgres_server", "", {"psycopg"}),
        ("MySQLRotation", "mariadb", "ed25519", {"pymysql", "nacl"}),
        ("DatabaseRotation", "postgres_server", "", {"psycopg"}),
        ("DatabaseRotation", "mariadb", "mysql_native_password", {"pymysql"}),
    ],
)
def test_the_sample_events_rotate_a_real_password(
    artifact: Path,
    sam: Path,
    stack: Stack,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    function: str,
    database: str,
    plugin: str,
    drivers: set[str],
) -> None:
    server: Server = request.getfixturevalue(database)
    secret = made(server, plugin)
    sample = Sample(secret)
    sample.rotate(sam, artifact, stack, function, tmp_path, {"ROTATORS_CA_BUNDLE": str(server.ca_bundle or "")})

    assert sample.loaded == drivers
    assert sample.new == secret | {"password": sample.new["password"]}
    assert opens(server, sample.new)
    assert not opens(server, secret)
    assert OLD not in sample.output
    assert sample.new["password"] not in sample.output


def test_the_sample_events_rotate_a_key(artifact: Path, sam: Path, stack: Stack, tmp_path: Path) -> None:
    """Of a described provider, by what Lambda's runtime brings: urllib3 is not in the artifact."""
    courier = Courier()
    secret = courier.value()
    sample = Sample(secret)
    sample.rotate(sam, artifact, stack, "ApiKeyRotation", tmp_path, {"ROTATORS_PROVIDER": str(DESCRIPTION)})
    courier.close()

    assert not sample.loaded
    assert sample.new == secret | {"api_key": sample.new["api_key"], "key_id": sample.new["key_id"]}
    assert sample.new["key_id"] != secret["key_id"]
    assert courier.holds(sample.new)
    assert not [key for key in courier.ever if key in sample.output]


def test_the_sample_events_rotate_an_access_key(artifact: Path, sam: Path, stack: Stack, tmp_path: Path) -> None:
    with IAM() as iam:
        iam.role = ("testing", "testing")
        user = iam.user("relay")
        key = iam.key(user)
        sample = Sample({"access_key_id": key.id, "secret_access_key": key.secret})
        endpoints = {"AWS_ENDPOINT_URL_IAM": iam.url, "AWS_ENDPOINT_URL_STS": iam.url}
        sample.rotate(sam, artifact, stack, "AccessKeyRotation", tmp_path, endpoints)

        assert not sample.loaded
        assert iam.opens(sample.new["access_key_id"], sample.new["secret_access_key"])
    assert set(user.keys) == {key.id, sample.new["access_key_id"]}
    assert key.secret not in sample.output
    assert sample.new["secret_access_key"] not in sample.output


def test_the_sample_events_rotate_a_redis_users_password(
    artifact: Path, sam: Path, stack: Stack, tmp_path: Path
) -> None:
    with Redis.start() as server:
        target = RedisTarget(server)
        secret = target.account("app", OLD)
        sample = Sample(secret)
        sample.rotate(
            sam, artifact, stack, "RedisRotation", tmp_path, {"ROTATORS_CA_BUNDLE": str(server.ca_bundle or "")}
        )

        assert sample.loaded == {"redis"}
        assert target.opens(sample.new)
        assert target.opens(secret)  # the old one lives until the next
    assert OLD not in sample.output
    assert sample.new["password"] not in sample.output


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_refusal_is_an_error_of_the_invocation(
    artifact: Path, sam: Path, stack: Stack, tmp_path: Path, function: str
) -> None:
    with Function(
        sam,
        artifact,
        provided=runtime(tmp_path),
        handler=stack.of_type("AWS::Lambda::Function")[function]["Handler"],
        variables={},
        log=tmp_path / "log",
    ) as running:
        answer = running.invoke({"Step": "create_secret", "SecretId": "x", "ClientRequestToken": "t"})

    assert answer["errorType"] == "RotationRefused"
    assert "createSecret" in answer["errorMessage"]


def made(server: Any, plugin: str) -> dict[str, Any]:
    """Make a user whose password is OLD; returns its secret."""
    if plugin:
        return account(server, password=OLD, plugin=plugin)
    name = f"artifact_{uuid.uuid4().hex[:12]}"
    server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{OLD}'")
    secret: dict[str, Any] = server.secret(name, OLD)
    return secret


def opens(server: Server, value: dict[str, Any]) -> bool:
    """Log in by the driver itself."""
    where = {"host": value["host"], "port": value["port"], "user": value["username"]}
    bundle = str(server.ca_bundle) if server.ca_bundle else None
    try:
        if value["engine"] == "postgres":
            trust: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": bundle} if bundle else {}
            psycopg.connect(**where, dbname=value["dbname"], password=value["password"], **trust).close()
        else:
            tls = ssl.create_default_context(cafile=bundle) if bundle else None
            pymysql.connect(**where, password=value["password"].encode(), ssl=tls).close()
    except psycopg.OperationalError as error:
        assert "password authentication failed" in str(error)
        return False
    except pymysql.err.OperationalError as error:
        assert error.args[0] == 1045
        return False
    return True
