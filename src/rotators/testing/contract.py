"""
``RotatorContract``: the proof any rotator must pass, one test a law. Inherit it, give it a subject, run pytest.

::

    class TestWebhook(RotatorContract):
        @pytest.fixture
        def subject(self):
            return WebhookSubject()

It is opinionated: a credential is proven by dying at every external call of a rotation and being retried as Secrets
Manager retries, and after each death it asks what every labelled version opens.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from rotators.errors import CredentialRejected, RotationRefused, RotatorsError, SecretError, TargetUnreachable
from rotators.machine import AWSCURRENT, AWSPENDING, Step
from rotators.testing.context import LambdaContext, rotation_event
from rotators.testing.driver import resume, rotate, test_rotation
from rotators.testing.faults import Crash, Fault, Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import AbstractContextManager

    from rotators.testing.outcome import Outcome
    from rotators.testing.secrets_manager import SecretsManager

RETRIES = 3


class Subject(Protocol):
    """
    One secret, what it opens, and the rotator between them. Made anew for each test.

    ``arn`` must have its rotation configured with a function that calls ``handle``.
    """

    service: SecretsManager
    arn: str
    handler: Callable[[Any, Any], Any]

    def new_sandbox(self) -> None:
        """Put a handler into ``handler`` that shares no memory with the one before: the old process is dead."""

    def opens(self, value: dict[str, Any]) -> bool:
        """Ask the target, by other means than the rotator's own code, whether a value opens it."""

    def elsewhere(self, value: dict[str, Any]) -> dict[str, Any] | None:
        """Return the value changed to name another target or user; None where a value names none."""

    def outage(self) -> AbstractContextManager[object]:
        """Make the target unreachable while the block lasts."""

    def rejections(self) -> int:
        """Return how many credentials the target has refused so far, by its own count; 0 where it keeps none."""


