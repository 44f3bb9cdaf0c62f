"""Room for another key: of an IAM user as moto has it, and of a provider over HTTP."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from rotators import KeyRotator, SecretStore
from rotators.diagnosis.beforehand import CHECKS, Subject, checked
from rotators.engines.iam import room
from rotators.testing import LambdaContext, rotate
from tests.diagnosis.beforehand.conftest import READS, put
from tests.keys.provider import Provider, Speaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.testing import SecretsManager
    from tests.diagnosis.beforehand.conftest import Found

    Checks = Callable[..., Found]


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setattr(room, "ABANDONED", -1.0)  # moto's clock is finer than its answers' dates
    with mock_aws():
        client = boto3.client("iam")
        client.create_user(UserName="relay")
        yield client


@pytest.fixture
def arn(service: SecretsManager, iam: Any) -> str:
    key = iam.create_access_key(UserName="relay")["AccessKey"]
    return put(service, {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"] + "Canary"})


def test_a_user_with_room(arn: str, check: Checks) -> None:
    found = check(arn)
    assert found["keys"] == ["passed"]
    assert "1 of 2 keys" in found.text("keys")
    assert found["password"] == found["rights"] == []


def test_a_key_that_is_not_ours_takes_the_room(arn: str, check: Checks, iam: Any) -> None:
    other = iam.create_access_key(UserName="relay")["AccessKey"]["AccessKeyId"]
    found = check(arn)
    assert other in found.text("keys", "failed")
    assert "aws iam delete-access-key" in found.text("keys")
    assert len(iam.list_access_keys(UserName="relay")["AccessKeyMetadata"]) == 2
    iam.delete_access_key(UserName="relay", AccessKeyId=other)
    assert check(arn)["keys"] == ["passed"]


def test_the_key_of_awsprevious_would_go(
    service: SecretsManager, check: Checks, iam: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [iam.create_access_key(UserName="relay")["AccessKey"] for _ in range(2)]
    values = [{"access_key_id": k["AccessKeyId"], "secret_access_key": k["SecretAccessKey"] + "Canary"} for k in keys]
    arn = put(service, values[0], unused_days="0")
    service.client().put_secret_value(SecretId=arn, SecretString=json.dumps(values[1]))
    found = check(arn)
    assert f"the one ending in {keys[0]['AccessKeyId'][-4:]}" in found.text("keys", "warning")
    assert len(iam.list_access_keys(UserName="relay")["AccessKeyMetadata"]) == 2
    monkeypatch.setenv("ROTATORS_IAM_UNUSED_DAYS", "3")
    service.client().untag_resource(SecretId=arn, TagKeys=["rotators:unused-days"])
    assert "was AWSCURRENT until" in check(arn).text("keys", "failed")


class Held:
    """A provider's key in a secret, and what is asked of them."""

    def __init__(self, service: SecretsManager, most: int | None) -> None:
        self.service, self.provider = service, Provider()
        made, key = self.provider.add("by hand")
        self.speaks = Speaks(most=most)
        if most is not None:
            self.provider.most = most
        self.rotator = KeyRotator(self.speaks, store=SecretStore(service.client()))
        self.arn = put(service, {"url": self.provider.url, "key_id": made, "key": key})
        self.function = service.add_function("keys", lambda event, _: self.rotator(event, LambdaContext(30.0)))

    def lines(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
        def clients(name: Any) -> Any:
            return self.service.client() if name == "secretsmanager" else boto3.client(name)

        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.setattr("rotators.diagnosis.beforehand.subject.rotator_for", lambda *_, **__: self.rotator)
        self.service.calls.clear()
        before = set(self.provider.keys)
        found = [
            (line.answer.value, line.text)
            for line in checked(Subject(clients, self.arn, region="eu-central-1"))
            if line.name == "keys"
        ]
        assert set(self.provider.keys) == before
        assert {call.operation for call in self.service.calls} <= READS
        return found


def test_a_provider(service: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(service, 2)
    assert held.lines(monkeypatch) == [("passed", "provider has 1 keys of this owner, and room for 2")]
    service.client().rotate_secret(
        SecretId=held.arn, RotationLambdaARN=held.function, RotationRules={"AutomaticallyAfterDays": 9},
        RotateImmediately=False,
    )  # fmt: skip
    service.wait(held.arn, 20)
    assert rotate(service, held.arn).succeeded
    ((answer, text),) = held.lines(monkeypatch)  # both places are taken: by AWSCURRENT's, and by the one stored by hand
    assert answer == "failed"
    assert "room for 2 keys and has 2" in text
    service.client().tag_resource(SecretId=held.arn, Tags=[{"Key": "rotators:adopt", "Value": "true"}])
    ((answer, text),) = held.lines(monkeypatch)
    assert answer == "warning"
    assert "of ours: the one of AWSPREVIOUS" in text


def test_a_provider_without_a_limit(service: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    ((answer, text),) = Held(service, None).lines(monkeypatch)
    assert answer == "passed"
    assert "any number" in text


def test_a_provider_that_is_down(service: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(service, 2)
    held.provider.down = True
    began = time.monotonic()
    ((answer, _),) = held.lines(monkeypatch)
    assert answer == "not asked"
    assert time.monotonic() - began < 20


def test_whatever_a_check_needs_comes_before_it() -> None:
    seen: set[str] = set()
    for check in CHECKS:
        assert set(check.needs) <= seen
        seen.add(check.name)
