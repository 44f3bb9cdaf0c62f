"""What an undisturbed rotation does, step by step: laws 1, 2, 3, 6 and 14."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING

from rotators.errors import CredentialRejected, RotationRefused, RotatorsError, TargetUnreachable
from rotators.machine import AWSCURRENT, AWSPENDING, Step
from rotators.testing.driver import rotate, test_rotation
from rotators.testing.verbs import begin, fails, labelled, nothing_to_come, step, succeeded, together, value

if TYPE_CHECKING:
    from rotators.testing.subject import Subject


class RotationContract:
    """Order, repetition, concurrency, reads that lag."""

    def test_it_rotates(self, subject: Subject) -> None:
        """Three rotations; after each AWSCURRENT opens, and other keys are as they were."""
        for _ in range(3):
            before = value(subject)
            assert succeeded(rotate(subject.service, subject.arn))
            after = value(subject)
            assert after != before, "AWSCURRENT holds what it held before"
            assert type(after) is type(before)
            if isinstance(before, dict):
                assert list(after)[: len(before)] == list(before), "keys of the secret, or their order, have changed"
            assert subject.opens(after), "AWSCURRENT does not open"

    def test_law_1_refuse_before_touching(self, subject: Subject) -> None:
        """A stray token changes nothing and asks only DescribeSecret. The steps run at once: each waits for late labels."""
        before, refused = subject.service.labels(subject.arn), subject.rejections()
        subject.service.calls.clear()
        with nothing_to_come():
            errors = together([partial(step, subject, which, str(uuid.uuid4())) for which in Step])
        assert [type(error) for error in errors] == [RotationRefused] * len(Step)
        assert {call.operation for call in subject.service.calls} == {"DescribeSecret"}
        assert subject.service.labels(subject.arn) == before
        assert subject.rejections() == refused
        assert subject.opens(value(subject))

    def test_law_2_pending_is_the_write_ahead_log(self, subject: Subject) -> None:
        """createSecret stores a value, changes nothing at the target, and keeps what is stored."""
        token = begin(subject)
        step(subject, Step.CREATE, token)
        pending = value(subject, AWSPENDING)
        assert subject.opens(value(subject)), "createSecret has made AWSCURRENT invalid"
        subject.new_sandbox()
        subject.service.calls.clear()
        step(subject, Step.CREATE, token)
        assert value(subject, AWSPENDING) == pending, "createSecret has replaced the pending value by another"
        assert not [call for call in subject.service.calls if call.operation == "PutSecretValue"]

    def test_law_2_no_step_before_its_turn(self, subject: Subject) -> None:
        """setSecret, testSecret and finishSecret on a version that createSecret has stored nothing in: refused, no change."""
        before, token = value(subject), begin(subject)
        steps = (Step.SET, Step.TEST, Step.FINISH)  # at once: each waits for a value that may show late
        with nothing_to_come():
            errors = together([partial(step, subject, which, token) for which in steps])
        assert len(errors) == len(steps), "a step succeeded without a pending value"
        assert all(isinstance(error, RotatorsError) for error in errors), errors
        assert AWSCURRENT not in subject.service.labels(subject.arn)[token]
        assert value(subject) == before
        assert subject.opens(before), "a step without a pending value has made AWSCURRENT invalid"

    def test_law_3_every_step_may_run_twice(self, subject: Subject) -> None:
        """By the same process and by a new one."""
        token = begin(subject)
        for which in Step:
            step(subject, which, token)
            step(subject, which, token)
            subject.new_sandbox()
            step(subject, which, token)
        assert subject.opens(value(subject))

    def test_law_3_five_at_once(self, subject: Subject) -> None:
        """Each step by five threads; all end well, or with a retryable error that the retry ends well."""
        token = begin(subject)
        for which in Step:
            failures = together([partial(step, subject, which, token)] * 5)
            bad = [error for error in failures if not (isinstance(error, RotatorsError) and error.retryable)]
            assert bad == [], f"{which.value}, run five times at once, failed for good"
            step(subject, which, token)
        assert AWSCURRENT in subject.service.labels(subject.arn)[token]
        assert subject.opens(value(subject))

    def test_law_4_know_before_you_set(self, subject: Subject) -> None:
        """A normal rotation causes no failed login."""
        refused = subject.rejections()
        assert succeeded(rotate(subject.service, subject.arn))
        assert subject.rejections() == refused

    def test_law_6_never_promote_what_does_not_open(self, subject: Subject) -> None:
        """finishSecret alone, on a value that was stored and never set."""
        token = begin(subject)
        step(subject, Step.CREATE, token)
        if subject.opens(value(subject, AWSPENDING)):
            return  # the provider issues keys that work at once
        for which in (Step.TEST, Step.FINISH):
            subject.new_sandbox()
            assert isinstance(fails(subject, which, token), CredentialRejected)
            assert subject.service.labels(subject.arn)[token] == [AWSPENDING]
        assert subject.opens(value(subject))

    def test_law_6_proven_at_the_last_moment(self, subject: Subject) -> None:
        """A value that opened at testSecret and no longer does at finishSecret, in the same process."""
        token = begin(subject)
        for which in (Step.CREATE, Step.SET, Step.TEST):
            step(subject, which, token)
        with subject.outage():
            assert isinstance(fails(subject, Step.FINISH, token), TargetUnreachable)
            assert AWSCURRENT not in subject.service.labels(subject.arn)[token]
        step(subject, Step.FINISH, token)
        assert subject.opens(value(subject))

    def test_law_7_previous_is_what_current_was(self, subject: Subject) -> None:
        """The labels of two rotations: what was current is previous, and nothing is pending that is not current."""
        for _ in range(2):
            before = value(subject)
            assert succeeded(rotate(subject.service, subject.arn))
            held = labelled(subject)
            assert held["AWSPREVIOUS"] == before
            assert held.get(AWSPENDING, held[AWSCURRENT]) == held[AWSCURRENT]

    def test_law_14_secrets_manager_may_answer_late(self, subject: Subject) -> None:
        """Every read lags three reads behind."""
        subject.service.lag_reads = 3
        try:
            assert succeeded(rotate(subject.service, subject.arn))
        finally:
            subject.service.lag_reads = 0
        for _ in range(4):
            latest = value(subject)  # this reader lags too
        assert subject.opens(latest)

    def test_a_test_alone(self, subject: Subject) -> None:
        """RotateImmediately=false: testSecret alone, on a temporary pending version."""
        assert succeeded(test_rotation(subject.service, subject.arn))
        assert subject.opens(value(subject))
