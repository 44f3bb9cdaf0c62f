"""Law 1: refused before anything but DescribeSecret was called, with the call that repairs it."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators import Rotation, RotationRefused, Rotator, Secret, SecretError, SecretStore
from rotators.testing import rotation_event

if TYPE_CHECKING:
    from rotators.testing import SecretsManager

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
pytestmark = pytest.mark.usefixtures("impatient")


class Recorder(Rotator):
    """Notes which of its hooks were called."""

    def __init__(self, store: SecretStore) -> None:
        super().__init__(store=store)
        self.called: list[str] = []

    def create(self, rotation: Rotation) -> Secret:
        self.called.append("create")
        return super().create(rotation)

    def set(self, rotation: Rotation) -> None:
        self.called.append("set")

    def test(self, secret: Secret) -> None:
        self.called.append("test")


class Stage:
    """A secret, its function, and what a refusal must leave as it was."""

    def __init__(self, service: SecretsManager) -> None:
        self.service = service
        self.client = service.client()
        self.rotator = Recorder(SecretStore(service.client()))
        self.arn = self.client.create_secret(Name=f"s/{uuid.uuid4()}", SecretString=json.dumps({"password": "old"}))[
            "ARN"
        ]
        self.token = str(uuid.uuid4())

    def refused(self, step: str, *said: str, arn: str | None = None) -> None:
        before = self.service.labels(self.arn)
        self.service.calls.clear()
        with pytest.raises(RotationRefused) as caught:
            self.rotator(rotation_event(step, arn or self.arn, self.token, "r" * 40))
        for words in said:
            assert words in str(caught.value)
        assert not caught.value.retryable
        assert {call.operation for call in self.service.calls} == {"DescribeSecret"}
        assert self.rotator.called == []
        assert self.service.labels(self.arn) == before


@pytest.fixture
def stage(service: SecretsManager) -> Stage:
    return Stage(service)


@pytest.mark.parametrize("step", STEPS)
def test_rotation_is_off(stage: Stage, step: str) -> None:
    function = stage.service.add_function("f", stage.rotator)
    stage.service.put_placeholder(stage.arn, stage.token)
    del function
    stage.client.cancel_rotate_secret(SecretId=stage.arn)
    stage.refused(step, "rotation is off", "aws secretsmanager rotate-secret")


@pytest.mark.parametrize("step", STEPS)
def test_the_token_is_unknown(stage: Stage, step: str) -> None:
    stage.refused(step, f"no version {stage.token}", "rotate-secret --secret-id")


@pytest.mark.parametrize("step", STEPS)
def test_the_token_lost_its_label(stage: Stage, step: str) -> None:
    stage.service.put_placeholder(stage.arn, stage.token)
    stage.client.update_secret_version_stage(
        SecretId=stage.arn, VersionStage="AWSPENDING", RemoveFromVersionId=stage.token
    )
    stage.refused(step, "abandoned", "rotate-secret --secret-id")


@pytest.mark.parametrize("step", STEPS)
def test_the_token_is_not_pending(stage: Stage, step: str) -> None:
    """It was current once; another version is pending now."""
    stage.client.put_secret_value(SecretId=stage.arn, ClientRequestToken=stage.token, SecretString='{"password":"2"}')
    stage.client.put_secret_value(SecretId=stage.arn, SecretString='{"password":"3"}')
    other = str(uuid.uuid4())
    stage.service.put_placeholder(stage.arn, other)
    stage.refused(
        step,
        "is not AWSPENDING but AWSPREVIOUS",
        f"AWSPENDING is on {other}",
        "update-secret-version-stage",
        "rotate-secret",
    )


@pytest.mark.parametrize("step", STEPS)
def test_the_token_is_current_already(stage: Stage, step: str) -> None:
    """A quiet success, pending label or not."""
    stage.service.put_placeholder(stage.arn, stage.token)
    for name in STEPS:
        stage.rotator(rotation_event(name, stage.arn, stage.token))
    stage.rotator.called.clear()
    stage.service.calls.clear()
    stage.rotator(rotation_event(step, stage.arn, stage.token))
    assert stage.rotator.called == []
    assert {call.operation for call in stage.service.calls} == {"DescribeSecret"}


@pytest.mark.parametrize("step", STEPS)
def test_the_secret_is_marked_for_deletion(stage: Stage, step: str) -> None:
    stage.service.put_placeholder(stage.arn, stage.token)
    stage.client.delete_secret(SecretId=stage.arn)
    stage.refused(step, "marked for deletion", "restore-secret")


@pytest.mark.parametrize("step", STEPS)
def test_there_is_no_such_secret(stage: Stage, step: str) -> None:
    stage.refused(step, "can't find", arn=stage.arn[:-6] + "zzzzzz")


def test_the_event_is_checked_before_the_secret(stage: Stage) -> None:
    stage.service.calls.clear()
    snake = {"Step": "create_secret", "SecretId": stage.arn, "ClientRequestToken": stage.token}
    events: list[Any] = [None, [], 7, {}, snake]
    for event in events:
        with pytest.raises(RotationRefused):
            stage.rotator(event)
    assert list(stage.service.calls) == []


def test_an_off_switch_comes_before_an_unknown_token(stage: Stage) -> None:
    stage.service.put_placeholder(stage.arn, str(uuid.uuid4()))
    stage.client.cancel_rotate_secret(SecretId=stage.arn)
    stage.refused("createSecret", "rotation is off")


def test_the_order_of_a_rotation(stage: Stage) -> None:
    stage.service.put_placeholder(stage.arn, stage.token)
    for step in STEPS:
        stage.rotator(rotation_event(step, stage.arn, stage.token))
    assert stage.rotator.called == ["create", "set", "test", "test"]


def test_law_2_a_stored_value_is_kept(stage: Stage) -> None:
    stage.service.put_placeholder(stage.arn, stage.token)
    for _ in range(3):
        stage.rotator(rotation_event("createSecret", stage.arn, stage.token))
    assert stage.rotator.called == ["create"]


def test_the_rotation_token_is_handed_on(service: SecretsManager) -> None:
    """Secrets Manager refuses a PutSecretValue of another account's function without it; here it is checked strictly."""
    stage = Stage(service)
    sent: list[Any] = []

    def handler(event: Any, context: Any) -> None:
        sent.append(event)
        stage.rotator(event, context)

    function = stage.service.add_function("f", handler)
    stage.client.rotate_secret(
        SecretId=stage.arn, RotationLambdaARN=function, RotationRules={"AutomaticallyAfterDays": 9}
    )
    stage.service.wait(stage.arn, 20)
    assert json.loads(stage.client.get_secret_value(SecretId=stage.arn)["SecretString"])["password"] != "old"
    assert all(event["RotationToken"] for event in sent)
    stage.token = str(uuid.uuid4())
    stage.service.put_placeholder(stage.arn, stage.token)
    with pytest.raises(SecretError, match="RotationToken"):
        stage.rotator(rotation_event("createSecret", stage.arn, stage.token, "f" * 40))
