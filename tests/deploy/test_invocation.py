"""A rotation by nothing but the artifact, under Lambda's own runtime: each function, and the drivers that it loads."""

from __future__ import annotations

import json
import shutil
import ssl
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pymysql
import pytest

from rotators.testing import Endpoint, SecretsManager
from tests.api_key.courier import DESCRIPTION, Courier
from tests.deploy.runtime import Function, provide
from tests.deploy.sam import FUNCTIONS, ROOT
from tests.servers import account

if TYPE_CHECKING:
    from rotators.lab.server import Server
    from tests.deploy.cloudformation import Stack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a Lambda artifact holds Linux libraries")

OLD = "0ld password, ünlike the new"
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]
DRIVERS = {"psycopg", "pymysql", "nacl"}
SDK = {"boto3", "botocore"}


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
    events = {path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")}
    arn, token = events["createSecret"]["SecretId"], events["createSecret"]["ClientRequestToken"]
    # The service finds a secret by its ARN without the last hyphen and six characters, which it made up itself.
    service = SecretsManager(region="us-east-1")
    client = service.client()
    client.create_secret(Name=arn.split(":secret:")[1], SecretString=json.dumps(secret))
    service.put_placeholder(arn, token)
    properties = stack.of_type("AWS::Lambda::Function")[function]

    with Endpoint(service) as url:
        given = {
            "SECRETS_MANAGER_ENDPOINT": url,
            "ROTATORS_CA_BUNDLE": str(server.ca_bundle or ""),
            "WITNESSED": properties["Handler"],
        }
        with Function(
            sam,
            artifact,
            provided=runtime(tmp_path),
            handler="witness.handler",
            variables=properties["Environment"]["Variables"] | given,
            log=tmp_path / "log",
        ) as running:
            before = set(running.invoke("modules"))
            answers = {step: running.invoke(events[step]) for step in STEPS}
            after = set(running.invoke("modules"))

    output = (tmp_path / "log").read_text()
    assert answers == dict.fromkeys(STEPS), output
    assert not before & (DRIVERS | SDK)
    assert after & DRIVERS == drivers
    assert service.labels(arn)[token] == ["AWSCURRENT", "AWSPENDING"]
    new: dict[str, Any] = json.loads(client.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"])
    assert new == secret | {"password": new["password"]}
    assert opens(server, new)
    assert not opens(server, secret)
    assert OLD not in output
    assert new["password"] not in output
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert [line["step"] for line in lines if str(line.get("message", "")).endswith("succeeded")] == STEPS


def test_the_sample_events_rotate_a_key(artifact: Path, sam: Path, stack: Stack, tmp_path: Path) -> None:
    """Of a described provider, by what Lambda's runtime brings: urllib3 is not in the artifact."""
    events = {path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")}
    arn, token = events["createSecret"]["SecretId"], events["createSecret"]["ClientRequestToken"]
    service, courier = SecretsManager(region="us-east-1"), Courier()
    secret = courier.value()
    service.client().create_secret(Name=arn.split(":secret:")[1], SecretString=json.dumps(secret))
    service.put_placeholder(arn, token)
    properties = stack.of_type("AWS::Lambda::Function")["ApiKeyRotation"]
    given = {"ROTATORS_PROVIDER": str(DESCRIPTION), "WITNESSED": properties["Handler"]}
    with Endpoint(service) as url:
        variables = properties["Environment"]["Variables"] | given | {"SECRETS_MANAGER_ENDPOINT": url}
        with Function(
            sam,
            artifact,
            provided=runtime(tmp_path),
            handler="witness.handler",
            variables=variables,
            log=tmp_path / "log",
        ) as running:
            before = set(running.invoke("modules"))
            answers = {step: running.invoke(events[step]) for step in STEPS}
            after = set(running.invoke("modules"))
    courier.close()

    output = (tmp_path / "log").read_text()
    assert answers == dict.fromkeys(STEPS), output
    assert not before & (DRIVERS | SDK)
    assert not after & DRIVERS
    new = json.loads(service.client().get_secret_value(SecretId=arn)["SecretString"])
    assert new == secret | {"api_key": new["api_key"], "key_id": new["key_id"]}
    assert new["key_id"] != secret["key_id"]
    assert courier.holds(new)
    assert not [key for key in courier.ever if key in output]


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


def runtime(directory: Path) -> Path:
    """Make what Lambda's runtime brings, and the witness."""
    provided = directory / "runtime"
    provided.mkdir()
    shutil.copy(Path(__file__).with_name("witness.py"), provided)
    return provide(provided)


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
