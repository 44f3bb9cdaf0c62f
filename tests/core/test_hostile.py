"""What an operator, a runtime or a broken network may do to a step: it ends in time, with one of ours (laws 9, 13, 14)."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from rotators import ConfigurationError, RotationRefused, RotatorsError, SecretStore, StoreUnavailable
from rotators import deadline as clock
from rotators.testing import SecretsManager, rotation_event
from tests.core.test_guards import STEPS, Recorder, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def dripping() -> Iterator[str]:
    """An endpoint that sends a byte each tenth of a second, for ever: no socket's time-out ever strikes."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.recv(65536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: 9999\r\n\r\n"
            )
            while not stop.wait(0.1):
                connection.sendall(b" ")

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_law_13_an_endpoint_that_drips(dripping: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", dripping)
    begun = time.monotonic()
    with clock.running(clock.Deadline(1.5)), pytest.raises(StoreUnavailable, match="TimeoutError"):
        SecretStore().describe("arn:x")
    assert time.monotonic() - begun < 10  # without an end of its own it takes 1,000 s


def test_law_13_no_time_at_all(service: SecretsManager) -> None:
    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)
    service.calls.clear()
    with clock.running(clock.Deadline(0)), pytest.raises(StoreUnavailable, match="no time is left"):
        stage.rotator._store.describe(stage.arn)
    assert list(service.calls) == []