class RotatorContract:
    """
    One test a law. ``subject`` is a fixture of the subclass.

    Attributes:
        asking: the steps that ask the target. A provider's key is valid once it is issued, so there setSecret may not.
    """

    asking: Collection[Step] = (Step.SET, Step.TEST, Step.FINISH)

    def test_it_rotates(self, subject: Subject) -> None:
        """Three rotations; after each AWSCURRENT opens, and other keys are as they were."""
        for _ in range(3):
            before = _value(subject)
            assert _succeeded(rotate(subject.service, subject.arn))
            after = _value(subject)
            assert after != before
            assert list(after) == list(before)
            assert subject.opens(after)

    def test_law_1_refuse_before_touching(self, subject: Subject) -> None:
        """A stray token changes nothing and asks only DescribeSecret. The steps run at once: each waits for late labels."""
        before, refused = subject.service.labels(subject.arn), subject.rejections()
        subject.service.calls.clear()
        errors = together([partial(_step, subject, step, str(uuid.uuid4())) for step in Step])
        assert [type(error) for error in errors] == [RotationRefused] * len(Step)
        assert {call.operation for call in subject.service.calls} == {"DescribeSecret"}
        assert subject.service.labels(subject.arn) == before
        assert subject.rejections() == refused
        assert subject.opens(_value(subject))

    def test_law_2_pending_is_the_write_ahead_log(self, subject: Subject) -> None:
        """createSecret stores a value, changes nothing at the target, and keeps what is stored."""
        token = _begin(subject)
        _step(subject, Step.CREATE, token)
        pending = _value(subject, AWSPENDING)
        assert subject.opens(_value(subject))
        subject.new_sandbox()
        subject.service.calls.clear()
        _step(subject, Step.CREATE, token)
        assert _value(subject, AWSPENDING) == pending
        assert not [call for call in subject.service.calls if call.operation == "PutSecretValue"]

    def test_law_3_every_step_may_run_twice(self, subject: Subject) -> None:
        """By the same process and by a new one."""
        token = _begin(subject)
        for step in Step:
            _step(subject, step, token)
            _step(subject, step, token)
            subject.new_sandbox()
            _step(subject, step, token)
        assert subject.opens(_value(subject))

    def test_law_3_a_crash_at_every_call(self, subject: Subject) -> None:
        """The process dies before and after each external call in turn; the retry finishes what it began."""
        assert _succeeded(rotate(subject.service, subject.arn))
        counted = Faults()
        subject.new_sandbox()
        with counted.installed():
            assert _succeeded(rotate(subject.service, subject.arn))
        for fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
            for point in range(len(counted.seen)):
                self.die_and_heal(subject, Faults(point, fault))
        assert _succeeded(rotate(subject.service, subject.arn))
        assert subject.opens(_value(subject))

    def test_law_3_an_answer_lost_at_every_call(self, subject: Subject) -> None:
        """Each external call in turn is made and its answer lost, or never made, or throttled."""
        counted = Faults()
        with counted.installed():
            assert _succeeded(rotate(subject.service, subject.arn))
        for fault in (Fault.LOST_ANSWER, Fault.NO_ANSWER, Fault.THROTTLED):
            for point in range(len(counted.seen)):
                self.die_and_heal(subject, Faults(point, fault))

    def die_and_heal(self, subject: Subject, faults: Faults) -> None:
        """Rotate with one fault, retry as the service does, and ask after each try what opens."""
        subject.new_sandbox()
        where = f"{faults.fault.name} at call {faults.at}"
        outcome: Outcome | None = None
        with faults.installed():
            try:
                outcome = rotate(subject.service, subject.arn)
            except Crash:
                outcome = None
        assert any(subject.opens(value) for value in stored(subject)), f"{where}: nothing that is stored opens"
        if outcome is not None and outcome.error is not None:
            assert isinstance(outcome.error, RotatorsError), f"{where}: {outcome.error!r} is not one of ours"
        for _ in range(RETRIES):
            if outcome is not None and outcome.succeeded:
                break
            subject.new_sandbox()
            outcome = (
                resume(subject.service, subject.arn) if _is_pending(subject) else rotate(subject.service, subject.arn)
            )
        assert outcome is not None
        assert outcome.succeeded, f"{where}: the retries did not heal it: {outcome.error}"
        assert subject.opens(_value(subject)), f"{where}: AWSCURRENT does not open"

    def test_law_3_five_at_once(self, subject: Subject) -> None:
        """Each step by five threads; all end well, or with a retryable error that the retry ends well."""
        token = _begin(subject)
        for step in Step:
            failures = together([partial(_step, subject, step, token)] * 5)
            assert [e for e in failures if not (isinstance(e, RotatorsError) and e.retryable)] == []
            _step(subject, step, token)
        assert AWSCURRENT in subject.service.labels(subject.arn)[token]
        assert subject.opens(_value(subject))

    def test_law_4_know_before_you_set(self, subject: Subject) -> None:
        """A normal rotation causes no failed login."""
        refused = subject.rejections()
        assert _succeeded(rotate(subject.service, subject.arn))
        assert subject.rejections() == refused

    def test_law_5_same_resource(self, subject: Subject) -> None:
        """A pending value for something else is not used at any step, and current stays."""
        other = subject.elsewhere(_value(subject))
        if other is None:
            return
        for step in (Step.SET, Step.TEST, Step.FINISH):
            token = _begin(subject)
            _put(subject, token, other)
            refused = subject.rejections()
            assert isinstance(_fails(subject, step, token), SecretError)
            assert subject.rejections() == refused
            assert AWSCURRENT not in subject.service.labels(subject.arn)[token]
            _drop(subject, token)
        assert subject.opens(_value(subject))

    def test_law_6_never_promote_what_does_not_open(self, subject: Subject) -> None:
        """finishSecret alone, on a value that was stored and never set."""
        token = _begin(subject)
        _step(subject, Step.CREATE, token)
        if subject.opens(_value(subject, AWSPENDING)):
            return  # the provider issues keys that work at once
        for step in (Step.TEST, Step.FINISH):
            subject.new_sandbox()
            assert isinstance(_fails(subject, step, token), CredentialRejected)
            assert subject.service.labels(subject.arn)[token] == [AWSPENDING]
        assert subject.opens(_value(subject))

    def test_law_6_proven_at_the_last_moment(self, subject: Subject) -> None:
        """A value that opened at testSecret and no longer does at finishSecret, in the same process."""
        token = _begin(subject)
        for step in (Step.CREATE, Step.SET, Step.TEST):
            _step(subject, step, token)
        with subject.outage():
            assert isinstance(_fails(subject, Step.FINISH, token), TargetUnreachable)
            assert AWSCURRENT not in subject.service.labels(subject.arn)[token]
        _step(subject, Step.FINISH, token)
        assert subject.opens(_value(subject))

    def test_law_8_unreachable_is_not_rejected(self, subject: Subject) -> None:
        """An outage fails each step with TargetUnreachable, retryable, and changes nothing."""
        token = _begin(subject)
        _step(subject, Step.CREATE, token)
        for step in self.asking:
            with subject.outage():
                error = _fails(subject, step, token)
            assert isinstance(error, TargetUnreachable), error
            assert error.retryable
            assert subject.opens(_value(subject))
            assert subject.service.labels(subject.arn)[token] == [AWSPENDING]
        assert _succeeded(resume(subject.service, subject.arn))

    def test_law_9_no_secret_in_text(self, subject: Subject, capfd: Any, caplog: Any) -> None:
        """Not in output, log records or errors, of a good rotation and of failing ones, at the chattiest level."""
        caplog.set_level(logging.DEBUG)
        hidden: set[str] = set()
        said: list[str] = []
        for _ in range(2):
            assert _succeeded(rotate(subject.service, subject.arn))
            hidden |= _secrets(_value(subject))
        token = _begin(subject)
        _step(subject, Step.CREATE, token)
        hidden |= _secrets(_value(subject, AWSPENDING))
        canary = "rotation-token-canary-0123456789"
        with subject.outage():
            for step in (Step.SET, Step.TEST, Step.FINISH):
                try:
                    subject.handler(rotation_event(step, subject.arn, token, canary), LambdaContext())
                except Exception as error:  # noqa: BLE001 - whatever it is, it must not tell
                    said += [str(error), repr(error), repr(vars(error)), repr(error.__context__)]
        said += [*capfd.readouterr(), *(_text(record) for record in caplog.records)]
        found = [word for word in hidden | {canary} if any(word in text for text in said)]
        assert found == []

    def test_law_14_secrets_manager_may_answer_late(self, subject: Subject) -> None:
        """Every read lags three reads behind."""
        subject.service.lag_reads = 3
        try:
            assert _succeeded(rotate(subject.service, subject.arn))
        finally:
            subject.service.lag_reads = 0
        for _ in range(4):
            latest = _value(subject)  # this reader lags too
        assert subject.opens(latest)

    def test_a_test_alone(self, subject: Subject) -> None:
        """RotateImmediately=false: testSecret alone, on a temporary pending version."""
        assert _succeeded(test_rotation(subject.service, subject.arn))
        assert subject.opens(_value(subject))


