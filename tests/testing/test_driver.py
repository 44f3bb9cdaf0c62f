"""Rotations in the caller's thread: what the service does, step by step."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rotators.testing import (
    PreviousRotationIncomplete,
    RotationError,
    SecretsManager,
    ServiceError,
    resume,
    rotate,
)
from rotators.testing import test_rotation as run_test_step
from tests.testing.conftest import A, B, C, refused
from tests.testing.rotator import Rotator

STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


class Crash(BaseException):
    """The process dies."""


@pytest.fixture
def rotator(sm: SecretsManager) -> Rotator:
    client = sm.client()
    client.create_secret(Name="app", SecretString="v1", ClientRequestToken=A)
    sm.calls.clear()
    return Rotator(client)


def fail(error: BaseException | None = None, times: int = 10**6) -> Any:
    left = [times]

    def raising() -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise error or RuntimeError("broken")

    return raising


def names(sm: SecretsManager) -> list[str]:
    return [event.name for event in sm.events]


def test_a_rotation(sm: SecretsManager, rotator: Rotator) -> None:  # F3
    arn = sm.client().describe_secret(SecretId="app")["ARN"]
    outcome = rotate(sm, "app", rotator, token=B)
    assert outcome.succeeded
    assert outcome.error is None
    assert outcome.version == B
    assert [run.step for run in outcome.steps] == rotator.steps == STEPS
    assert [run.calls for run in outcome.steps] == [2, 0, 0, 2]
    assert sm.labels("app") == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}
    assert names(sm) == ["RotationStarted", "RotationSucceeded"]
    assert {(event.arn, event.version) for event in sm.events} == {(arn, B)}
    assert {event["SecretId"] for event in rotator.events} == {arn}
    assert {event["ClientRequestToken"] for event in rotator.events} == {B}
    assert len({event["RotationToken"] for event in rotator.events}) == 1
    assert sm.count("RotateSecret") == 0


def test_three_rotations_leave_two_labels(sm: SecretsManager, rotator: Rotator) -> None:
    made = [rotate(sm, "app", rotator).version for _ in range(3)]
    assert sm.labels("app") == {made[1]: ["AWSPREVIOUS"], made[2]: ["AWSCURRENT"]}
    assert sm.labels("app", unlabelled=True) == sm.labels("app") | {A: [], made[0]: []}
    assert len({event["RotationToken"] for event in rotator.events}) == 3


def test_createsecret_finds_a_version_without_a_value(sm: SecretsManager, rotator: Rotator) -> None:
    seen: dict[str, Any] = {}

    def look() -> None:
        seen["labels"] = sm.labels("app")
        with refused("ResourceNotFoundException"):
            rotator.client.get_secret_value(SecretId="app", VersionStage="AWSPENDING")
        seen["enabled"] = rotator.client.describe_secret(SecretId="app")["RotationEnabled"]

    rotator.before["createSecret"] = look
    assert rotate(sm, "app", rotator, token=B).succeeded
    assert seen == {"labels": {A: ["AWSCURRENT"], B: ["AWSPENDING"]}, "enabled": True}


@pytest.mark.parametrize("step", STEPS)
def test_the_first_error_stops_it(sm: SecretsManager, rotator: Rotator, step: str) -> None:
    rotator.before[step] = fail()
    outcome = rotate(sm, "app", rotator, token=B)
    assert not outcome.succeeded
    assert isinstance(outcome.error, RuntimeError)
    assert rotator.steps == STEPS[: STEPS.index(step) + 1]
    assert [run.error is None for run in outcome.steps] == [True] * STEPS.index(step) + [False]
    assert sm.labels("app") == {A: ["AWSCURRENT"], B: ["AWSPENDING"]}
    assert names(sm) == ["RotationStarted", "RotationFailed"]
    assert sm.events[-1].reason == f"Error when executing lambda during {step} step"


@pytest.mark.parametrize("step", STEPS)
def test_resuming_begins_with_createsecret_and_the_same_token(sm: SecretsManager, rotator: Rotator, step: str) -> None:
    rotator.before[step] = fail(times=1)
    rotate(sm, "app", rotator, token=B)
    rotator.events.clear()
    outcome = resume(sm, "app")
    assert outcome.succeeded
    assert outcome.version == B
    assert rotator.steps == STEPS
    assert sm.labels("app") == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}


def test_the_service_retries_the_whole_process(rotator: Rotator) -> None:
    sm = SecretsManager(attempts=3)
    rotator.client = sm.client()
    rotator.client.create_secret(Name="app", SecretString="v1", ClientRequestToken=A)
    rotator.before["testSecret"] = fail(times=2)
    outcome = rotate(sm, "app", rotator, token=B)
    assert outcome.succeeded
    assert rotator.steps == STEPS[:3] * 2 + STEPS
    assert [run.step for run in outcome.steps] == rotator.steps
    assert {event["ClientRequestToken"] for event in rotator.events} == {B}
    assert names(sm) == ["RotationStarted", "RotationSucceeded"]


def test_the_service_gives_up(rotator: Rotator) -> None:
    sm = SecretsManager(attempts=3)
    rotator.client = sm.client()
    rotator.client.create_secret(Name="app", SecretString="v1", ClientRequestToken=A)
    rotator.before["setSecret"] = fail()
    outcome = rotate(sm, "app", rotator, token=B)
    assert not outcome.succeeded
    assert rotator.steps == STEPS[:2] * 3
    assert names(sm) == ["RotationStarted", "RotationFailed"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_that_dies(sm: SecretsManager, rotator: Rotator, step: str, when: str) -> None:
    getattr(rotator, when)[step] = fail(Crash(), times=1)
    with pytest.raises(Crash):
        rotate(sm, "app", rotator, token=B)
    moved = (step, when) == ("finishSecret", "after")
    expected = (
        {A: ["AWSPREVIOUS"], B: ["AWSCURRENT", "AWSPENDING"]} if moved else {A: ["AWSCURRENT"], B: ["AWSPENDING"]}
    )
    assert sm.labels("app") == expected
    assert names(sm) == ["RotationStarted"]
    outcome = resume(sm, "app")
    assert outcome.succeeded
    assert outcome.version == B
    assert sm.labels("app") == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}


def test_a_handler_that_promotes_nothing_has_failed(sm: SecretsManager, rotator: Rotator) -> None:
    rotator.finish = lambda event: None  # type: ignore[method-assign]
    outcome = rotate(sm, "app", rotator, token=B)
    assert not outcome.succeeded
    assert isinstance(outcome.error, RotationError)
    assert len(outcome.steps) == 4
    assert names(sm) == ["RotationStarted", "RotationFailed"]
    assert sm.labels("app") == {A: ["AWSCURRENT"], B: ["AWSPENDING"]}


def test_a_handler_may_remove_awspending_itself(sm: SecretsManager, rotator: Rotator) -> None:  # F3
    rotator.after["finishSecret"] = lambda: rotator.client.update_secret_version_stage(
        SecretId="app", VersionStage="AWSPENDING", RemoveFromVersionId=B
    )
    assert rotate(sm, "app", rotator, token=B).succeeded
    assert sm.labels("app") == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}


def test_a_rotation_in_the_way_is_tried_again_and_the_new_one_refused(
    sm: SecretsManager, rotator: Rotator
) -> None:  # M2
    rotator.before["setSecret"] = fail(times=2)
    rotate(sm, "app", rotator, token=B)
    with pytest.raises(PreviousRotationIncomplete) as caught:
        rotate(sm, "app", token=C)
    assert caught.value.code == "InvalidRequestException"
    assert caught.value.message == "A previous rotation isn't complete. That rotation will be reattempted."
    assert caught.value.outcome is not None
    assert (caught.value.outcome.version, caught.value.outcome.succeeded) == (B, False)
    with pytest.raises(PreviousRotationIncomplete) as caught:
        rotate(sm, "app", token=C)
    assert caught.value.outcome is not None
    assert caught.value.outcome.succeeded
    assert sm.labels("app") == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}
    assert rotate(sm, "app", token=C).succeeded


def test_a_leftover_awspending_beside_awscurrent_blocks_nothing(sm: SecretsManager, rotator: Rotator) -> None:  # M2
    rotator.after["finishSecret"] = fail(times=1)
    assert not rotate(sm, "app", rotator, token=B).succeeded
    assert sm.labels("app") == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT", "AWSPENDING"]}
    assert rotate(sm, "app", token=C).succeeded
    assert sm.labels("app") == {B: ["AWSPREVIOUS"], C: ["AWSCURRENT"]}


def test_removing_awspending_by_hand_frees_the_secret(sm: SecretsManager, rotator: Rotator) -> None:
    rotator.before["setSecret"] = fail(times=1)
    rotate(sm, "app", rotator, token=B)
    rotator.client.update_secret_version_stage(SecretId="app", VersionStage="AWSPENDING", RemoveFromVersionId=B)
    with pytest.raises(ServiceError, match="no rotation of this secret to go on with"):
        resume(sm, "app")
    assert rotate(sm, "app", token=C).succeeded


@pytest.mark.parametrize("how", ["put_secret_value", "update_secret"])
@pytest.mark.parametrize("step", STEPS)
def test_a_value_put_by_hand_abandons_the_rotation(sm: SecretsManager, rotator: Rotator, how: str, step: str) -> None:
    rotator.after[step] = lambda: getattr(rotator.client, how)(
        SecretId="app", SecretString="by hand", ClientRequestToken=C
    )
    outcome = rotate(sm, "app", rotator, token=B)
    assert not outcome.succeeded
    assert isinstance(outcome.error, RotationError)
    assert rotator.steps == STEPS[: STEPS.index(step) + 1]
    assert names(sm) == ["RotationStarted", "RotationAbandoned"]
    assert sm.events[-1].version == B
    labels = sm.labels("app", unlabelled=True)
    assert labels[C] == ["AWSCURRENT"]
    assert "AWSPENDING" not in labels[B]
    with pytest.raises(ServiceError):
        resume(sm, "app")
    with refused("InvalidParameterException"):  # a late step of the rotation that is over
        rotator.client.put_secret_value(
            SecretId="app",
            SecretString="late",
            ClientRequestToken=B,
            VersionStages=["AWSPENDING"],
            RotationToken=rotator.events[0]["RotationToken"],
        )


def test_a_value_put_by_hand_after_the_label_moved_abandons_nothing(sm: SecretsManager, rotator: Rotator) -> None:
    rotator.after["finishSecret"] = fail(times=1)
    rotate(sm, "app", rotator, token=B)
    rotator.client.put_secret_value(SecretId="app", SecretString="by hand", ClientRequestToken=C)
    assert sm.labels("app") == {B: ["AWSPREVIOUS"], C: ["AWSCURRENT"]}
    assert names(sm) == ["RotationStarted", "RotationFailed"]


def test_a_value_put_by_hand_frees_a_stuck_secret(sm: SecretsManager, rotator: Rotator) -> None:
    rotator.before["createSecret"] = fail(times=1)
    rotate(sm, "app", rotator, token=B)
    rotator.client.put_secret_value(SecretId="app", SecretString="by hand", ClientRequestToken=C)
    assert sm.labels("app") == {A: ["AWSPREVIOUS"], C: ["AWSCURRENT"]}
    assert names(sm)[-1] == "RotationAbandoned"
    assert rotate(sm, "app").succeeded


def test_a_rotation_that_puts_its_own_value_as_current_abandons_nothing(sm: SecretsManager, rotator: Rotator) -> None:
    def create(event: dict[str, Any]) -> None:
        put = rotator.client.put_secret_value(
            SecretId="app", SecretString="at once", ClientRequestToken=event["ClientRequestToken"]
        )
        assert put["VersionStages"] == ["AWSCURRENT", "AWSPENDING"]

    rotator.create = create  # type: ignore[method-assign]
    assert rotate(sm, "app", rotator, token=B).succeeded
    assert sm.labels("app") == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}
    assert names(sm) == ["RotationStarted", "RotationSucceeded"]


def test_a_value_under_another_label_abandons_nothing(sm: SecretsManager, rotator: Rotator) -> None:
    rotator.after["setSecret"] = lambda: rotator.client.put_secret_value(
        SecretId="app", SecretString="blue", VersionStages=["blue"]
    )
    assert rotate(sm, "app", rotator, token=B).succeeded


def test_a_cancelled_rotation_runs_no_further_step_and_leaves_the_labels(sm: SecretsManager, rotator: Rotator) -> None:
    answers: list[dict[str, Any]] = []
    rotator.after["setSecret"] = lambda: answers.append(rotator.client.cancel_rotate_secret(SecretId="app"))
    outcome = rotate(sm, "app", rotator, token=B)
    assert not outcome.succeeded
    assert rotator.steps == STEPS[:2]
    assert answers[0]["VersionId"] == B
    assert sm.labels("app") == {A: ["AWSCURRENT"], B: ["AWSPENDING"]}
    assert rotator.client.describe_secret(SecretId="app")["RotationEnabled"] is False
    with pytest.raises(PreviousRotationIncomplete) as caught:  # "can block you from starting future rotations"
        rotate(sm, "app")
    assert caught.value.outcome is None
    with pytest.raises(ServiceError):
        resume(sm, "app")


def test_cancelling_keeps_the_function_for_later(sm: SecretsManager, rotator: Rotator) -> None:
    rotate(sm, "app", rotator)
    rotator.client.cancel_rotate_secret(SecretId="app")
    assert rotate(sm, "app").succeeded
    assert rotator.client.describe_secret(SecretId="app")["RotationEnabled"] is True


def test_cancelling_what_was_never_configured(sm: SecretsManager, rotator: Rotator) -> None:
    with refused("InvalidRequestException"):
        rotator.client.cancel_rotate_secret(SecretId="app")


def test_testing_a_rotation_runs_testsecret_alone_on_a_temporary_version(
    sm: SecretsManager, rotator: Rotator
) -> None:  # M10
    seen: dict[str, Any] = {}
    rotator.client.put_secret_value(SecretId="app", SecretString="v2", ClientRequestToken=C)

    def look() -> None:
        seen["labels"] = sm.labels("app")
        seen["value"] = rotator.client.get_secret_value(SecretId="app", VersionStage="AWSPENDING", VersionId=B)[
            "SecretString"
        ]

    rotator.before["testSecret"] = look
    outcome = run_test_step(sm, "app", rotator, token=B)
    assert outcome.succeeded
    assert rotator.steps == ["testSecret"]
    assert seen == {"labels": {A: ["AWSPREVIOUS"], B: ["AWSPENDING"], C: ["AWSCURRENT"]}, "value": "v2"}
    assert sm.labels("app", unlabelled=True) == {A: ["AWSPREVIOUS"], C: ["AWSCURRENT"]}
    assert names(sm) == ["TestRotationStarted", "TestRotationSucceeded"]
    assert rotator.client.describe_secret(SecretId="app")["RotationEnabled"] is True
    assert "LastRotatedDate" not in rotator.client.describe_secret(SecretId="app")
    rotator.before.clear()
    assert rotate(sm, "app").succeeded


@pytest.mark.parametrize("error", [RuntimeError("broken"), Crash()])
def test_the_temporary_version_goes_even_if_testsecret_fails(
    sm: SecretsManager, rotator: Rotator, error: BaseException
) -> None:
    rotator.before["testSecret"] = fail(error)
    if isinstance(error, Exception):
        assert run_test_step(sm, "app", rotator, token=B).error is error
        assert names(sm) == ["TestRotationStarted", "TestRotationFailed"]
    else:
        with pytest.raises(Crash):
            run_test_step(sm, "app", rotator, token=B)
    assert sm.labels("app", unlabelled=True) == {A: ["AWSCURRENT"]}
    assert sm.account.find("app").attempt is None
    with pytest.raises(ServiceError):
        resume(sm, "app")


def test_testing_is_refused_while_a_rotation_is_not_complete(sm: SecretsManager, rotator: Rotator) -> None:
    rotator.before["setSecret"] = fail()
    rotate(sm, "app", rotator, token=B)
    with pytest.raises(PreviousRotationIncomplete):
        run_test_step(sm, "app", token=C)


def test_a_placeholder_is_resumed_with_a_handler(sm: SecretsManager, rotator: Rotator) -> None:
    sm.put_placeholder("app", B)
    assert resume(sm, "app", rotator).succeeded
    assert sm.labels("app") == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}


def test_there_is_nothing_to_resume(sm: SecretsManager, rotator: Rotator) -> None:
    with pytest.raises(ServiceError):
        resume(sm, "app", rotator)
    rotate(sm, "app", rotator)
    with pytest.raises(ServiceError):
        resume(sm, "app")


def test_a_token_is_served_once(sm: SecretsManager, rotator: Rotator) -> None:
    rotate(sm, "app", rotator, token=B)
    with pytest.raises(ServiceError, match="used before"):
        rotate(sm, "app", token=B)
    with pytest.raises(ServiceError, match="ValidationException"):
        rotate(sm, "app", token="short")


def test_a_secret_without_a_function(sm: SecretsManager, rotator: Rotator) -> None:  # F1, M5
    with pytest.raises(ServiceError, match="No Lambda rotation function ARN is associated with this secret"):
        rotate(sm, "app")
    assert sm.labels("app") == {A: ["AWSCURRENT"]}


def test_the_context_counts_down(sm: SecretsManager, rotator: Rotator) -> None:
    arn = sm.add_function("my-rotation", rotator, timeout=12.0)
    rotator.before["createSecret"] = lambda: time.sleep(0.05)
    rotate(sm, "app", rotator)
    context = rotator.contexts[0]
    assert 11_000 < context.get_remaining_time_in_millis() <= 11_950
    assert context.function_name == "my-rotation"
    assert context.invoked_function_arn == arn
    assert context.log_group_name == "/aws/lambda/my-rotation"
    assert len({one.aws_request_id for one in rotator.contexts}) == 4


def test_a_step_that_takes_too_long_has_failed(sm: SecretsManager, rotator: Rotator) -> None:
    sm.add_function("slow", rotator, timeout=0.5)
    rotator.before["setSecret"] = lambda: time.sleep(1.0)
    outcome = rotate(sm, "app", rotator, token=B)
    assert isinstance(outcome.error, TimeoutError)
    assert rotator.steps == STEPS[:2]


def test_an_answer_that_is_no_json_is_an_error(sm: SecretsManager, rotator: Rotator) -> None:
    outcome = rotate(sm, "app", lambda *_: {1, 2})
    assert isinstance(outcome.error, TypeError)


@pytest.mark.parametrize("strict", [True, False])
def test_a_rotation_token_that_is_not_this_rotations(strict: bool) -> None:
    sm = SecretsManager(strict_rotation_token=strict)
    client = sm.client()
    client.create_secret(Name="app", SecretString="v1", ClientRequestToken=A)

    def put(version: str, rotation_token: str) -> None:
        client.put_secret_value(
            SecretId="app",
            SecretString="v",
            ClientRequestToken=version,
            RotationToken=rotation_token,
            VersionStages=["AWSPENDING"],
        )

    def handler(event: dict[str, Any], _: object) -> None:
        put(event["ClientRequestToken"], "x" * 36)

    error = rotate(sm, "app", handler, token=B).error
    if strict:
        assert isinstance(error, ClientError)
        assert error.response["Error"]["Code"] == "InvalidParameterException"
        assert "xxx" not in str(error)
        sm.put_placeholder("app", C, rotation_token="r" * 36)
        with refused("InvalidParameterException"):
            put(B, "r" * 36)
        put(C, "r" * 36)
    else:
        assert isinstance(error, RotationError)  # it promoted nothing, but it could put


def test_no_rotation_token_in_any_repr(sm: SecretsManager, rotator: Rotator) -> None:
    rotator.before["setSecret"] = fail()
    outcome = rotate(sm, "app", rotator)
    secret = rotator.events[0]["RotationToken"]
    record = sm.account.find("app")
    assert record.attempt is not None
    assert record.attempt.rotation_token == secret
    assert secret not in repr((outcome, sm, sm.calls, sm.events, record, record.attempt, sm.account, rotator.contexts))


def test_the_last_value_is_never_lost_on_the_way(sm: SecretsManager, rotator: Rotator) -> None:
    """AWSCURRENT has a value at every step of every rotation."""
    for step in STEPS:
        rotator.before[step] = rotator.after[step] = lambda: rotator.client.get_secret_value(SecretId="app")
    for _ in range(3):
        assert rotate(sm, "app", rotator).succeeded
