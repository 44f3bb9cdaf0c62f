"""
The same rotations against moto's IAM and STS, which are another author's idea of AWS.

moto lets any key in, so what depends on a refusal is proven by the stand-in alone; see `stand_in`.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from rotators import ChangeRefused
from rotators.engines.iam import AccessKeyRotator, room
from rotators.testing import Endpoint, resume, rotate
from rotators.testing.faults import Crash, Fault, Faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.testing import SecretsManager


@pytest.fixture
def client(service: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    # No time at all. Less than none, as moto dates keys to the microsecond, and its answers, as AWS does, to the second.
    monkeypatch.setattr(room, "ABANDONED", -1.0)
    with Endpoint(service) as url, mock_aws():  # over HTTP: moto would answer for Secrets Manager's own address
        monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", url)
        made = boto3.client("iam")
        made.create_user(UserName="relay", Path="/mail/", Tags=[{"Key": "team", "Value": "mail"}])
        yield made


@pytest.fixture
def arn(service: SecretsManager, client: Any) -> str:
    key = client.create_access_key(UserName="relay")["AccessKey"]
    value = {"username": "relay", "access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
    made: str = service.client().create_secret(
        Name=f"iam/{uuid.uuid4()}",
        SecretString=json.dumps(value),
        Tags=[{"Key": "rotators:unused-days", "Value": "0"}],
    )["ARN"]
    function = service.add_function("iam", AccessKeyRotator())
    service.client().rotate_secret(
        SecretId=made,
        RotationLambdaARN=function,
        RotationRules={"AutomaticallyAfterDays": 9},
        RotateImmediately=False,
    )
    service.wait(made, 20)
    return made


def held(service: SecretsManager, arn: str) -> set[str]:
    read = service.client().get_secret_value
    labels = ("AWSCURRENT", "AWSPREVIOUS")
    return {json.loads(read(SecretId=arn, VersionStage=label)["SecretString"])["access_key_id"] for label in labels}


def live(client: Any) -> set[str]:
    return {key["AccessKeyId"] for key in client.list_access_keys(UserName="relay")["AccessKeyMetadata"]}


def tags(client: Any) -> list[str]:
    return [tag["Key"] for tag in client.list_user_tags(UserName="relay")["Tags"]]


def test_it_rotates(service: SecretsManager, client: Any, arn: str) -> None:
    for _ in range(3):
        assert rotate(service, arn).succeeded
        assert live(client) == held(service, arn)
        assert tags(client) == ["team"]


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_at_every_call(service: SecretsManager, client: Any, arn: str, fault: Fault) -> None:
    assert rotate(service, arn).succeeded
    counted = Faults()
    with counted.installed():
        assert rotate(service, arn).succeeded
    assert len(counted.seen) > 20
    for point in range(len(counted.seen)):
        with Faults(point, fault).installed():
            try:
                done = rotate(service, arn).succeeded
            except Crash:
                done = False
        assert len(live(client)) <= 2
        for _ in range(3):
            if not done:
                pending = any(labels == ["AWSPENDING"] for labels in service.labels(arn).values())
                done = (resume if pending else rotate)(service, arn).succeeded
        assert done, f"{fault.name} at {counted.seen[point]}"
        assert live(client) == held(service, arn), f"{fault.name} at {counted.seen[point]}"
        assert tags(client) == ["team"]


def test_a_use_is_found(service: SecretsManager, client: Any, arn: str) -> None:
    assert rotate(service, arn).succeeded
    service.client().tag_resource(SecretId=arn, Tags=[{"Key": "rotators:unused-days", "Value": "3"}])
    outcome = rotate(service, arn)
    assert isinstance(outcome.error, ChangeRefused)
    assert "was last used on" in str(outcome.error)
    assert "by sts in eu-central-1" in str(outcome.error)
    assert live(client) == held(service, arn)
