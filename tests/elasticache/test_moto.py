"""The same against moto, which is another author's idea of AWS: all of MemoryDB's calls, and ElastiCache's without ModifyUser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from rotators import EngineRotator, Secret, SecretError, SecretStore
from rotators.engines.elasticache import ElastiCache
from rotators.testing import Endpoint, rotate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.testing import SecretsManager

FIRST, ACCESS = "first-canary-0123456789", "on ~app:* +@read"


@pytest.fixture
def aws(service: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with Endpoint(service) as url, mock_aws():  # over HTTP: moto would answer for Secrets Manager's own address
        monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", url)
        yield


def test_memorydb(service: SecretsManager, aws: None) -> None:
    client = boto3.client("memorydb", region_name="eu-west-1")
    made = client.create_user(
        UserName="app", AuthenticationMode={"Type": "password", "Passwords": [FIRST]}, AccessString=ACCESS
    )["User"]
    value: dict[str, Any] = {"engine": "memorydb", "user_arn": made["ARN"], "username": "app", "password": FIRST}
    arn = service.client().create_secret(Name="memorydb", SecretString=json.dumps(value))["ARN"]
    for _ in range(2):
        outcome = rotate(service, arn, EngineRotator(ElastiCache(), store=SecretStore()))
        assert outcome.succeeded, outcome.error
    assert client.describe_users(UserName="app")["Users"][0]["Authentication"] == {
        "Type": "password",
        "PasswordCount": 2,
    }
    assert [tag["Key"] for tag in client.list_tags(ResourceArn=made["ARN"])["TagList"]] == ["rotators:set"]


def test_elasticache(aws: None) -> None:
    """What can be asked: an ARN names a user of the region that it says, by the id that it says."""
    client = boto3.client("elasticache", region_name="eu-west-1")
    arn = client.create_user(UserId="app-1", UserName="app", Engine="redis", Passwords=[FIRST], AccessString=ACCESS)[
        "ARN"
    ]
    value = {"user_arn": arn, "username": "app", "password": FIRST}
    ElastiCache().test(Secret(value))
    for wrong in ({"username": "app-1"}, {"user_arn": arn.replace("eu-west-1", "eu-west-2")}):
        with pytest.raises(SecretError):
            ElastiCache().test(Secret({**value, **wrong}))