class Odd:
    """A context whose remaining time is not one."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def get_remaining_time_in_millis(self) -> Any:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.mark.parametrize("answer", [RuntimeError("no"), "abc", None, [], float("nan"), float("inf"), 10**12])
def test_an_odd_context_decides_nothing(service: SecretsManager, answer: Any) -> None:
    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)
    stage.rotator(rotation_event("createSecret", stage.arn, stage.token), Odd(answer))
    assert stage.rotator.called == ["create"]


@pytest.mark.parametrize("answer", [0, -5, 1])
def test_a_context_without_time_ends_with_one_of_ours(service: SecretsManager, answer: int) -> None:
    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)
    with pytest.raises(RotatorsError):
        stage.rotator(rotation_event("createSecret", stage.arn, stage.token), Odd(answer))


def test_a_log_that_can_not_be_written_decides_nothing(
    service: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)

    def broken(*_: Any, **__: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("rotators.telemetry._count", broken)
    monkeypatch.setattr("rotators.telemetry.Logger.info", broken)
    stage.rotator(rotation_event("createSecret", stage.arn, stage.token))
    assert stage.rotator.called == ["create"]


def test_a_bad_powertools_variable_is_named(service: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    from rotators import telemetry

    stage = Stage(service)
    monkeypatch.setattr(
        "rotators.telemetry.Logger", lambda service: int("what Powertools does for POWERTOOLS_LOG_LEVEL=NOPE")
    )
    telemetry.logger.cache_clear()
    service.calls.clear()
    try:
        with pytest.raises(ConfigurationError, match="POWERTOOLS_"):
            stage.rotator(rotation_event("createSecret", stage.arn, stage.token))
    finally:
        telemetry.logger.cache_clear()
    assert list(service.calls) == []


def test_the_sdk_is_quiet_whatever_its_level_was_set_to(
    service: SecretsManager, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)
    names = ("botocore", "botocore.endpoint", "botocore.parsers")
    before = {name: logging.getLogger(name).level for name in names}
    caplog.set_level(logging.DEBUG)
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        stage.rotator(rotation_event("createSecret", stage.arn, stage.token))
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(max(level, logging.INFO) if level else level)
    secret = json.loads(stage.client.get_secret_value(SecretId=stage.arn, VersionStage="AWSPENDING")["SecretString"])
    assert secret["password"] not in caplog.text


def test_no_frame_of_ours_stays_on_the_traceback(service: SecretsManager) -> None:
    """Some tools print the variables of every frame."""
    stage = Stage(service)
    event = rotation_event("setSecret", stage.arn, stage.token, "frame-canary-0123456789-0123456789-0123")
    service.put_placeholder(stage.arn, stage.token)
    with clock.running(clock.Deadline(1)), pytest.raises(RotationRefused) as caught:
        stage.rotator(event, Odd(1500))
    trace = caught.value.__traceback__
    seen: list[str] = []
    while trace is not None:
        if "src/rotators" in trace.tb_frame.f_code.co_filename:
            seen.append(trace.tb_frame.f_code.co_name)
            assert "frame-canary" not in repr(trace.tb_frame.f_locals)
        trace = trace.tb_next
    assert seen == ["__call__"]


class Meddling:
    """A client before one of whose calls somebody else does something."""

    def __init__(self, client: Any, operation: str, meddle: Callable[[], None]) -> None:
        self._client, self._operation, self._meddle = client, operation, meddle
        self._done = False

    def __getattr__(self, name: str) -> Any:
        if name == self._operation and not self._done:
            self._done = True
            self._meddle()
        return getattr(self._client, name)


def test_awspending_taken_away_in_the_middle_is_not_stolen_back(service: SecretsManager, impatient: None) -> None:
    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)
    other = str(uuid.uuid4())

    def take() -> None:
        stage.client.put_secret_value(
            SecretId=stage.arn,
            ClientRequestToken=other,
            SecretString='{"password":"theirs"}',
            VersionStages=["AWSPENDING"],
        )

    rotator = Recorder(SecretStore(Meddling(service.client(), "get_secret_value", take)))
    with pytest.raises(RotationRefused):
        rotator(rotation_event("createSecret", stage.arn, stage.token))
    assert service.labels(stage.arn)[other] == ["AWSPENDING"]


def test_an_operators_value_is_not_overruled_by_finish(service: SecretsManager) -> None:
    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)
    for step in STEPS[:3]:
        stage.rotator(rotation_event(step, stage.arn, stage.token))

    def replace() -> None:
        stage.client.put_secret_value(SecretId=stage.arn, SecretString='{"password":"operator"}')

    rotator = Recorder(SecretStore(Meddling(service.client(), "update_secret_version_stage", replace)))
    with pytest.raises(RotationRefused, match="moved by somebody else") as caught:
        rotator(rotation_event("finishSecret", stage.arn, stage.token))
    assert caught.value.retryable
    answer = stage.client.get_secret_value(SecretId=stage.arn)
    assert json.loads(answer["SecretString"]) == {"password": "operator"}


def test_a_lost_answer_of_finish_whose_effect_shows_late(service: SecretsManager) -> None:
    from botocore.exceptions import ReadTimeoutError

    from tests.core.test_store import Failing

    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)
    for step in STEPS[:3]:
        stage.rotator(rotation_event(step, stage.arn, stage.token))
    lost = Failing(service.client(), "update_secret_version_stage", ReadTimeoutError(endpoint_url="x"), made=True)
    service.lag_reads = 3
    Recorder(SecretStore(lost))(rotation_event("finishSecret", stage.arn, stage.token))
    assert "AWSCURRENT" in service.labels(stage.arn)[stage.token]


def test_rotation_switched_on_again_a_moment_ago(service: SecretsManager) -> None:
    """A late read says it is off."""
    stage = Stage(service)
    function = service.add_function("f", stage.rotator)
    rules = {"AutomaticallyAfterDays": 9}
    stage.client.rotate_secret(SecretId=stage.arn, RotationLambdaARN=function, RotationRules=rules)
    service.wait(stage.arn, 20)
    stage.client.cancel_rotate_secret(SecretId=stage.arn)
    service.lag_seconds = 0.6
    stage.client.rotate_secret(SecretId=stage.arn, RotationLambdaARN=function, RotationRules=rules)
    service.wait(stage.arn, 30)
    assert service.events[-1].name == "RotationSucceeded"