def _succeeded(outcome: Outcome) -> bool:
    assert outcome.succeeded, f"the rotation failed: {outcome.error}"
    return True


def _begin(subject: Subject) -> str:
    token = str(uuid.uuid4())
    subject.service.put_placeholder(subject.arn, token)
    return token


def _step(subject: Subject, step: Step, token: str) -> None:
    subject.handler(rotation_event(step.value, subject.arn, token), LambdaContext())


def together(works: list[Callable[[], None]]) -> list[BaseException]:
    """Run all at the same moment and return what they raised."""
    raised: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        gate.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the caller looks at it
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    return raised


def _fails(subject: Subject, step: Step, token: str) -> RotatorsError:
    try:
        _step(subject, step, token)
    except RotatorsError as error:
        return error
    raise AssertionError(f"{step.value} succeeded and should have been refused")


def _value(subject: Subject, label: str = AWSCURRENT) -> dict[str, Any]:
    answer = subject.service.client().get_secret_value(SecretId=subject.arn, VersionStage=label)
    value: dict[str, Any] = json.loads(answer["SecretString"])
    return value


def stored(subject: Subject) -> list[dict[str, Any]]:
    """Return every value the secret holds, labelled or not: the likeliest to open first."""
    client = subject.service.client()
    versions: list[Any] = []
    more: dict[str, Any] = {}
    while True:
        page = client.list_secret_version_ids(SecretId=subject.arn, IncludeDeprecated=True, MaxResults=100, **more)
        versions += page["Versions"]
        if not page.get("NextToken"):
            break
        more = {"NextToken": page["NextToken"]}
    rank = {AWSCURRENT: 0, AWSPENDING: 1}
    versions.sort(key=lambda v: str(v["CreatedDate"]), reverse=True)
    versions.sort(key=lambda v: min([rank.get(label, 2) for label in v.get("VersionStages", [])] or [2]))
    answers = (client.get_secret_value(SecretId=subject.arn, VersionId=v["VersionId"]) for v in versions)
    return [json.loads(answer["SecretString"]) for answer in answers]


def _put(subject: Subject, token: str, value: dict[str, Any]) -> None:
    subject.service.client().put_secret_value(
        SecretId=subject.arn, ClientRequestToken=token, SecretString=json.dumps(value), VersionStages=[AWSPENDING]
    )


def _drop(subject: Subject, token: str) -> None:
    subject.service.client().update_secret_version_stage(
        SecretId=subject.arn, VersionStage=AWSPENDING, RemoveFromVersionId=token
    )


def _is_pending(subject: Subject) -> bool:
    return any(
        AWSPENDING in labels and AWSCURRENT not in labels for labels in subject.service.labels(subject.arn).values()
    )


def _secrets(value: dict[str, Any]) -> set[str]:
    from rotators.secret import Secret  # noqa: PLC0415

    return Secret(value).hidden()


def _text(record: logging.LogRecord) -> str:
    return f"{record.getMessage()} {record.__dict__!r}"
