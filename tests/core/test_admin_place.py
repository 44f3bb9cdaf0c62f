"""Where an admin's secret is for that does not say it: its tags and RDS do."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from rotators import ConfigurationError, Secret, SecretError, SecretStore
from rotators.machine import Step
from rotators.rotation import Rotation
from tests.core.test_admin import ADMIN, APP
from tests.rds import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.testing import SecretsManager
    from tests.rds import RDSEndpoint


def rotation_of(client: Any, app: Mapping[str, Any]) -> Rotation:
    """One setSecret of a secret that is made of `app`."""
    arn = client.create_secret(Name=f"db/{uuid.uuid4().hex}", SecretString=json.dumps(app))["ARN"]
    store = SecretStore(client)
    return Rotation(store, secret_id=arn, version="v" * 32, step=Step.SET, about=store.describe(arn))


@pytest.mark.parametrize("kind", ["instance", "cluster"])
def test_a_secret_that_rds_manages_is_placed_by_its_tags(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """moto's RDS makes the secret and tags it, as RDS does."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with mock_aws():
        client = boto3.client("rds")
        common: dict[str, Any] = {"MasterUsername": "admin", "ManageMasterUserPassword": True, "Port": 5433}
        if kind == "instance":
            made: Any = client.create_db_instance(
                DBInstanceIdentifier="main", Engine="postgres", DBInstanceClass="db.t4g.micro", **common
            )["DBInstance"]
            expected = made["Endpoint"]["Address"]
        else:
            made = client.create_db_cluster(DBClusterIdentifier="main", Engine="aurora-postgresql", **common)[
                "DBCluster"
            ]
            expected = made["Endpoint"]
        app = {**APP, "masterarn": made["MasterUserSecret"]["SecretArn"]}
        admin = rotation_of(boto3.client("secretsmanager"), app).admin
    assert admin is not None
    assert set(admin) == {"username", "password", "host", "port"}
    assert (admin["host"], admin["port"]) == (expected, 5433)


def tagged(client: Any, arn: str = f"{ACCOUNT}:db:main", **value: Any) -> str:
    tags = [{"Key": "team", "Value": "db"}, {"Key": "aws:rds:primaryDBInstanceArn", "Value": arn}]
    secret = json.dumps({**ADMIN, **value})
    return str(client.create_secret(Name=f"rds!{uuid.uuid4().hex}", SecretString=secret, Tags=tags)["ARN"])


def test_it_is_asked_where_it_is_once_and_only_if_it_does_not_say(service: SecretsManager, rds: RDSEndpoint) -> None:
    rds.instance("main", host="db.example.com")
    client = service.client()
    rotation = rotation_of(client, {**APP, "masterarn": tagged(client)})
    service.calls.clear()
    for admin in (rotation.admin, rotation.admin_again(), rotation.admin_again()):
        assert admin is not None
        assert (admin["host"], admin["port"]) == ("db.example.com", 5432)
    assert rds.asked == [("DescribeDBInstances", f"{ACCOUNT}:db:main", "")]
    assert service.count("DescribeSecret") == 1
    assert service.count("GetSecretValue") == 4
    stated = rotation_of(client, {**APP, "masterarn": tagged(client, host="said.example.com")})
    assert stated.admin is not None
    assert stated.admin["host"] == "said.example.com"
    assert len(rds.asked) == 1


@pytest.mark.parametrize("app, aliases", [({"key": "k"}, ""), (APP, "db.example.com:5432")])
def test_who_needs_no_place_asks_for_none(
    service: SecretsManager, monkeypatch: pytest.MonkeyPatch, app: dict[str, Any], aliases: str
) -> None:
    """A secret that is no database's, and a host we know: in a VPC without a way to RDS that is the way out."""
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", aliases)
    client = service.client()
    rotation = rotation_of(client, {**app, "masterarn": tagged(client)})
    service.calls.clear()
    assert rotation.admin == Secret(ADMIN)
    assert service.count("DescribeSecret") == 0


def test_a_server_that_is_gone(service: SecretsManager, rds: RDSEndpoint) -> None:
    client = service.client()
    with pytest.raises(SecretError, match=f"{ACCOUNT}:db:main, which RDS does not know.*it was not used"):
        _ = rotation_of(client, {**APP, "masterarn": tagged(client)}).admin


def test_a_role_that_may_not_read_the_tags(service: SecretsManager) -> None:
    from botocore.exceptions import ClientError

    client = service.client()
    arn = tagged(client)
    rotation = rotation_of(client, {**APP, "masterarn": arn})

    def denied(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeSecret")

    poor = service.client()
    poor.describe_secret = denied
    rotation._store._client = poor
    with pytest.raises(ConfigurationError, match="no 'host'.*may not do secretsmanager:DescribeSecret on.*ALIASES"):
        _ = rotation.admin
