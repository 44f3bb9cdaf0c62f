"""What a rotation refuses, and what it does not tell: laws 5, 8, 9 and 13."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

from rotators.errors import RotatorsError, SecretError, TargetUnreachable
from rotators.machine import AWSCURRENT, AWSPENDING, Step
from rotators.testing.context import LambdaContext, rotation_event
from rotators.testing.driver import resume, rotate
from rotators.testing.verbs import begin, drop, fails, put, secrets, step, succeeded, text, value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from rotators.testing.subject import Subject, Value

CANARY = "canary-in-a-bad-secret-0123456789"
#: Seconds that a function has in the test of law 13.
TIMEOUT = 4.0


class RefusalContract:
    """
    Other targets, outages, bad secrets, leaks, silence.

    Attributes:
        asking: the steps that ask the target. A provider's key is valid once it is issued, so there setSecret may not.
    """

    asking: Collection[Step] = (Step.SET, Step.TEST, Step.FINISH)

    def test_law_5_same_resource(self, subject: Subject) -> None:
        """A pending value for something else is not used at any step, and current stays."""
        other = subject.elsewhere(value(subject))
        if other is None:
            return
        for which in (Step.SET, Step.TEST, Step.FINISH):
            token = begin(subject)
            put(subject, token, other)
            refused = subject.rejections()
            assert isinstance(fails(subject, which, token), SecretError)
            assert subject.rejections() == refused
            assert AWSCURRENT not in subject.service.labels(subject.arn)[token]
            drop(subject, token)
        assert subject.opens(value(subject))

    def test_law_8_unreachable_is_not_rejected(self, subject: Subject) -> None:
        """An outage fails each step with TargetUnreachable, retryable, and changes nothing."""
        token = begin(subject)
        step(subject, Step.CREATE, token)
        for which in self.asking:
            with subject.outage():
                error = fails(subject, which, token)
            assert isinstance(error, TargetUnreachable), f"law 8 broke: an outage at {which.value} is {error!r}"
            assert error.retryable
            assert subject.opens(value(subject))
            assert subject.service.labels(subject.arn)[token] == [AWSPENDING]
        assert succeeded(resume(subject.service, subject.arn))

    def test_law_8_a_bad_secret_is_one_clear_error(self, subject: Subject) -> None:
        """Whatever somebody stores as AWSCURRENT: an error of ours, nothing changed, nothing told, and all is well again."""
        good = value(subject)
        for bad in _bad(good):
            _store(subject, bad)
            token = begin(subject)
            try:
                step(subject, Step.CREATE, token)
            except RotatorsError as error:
                assert CANARY not in str(error), "law 9 broke: the error shows what the secret holds"  # noqa: PT017
                assert len(str(error)) > len("a word"), "the error says nothing"  # noqa: PT017
            if subject.service.labels(subject.arn).get(token):
                drop(subject, token)
        _store(subject, good)
        assert subject.opens(good), "a bad secret has made the good credential invalid"
        assert succeeded(rotate(subject.service, subject.arn))
        assert subject.opens(value(subject))

    def test_law_9_no_secret_in_text(self, subject: Subject, capfd: Any, caplog: Any) -> None:
        """Not in output, log records or errors, of a good rotation and of failing ones, at the chattiest level."""
        caplog.set_level(logging.DEBUG)
        hidden: set[str] = set()
        said: list[str] = []
        for _ in range(2):
            assert succeeded(rotate(subject.service, subject.arn))
            hidden |= secrets(value(subject))
        token = begin(subject)
        step(subject, Step.CREATE, token)
        hidden |= secrets(value(subject, AWSPENDING))
        canary = "rotation-token-canary-0123456789"
        with subject.outage():
            for which in (Step.SET, Step.TEST, Step.FINISH):
                try:
                    subject.handler(rotation_event(which, subject.arn, token, canary), LambdaContext())
                except Exception as error:  # noqa: BLE001 - whatever it is, it must not tell
                    said += [str(error), repr(error), repr(vars(error)), repr(error.__context__)]
        said += [*capfd.readouterr(), *(text(record) for record in caplog.records)]
        found = sum(any(word in each for each in said) for word in hidden | {canary})
        assert found == 0, f"law 9 broke: {found} of the secret's values stand in the log, the output or an error"

    def test_law_13_a_silent_target_does_not_eat_the_functions_time(self, subject: Subject) -> None:
        """Where the subject has `silence()`: each step ends with an error before Lambda would end it."""
        silence = getattr(subject, "silence", None)
        if silence is None:
            return
        token = begin(subject)
        step(subject, Step.CREATE, token)
        for which in self.asking:
            begun = time.monotonic()
            with silence():
                try:
                    subject.handler(rotation_event(which, subject.arn, token), LambdaContext(timeout=TIMEOUT))
                except RotatorsError as error:
                    assert error.retryable  # noqa: PT017 - it may also have succeeded, without asking
            took = time.monotonic() - begun
            assert took < TIMEOUT, f"law 13 broke: {which.value} took {took:.1f} s of the function's {TIMEOUT:g} s"
        assert succeeded(resume(subject.service, subject.arn))


def _bad(good: Value) -> Iterator[dict[str, Any]]:
    """Yield what people store by mistake, as PutSecretValue's parameters."""
    for broken in (f"not JSON {CANARY}", f'["{CANARY}"]', f'"{CANARY}"', "7", "{}", f'{{"{CANARY}"'):
        if isinstance(good, dict):
            yield {"SecretString": broken}
    yield {"SecretBinary": CANARY.encode()} if not isinstance(good, bytes) else {"SecretString": CANARY}
    if isinstance(good, dict):
        for key in good:
            yield {"SecretString": json.dumps({name: each for name, each in good.items() if name != key})}
            for wrong in (None, [CANARY], 7, ""):
                yield {"SecretString": json.dumps({**good, key: wrong})}


def _store(subject: Subject, bad: Any) -> None:
    from rotators.secret import Secret  # noqa: PLC0415

    if not (isinstance(bad, dict) and set(bad) <= {"SecretString", "SecretBinary"}):
        bad = Secret(bad).stored()
    subject.service.client().put_secret_value(SecretId=subject.arn, **bad)
