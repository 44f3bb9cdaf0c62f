"""The calls we make: what a late, lost, throttled or refused answer comes to (laws 13 and 14)."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from rotators import (
    ConfigurationError,
    RotationRefused,
    RotatorsError,
    SecretError,
    SecretStore,
    StoreUnavailable,
)
from rotators import deadline as clock
from rotators.testing import Endpoint, SecretsManager, resume, rotate, rotation_event
from rotators.testing.proxy import Proxy
from tests.core.test_guards import STEPS, Recorder, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "store-c4n4ry"


@pytest.mark.parametrize("reads", [1, 2, 5, 10])
def test_law_14_reads_that_lag_by_reads(reads: int) -> None:
    service = SecretsManager()
    stage = Stage(service)
    function = service.add_function("f", stage.rotator)
    service.lag_reads = reads
    for number in range(3):
        rules: dict[str, Any] = (
            {} if number else {"RotationLambdaARN": function, "RotationRules": {"AutomaticallyAfterDays": 9}}
        )
        stage.client.rotate_secret(SecretId=stage.arn, **rules)
        service.wait(stage.arn, 30)
        assert service.events[-1].name == "RotationSucceeded", service.events
    assert stage.rotator.called.count("create") == 3


def test_law_14_reads_that_lag_by_time() -> None:
    service = SecretsManager()
    stage = Stage(service)
    function = service.add_function("f", stage.rotator)
    service.lag_seconds = 0.4
    stage.client.rotate_secret(
        SecretId=stage.arn, RotationLambdaARN=function, RotationRules={"AutomaticallyAfterDays": 9}
    )
    service.wait(stage.arn, 30)
    assert service.events[-1].name == "RotationSucceeded"
    time.sleep(0.5)
    values = stage.client.get_secret_value(SecretId=stage.arn)
    assert json.loads(values["SecretString"])["password"] != "old"


class Failing:
    """A client one of whose methods fails a number of times."""

    def __init__(self, client: Any, operation: str, *failures: Exception, made: bool = False) -> None:
        self._client = client
        self._operation = operation
        self._failures = list(failures)
        self._made = made

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            if name == self._operation and self._failures:
                if self._made:
                    method(**parameters)
                raise self._failures.pop(0)
            return method(**parameters)

        return call


def answer(code: str, text: str = "", status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}, "x")  # type: ignore[typeddict-item]


CALLS = [
    ("createSecret", "describe_secret"),
    ("createSecret", "get_secret_value"),
    ("createSecret", "get_random_password"),
    ("createSecret", "put_secret_value"),
    ("finishSecret", "update_secret_version_stage"),
]


def run(service: SecretsManager, step: str, operation: str, *failures: Exception, made: bool = False) -> Stage:
    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)
    for earlier in STEPS[: STEPS.index(step)]:
        stage.rotator(rotation_event(earlier, stage.arn, stage.token))
    broken = Recorder(SecretStore(Failing(service.client(), operation, *failures, made=made)))
    broken(rotation_event(step, stage.arn, stage.token))
    return stage


@pytest.mark.parametrize("step, operation", CALLS)
@pytest.mark.parametrize(
    "failure",
    [answer("ThrottlingException"), answer("InternalServiceError", status=500), answer("Strange", status=503)],
    ids=["throttled", "internal", "503"],
)
def test_a_passing_failure_passes(service: SecretsManager, step: str, operation: str, failure: Exception) -> None:
    run(service, step, operation, failure, failure)


@pytest.mark.parametrize("step, operation", CALLS)
def test_a_lost_answer_is_asked_for_again(service: SecretsManager, step: str, operation: str) -> None:
    from botocore.exceptions import ReadTimeoutError

    stage = run(service, step, operation, ReadTimeoutError(endpoint_url="x"), made=True)
    if step == "finishSecret":
        assert "AWSCURRENT" in service.labels(stage.arn)[stage.token]


@pytest.mark.parametrize("step, operation", CALLS)
def test_a_failure_that_stays_is_retryable_and_bounded(service: SecretsManager, step: str, operation: str) -> None:
    with pytest.raises(StoreUnavailable, match="ThrottlingException, again and again") as caught:
        run(service, step, operation, *[answer("ThrottlingException")] * 9)
    assert caught.value.retryable


@pytest.mark.parametrize(
    "code, text, kind, said",
    [
        ("AccessDeniedException", "no", ConfigurationError, "may not do secretsmanager:"),
        ("AccessDeniedException", "Access to KMS is not allowed", ConfigurationError, "kms:Decrypt"),
        ("DecryptionFailure", "", ConfigurationError, "KMS key"),
        ("ExpiredTokenException", "", ConfigurationError, "credentials"),
        ("ResourceNotFoundException", "", RotationRefused, "can't find"),
        ("InvalidRequestException", "it was marked for deletion.", RotationRefused, "restore-secret"),
        ("Surprise", f"said {CANARY}", RotatorsError, "(Surprise)"),
    ],
)
@pytest.mark.parametrize("step, operation", [call for call in CALLS if call[1] != "get_secret_value"])
def test_an_answer_that_will_not_change(
    service: SecretsManager, step: str, operation: str, code: str, text: str, kind: type[RotatorsError], said: str
) -> None:
    with pytest.raises(kind) as caught:
        run(service, step, operation, *[answer(code, text)] * 3)
    assert said in str(caught.value)
    assert CANARY not in str(caught.value)
    assert not caught.value.retryable


def test_a_value_too_large(service: SecretsManager) -> None:
    stage = Stage(service)

    class Verbose(Recorder):
        def create(self, rotation: Any) -> Any:
            return rotation.current.replace(password="x" * 70_000)

    service.put_placeholder(stage.arn, stage.token)
    with pytest.raises(SecretError, match="65,536 bytes"):
        Verbose(SecretStore(service.client()))(rotation_event("createSecret", stage.arn, stage.token))


def test_no_endpoint_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match="interface endpoint for secretsmanager"):
        Recorder(SecretStore())(rotation_event("createSecret", "arn:x", "t" * 32))


def test_a_silent_endpoint_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy("127.0.0.1", 9, silent=True) as silent:
        monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", f"http://127.0.0.1:{silent.port}")
        begun = time.monotonic()
        with clock.running(clock.Deadline(6)), pytest.raises(StoreUnavailable):
            SecretStore().describe("arn:x")
        assert time.monotonic() - begun < 6.5


def test_the_environment_names_the_endpoint(service: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)
    with Endpoint(service) as url:
        for name in ("SECRETS_MANAGER_ENDPOINT", "AWS_ENDPOINT_URL_SECRETS_MANAGER"):
            with monkeypatch.context() as patched:
                patched.setenv(name, url)
                Recorder(SecretStore())(rotation_event("createSecret", stage.arn, stage.token))


def test_a_secret_made_anew_under_the_same_name_finds_nothing_of_the_old_one() -> None:
    store_of: dict[str, SecretStore] = {}
    seen = []
    version = str(uuid.uuid4())
    for number in range(2):
        service = SecretsManager(clock=lambda n=number: 1_800_000_000.0 + n)  # type: ignore[misc]
        client = service.client()
        arn = client.create_secret(Name="same", SecretString=f'{{"n": {number}}}', ClientRequestToken=version)["ARN"]
        store = store_of.setdefault("one", SecretStore(client))
        store._client = client
        seen.append(store.labelled(store.describe(arn), "AWSCURRENT"))
    assert [secret["n"] for secret in seen if secret] == [0, 1]


def test_the_retry_after_a_throttled_rotation(service: SecretsManager) -> None:
    stage = Stage(service)
    flaky = Failing(service.client(), "put_secret_value", *[answer("ThrottlingException")] * 5)
    rotator = Recorder(SecretStore(flaky))
    function = service.add_function("f", rotator)
    stage.client.rotate_secret(
        SecretId=stage.arn, RotationLambdaARN=function, RotationRules={"AutomaticallyAfterDays": 9}
    )
    service.wait(stage.arn, 30)
    assert service.events[-1].name == "RotationFailed"
    assert resume(service, stage.arn).succeeded
    assert rotate(service, stage.arn).succeeded
