"""RotateSecret as a client sees it: it answers at once, the rotation follows on its own."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing import SecretsManager
from tests.testing.conftest import A, B, C, refused
from tests.testing.rotator import Rotator

if TYPE_CHECKING:
    from tests.testing.conftest import Service

NOBODY = "arn:aws:lambda:eu-central-1:123456789012:function:nobody"


@pytest.fixture
def rotator(ours: Service) -> Rotator:
    return Rotator(ours.client)


@pytest.fixture
def function(ours: Service, rotator: Rotator) -> str:
    assert ours.own is not None
    return ours.own.add_function("rotation", rotator)


def finished(service: Service, secret: str) -> None:
    assert service.own is not None
    assert service.own.wait(secret, 10)


@pytest.mark.moto_gap("M5: an empty version becomes AWSCURRENT")
def test_a_secret_without_a_function(service: Service) -> None:  # F1
    secret = service.secret()
    with refused("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret."):
        service.client.rotate_secret(SecretId=secret)
    assert service.get(secret) == "v1"


@pytest.mark.moto_gap("M6: another error, and everything is stored")
def test_a_function_that_is_not_there(service: Service) -> None:  # F2
    secret = service.secret()
    text = (
        "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access "
        "to the principal secretsmanager.amazonaws.com."
    )
    with refused("AccessDeniedException", text):
        service.client.rotate_secret(
            SecretId=secret, RotationLambdaARN=NOBODY, RotationRules={"AutomaticallyAfterDays": 1}
        )
    shown = service.client.describe_secret(SecretId=secret)
    assert not {name for name in shown if "Rotat" in name}
    assert service.labels(secret) == {A: ["AWSCURRENT"]}


@pytest.mark.moto_gap("M2: accepted, and the label stolen")
def test_another_version_is_pending(service: Service) -> None:
    secret = service.secret()
    if service.own is not None:
        service.own.put_placeholder(secret, B)
        service.own.account.find(secret).rotation_function = service.own.add_function("broken", lambda *_: 1 / 0)
    service.put(secret, B, "v2", "AWSPENDING")
    text = "A previous rotation isn't complete. That rotation will be reattempted."
    with refused("InvalidRequestException", text):
        service.client.rotate_secret(SecretId=secret, ClientRequestToken=C)
    assert service.labels(secret) == {A: ["AWSCURRENT"], B: ["AWSPENDING"]}


def test_it_answers_at_once(ours: Service, rotator: Rotator, function: str) -> None:  # F3
    secret, gate = ours.secret(), threading.Event()
    rotator.before["createSecret"] = lambda: gate.wait(10)
    answer = ours.client.rotate_secret(
        SecretId=secret, RotationLambdaARN=function, RotationRules={"AutomaticallyAfterDays": 1}
    )
    version = answer["VersionId"]
    assert str(uuid.UUID(version)) == version
    assert answer["ARN"] == secret
    assert ours.labels(secret) == {A: ["AWSCURRENT"], version: ["AWSPENDING"]}
    gate.set()
    finished(ours, secret)
    assert ours.labels(secret) == {A: ["AWSPREVIOUS"], version: ["AWSCURRENT"]}
    shown = ours.client.describe_secret(SecretId=secret)
    assert shown["RotationEnabled"] is True
    assert shown["RotationRules"] == {"AutomaticallyAfterDays": 1}
    assert shown["RotationLambdaARN"] == function
    assert shown["NextRotationDate"] > shown["LastRotatedDate"]


def test_a_second_call_needs_no_parameters(ours: Service, function: str) -> None:  # F3, M9
    secret = ours.secret()
    rules = {"AutomaticallyAfterDays": 9}
    first = ours.client.rotate_secret(SecretId=secret, RotationLambdaARN=function, RotationRules=rules)["VersionId"]
    finished(ours, secret)
    second = ours.client.rotate_secret(SecretId=secret)["VersionId"]
    finished(ours, secret)
    assert ours.labels(secret) == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT"]}
    shown = ours.client.describe_secret(SecretId=secret)
    assert (shown["RotationLambdaARN"], shown["RotationRules"]) == (function, rules)
    listed = ours.client.list_secret_version_ids(SecretId=secret)["Versions"]
    assert A not in {version["VersionId"] for version in listed}


def test_while_one_runs_another_is_refused_and_nothing_is_run_twice(
    ours: Service, rotator: Rotator, function: str
) -> None:
    secret, gate = ours.secret(), threading.Event()
    rotator.before["setSecret"] = lambda: gate.wait(10)
    ours.client.rotate_secret(SecretId=secret, RotationLambdaARN=function)
    with refused("InvalidRequestException"):
        ours.client.rotate_secret(SecretId=secret)
    gate.set()
    finished(ours, secret)
    assert rotator.steps == ["createSecret", "setSecret", "testSecret", "finishSecret"]


def test_a_rotation_runs_until_its_last_step_returns(ours: Service, rotator: Rotator, function: str) -> None:
    secret, gate, moved = ours.secret(), threading.Event(), threading.Event()

    def hold() -> None:
        moved.set()
        gate.wait(10)

    rotator.after["finishSecret"] = hold
    ours.client.rotate_secret(SecretId=secret, RotationLambdaARN=function, ClientRequestToken=B)
    assert moved.wait(10)
    assert ours.labels(secret) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT", "AWSPENDING"]}
    with refused("InvalidRequestException"):
        ours.client.rotate_secret(SecretId=secret, ClientRequestToken=C)
    ours.client.rotate_secret(SecretId=secret, ClientRequestToken=B)  # the same request, its answer lost
    gate.set()
    finished(ours, secret)
    assert ours.labels(secret) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}
    assert len(rotator.steps) == 4


def test_a_refusal_sets_the_old_rotation_going_again(ours: Service, rotator: Rotator, function: str) -> None:
    secret = ours.secret()
    rotator.before["setSecret"] = lambda: 1 / 0
    version = ours.client.rotate_secret(SecretId=secret, RotationLambdaARN=function)["VersionId"]
    finished(ours, secret)
    assert ours.labels(secret) == {A: ["AWSCURRENT"], version: ["AWSPENDING"]}
    rotator.before.clear()
    with refused("InvalidRequestException"):
        ours.client.rotate_secret(SecretId=secret)
    finished(ours, secret)
    assert ours.labels(secret) == {A: ["AWSPREVIOUS"], version: ["AWSCURRENT"]}


def test_the_same_request_again_makes_no_second_version(ours: Service, rotator: Rotator, function: str) -> None:
    secret = ours.secret()
    for _ in range(2):
        ours.client.rotate_secret(SecretId=secret, RotationLambdaARN=function, ClientRequestToken=B)
        finished(ours, secret)
    assert ours.labels(secret) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}
    assert len(rotator.steps) == 4


def test_the_same_request_again_goes_on_with_a_rotation_that_failed(
    ours: Service, rotator: Rotator, function: str
) -> None:
    secret = ours.secret()
    rotator.before["testSecret"] = lambda: 1 / 0
    ours.client.rotate_secret(SecretId=secret, RotationLambdaARN=function, ClientRequestToken=B)
    finished(ours, secret)
    rotator.before.clear()
    ours.client.rotate_secret(SecretId=secret, ClientRequestToken=B)
    finished(ours, secret)
    assert ours.labels(secret) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}


def test_a_process_that_dies_behind_the_service_is_a_failed_step(rotator: Rotator) -> None:
    class Crash(BaseException):
        pass

    def crash() -> None:
        rotator.before.clear()
        raise Crash

    sm = SecretsManager(attempts=2)
    rotator.client = sm.client()
    rotator.client.create_secret(Name="app", SecretString="v1", ClientRequestToken=A)
    rotator.before["setSecret"] = crash
    rotator.client.rotate_secret(
        SecretId="app", ClientRequestToken=B, RotationLambdaARN=sm.add_function("rotation", rotator)
    )
    assert sm.wait("app", 10)
    assert len(rotator.steps) == 6
    assert sm.labels("app") == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}


def test_not_at_once_runs_testsecret_alone(ours: Service, rotator: Rotator, function: str) -> None:
    secret = ours.secret()
    ours.client.rotate_secret(
        SecretId=secret,
        RotationLambdaARN=function,
        RotateImmediately=False,
        RotationRules={"ScheduleExpression": "rate(4 hours)"},
    )
    finished(ours, secret)
    assert rotator.steps == ["testSecret"]
    assert ours.labels(secret) == {A: ["AWSCURRENT"]}
    shown = ours.client.describe_secret(SecretId=secret)
    assert shown["RotationEnabled"] is True  # M11
    assert shown["RotationRules"] == {"ScheduleExpression": "rate(4 hours)"}


def test_a_function_is_found_by_its_version_or_alias(ours: Service, function: str) -> None:
    secret = ours.secret()
    ours.client.rotate_secret(SecretId=secret, RotationLambdaARN=f"{function}:live", ClientRequestToken=B)
    finished(ours, secret)
    assert ours.labels(secret)[B] == ["AWSCURRENT"]


def test_rules_that_are_not_allowed_store_nothing(ours: Service, function: str) -> None:
    secret = ours.secret()
    with refused("InvalidParameterException"):
        ours.client.rotate_secret(
            SecretId=secret, RotationLambdaARN=function, RotationRules={"ScheduleExpression": "rate(3 hours)"}
        )
    assert "RotationEnabled" not in ours.client.describe_secret(SecretId=secret)


@pytest.mark.parametrize("days", [1001, 10**6])
def test_days_are_bounded(ours: Service, function: str, days: int) -> None:
    with refused("ValidationException"):
        ours.client.rotate_secret(
            SecretId=ours.secret(), RotationLambdaARN=function, RotationRules={"AutomaticallyAfterDays": days}
        )


def test_closing_ends_after_the_step_that_runs(ours: Service, rotator: Rotator, function: str) -> None:
    assert ours.own is not None
    secret, gate, reached = ours.secret(), threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        gate.wait(10)

    rotator.before["setSecret"] = hold
    ours.client.rotate_secret(SecretId=secret, RotationLambdaARN=function, ClientRequestToken=B)
    assert reached.wait(10)
    assert not ours.own.wait(secret, 0.01)
    assert not ours.own.close(0.01)
    gate.set()
    assert ours.own.close(10)
    assert rotator.steps == ["createSecret", "setSecret"]
    assert ours.labels(secret) == {A: ["AWSCURRENT"], B: ["AWSPENDING"]}


def test_dates_follow_rotations_and_values_put_by_hand() -> None:
    now = [datetime(2026, 3, 1, 13, 30, tzinfo=UTC).timestamp()]
    sm = SecretsManager(clock=lambda: now[0])
    client = sm.client()
    client.create_secret(Name="app", SecretString="v1")
    rotator = Rotator(client)

    def next_day() -> None:
        now[0] += 86400

    rotator.before["finishSecret"] = next_day
    client.rotate_secret(
        SecretId="app",
        RotationLambdaARN=sm.add_function("r", rotator),
        RotationRules={"AutomaticallyAfterDays": 10},
    )
    assert sm.wait("app", 10)

    def shown() -> dict[str, Any]:
        found: dict[str, Any] = client.describe_secret(SecretId="app")
        return found

    assert shown()["LastRotatedDate"].timestamp() == now[0]
    assert shown()["NextRotationDate"] == datetime(2026, 3, 12, 23, 59, 59, tzinfo=UTC)
    now[0] += 3 * 86400
    client.put_secret_value(SecretId="app", SecretString="by hand")
    assert shown()["NextRotationDate"] == datetime(2026, 3, 15, 23, 59, 59, tzinfo=UTC)
    assert shown()["LastRotatedDate"] == datetime(2026, 3, 2, 13, 30, tzinfo=UTC)
    client.cancel_rotate_secret(SecretId="app")
    assert "NextRotationDate" not in shown()
