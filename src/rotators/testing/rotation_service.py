"""What the service does after RotateSecret has answered: the four steps, the retries, the cleaning up."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from rotators.testing.context import rotation_event
from rotators.testing.outcome import Outcome, RotationError, StepRun
from rotators.testing.rotation_request import Accepted, PreviousRotationIncomplete, accept, reattempt
from rotators.testing.schedule import reschedule
from rotators.testing.versions import CURRENT, PENDING

if TYPE_CHECKING:
    from rotators.testing.account import Account
    from rotators.testing.functions import Functions

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class RotationService:
    """Runs rotations: in the thread of whoever calls `run`, or behind the answer to RotateSecret."""

    def __init__(self, account: Account, functions: Functions, attempts: int) -> None:
        self.attempts = attempts
        self._account = account
        self._functions = functions
        self._threads: dict[str, list[threading.Thread]] = {}
        self._closed = False

    def rotate_secret(self, account: Account, request: dict[str, Any]) -> dict[str, Any]:
        """The operation as a client sees it: it answers at once, the rotation follows."""
        try:
            accepted = accept(account, self._functions, request)
        except PreviousRotationIncomplete:
            record = account.live(request["SecretId"])
            old = reattempt(account, self._functions, record)
            if old is not None:
                self._start(old)
            raise
        if accepted is not None:
            self._start(accepted)
        record = account.live(request["SecretId"])
        return {"ARN": record.arn, "Name": record.name, "VersionId": request["ClientRequestToken"]}

    def run(self, accepted: Accepted, *, in_caller: bool = True) -> Outcome:
        """Follow a rotation to its end.

        in_caller: let a BaseException that is no Exception (a process that died) through, with everything left as it
                   is. Otherwise it counts as a failed step, and the service retries.
        """
        try:
            return (
                self._test(accepted, in_caller=in_caller)
                if accepted.test
                else self._rotate(accepted, in_caller=in_caller)
            )
        finally:
            accepted.attempt.running = False

    def _rotate(self, accepted: Accepted, *, in_caller: bool) -> Outcome:
        record, attempt, account = accepted.record, accepted.attempt, self._account
        account.report("RotationStarted", record, attempt.token)
        runs: list[StepRun] = []
        error: BaseException | None = None
        for _ in range(self.attempts):
            error = self._try(accepted, STEPS, runs, in_caller=in_caller)
            if error is None:
                break
        with account.lock:
            if attempt.stopped:
                error = RotationError(f"The rotation was {attempt.stopped}.")
            elif error is None:
                error = self._finish(accepted)
            if error is not None and not attempt.stopped:
                account.report("RotationFailed", record, attempt.token, _reason(runs))
        return Outcome(attempt.token, runs, error is None, error)

    def _try(
        self, accepted: Accepted, steps: tuple[str, ...], runs: list[StepRun], *, in_caller: bool
    ) -> BaseException | None:
        """The steps in order, up to the first error; with nothing left to do if the rotation was stopped meanwhile."""
        attempt, journal = accepted.attempt, self._account.journal
        for step in steps:
            if self._closed:
                attempt.stopped = "cut short"
            if attempt.stopped:
                return None
            event = rotation_event(step, accepted.record.arn, attempt.token, attempt.rotation_token)
            try:
                run = accepted.function.invoke(event, journal)
            except BaseException as died:
                if in_caller:
                    raise
                run = StepRun(step, 0.0, died, 0)
            runs.append(run)
            if run.error is not None:
                return run.error
        return None

    def _finish(self, accepted: Accepted) -> RotationError | None:
        """Believe a rotation only if AWSCURRENT moved; then clean up AWSPENDING, which finishSecret leaves (F4)."""
        record, token = accepted.record, accepted.attempt.token
        current = record.versions.holder(CURRENT)
        if current is None or current.id != token:
            return RotationError("Every step returned, but AWSCURRENT is not on the rotation's version.")
        with self._account.writing(record) as now:
            pending = record.versions.holder(PENDING)
            if pending is current:
                record.versions.detach(PENDING)
            record.last_rotated = now
            record.attempt = None
            reschedule(record, now)
        self._account.report("RotationSucceeded", record, token)
        return None

    def _test(self, accepted: Accepted, *, in_caller: bool) -> Outcome:
        """RotateImmediately=false: testSecret alone. The version it was given goes, whatever came of it."""
        record, attempt, account = accepted.record, accepted.attempt, self._account
        account.report("TestRotationStarted", record, attempt.token)
        runs: list[StepRun] = []
        try:
            error = self._try(accepted, ("testSecret",), runs, in_caller=in_caller)
            if error is None and attempt.stopped:
                error = RotationError(f"The test was {attempt.stopped}.")
        finally:
            with account.lock, account.writing(record):
                version = record.versions.get(attempt.token)
                if version is not None and version.labels <= {PENDING}:
                    record.versions.remove(attempt.token)
                record.attempt = None if record.attempt is attempt else record.attempt
        name = "TestRotationSucceeded" if error is None else "TestRotationFailed"
        account.report(name, record, attempt.token, _reason(runs) if error else None)
        return Outcome(attempt.token, runs, error is None, error)

    def _start(self, accepted: Accepted) -> None:
        thread = threading.Thread(
            target=self.run, args=(accepted,), kwargs={"in_caller": False}, name="rotation", daemon=True
        )
        self._threads.setdefault(accepted.record.arn, []).append(thread)
        thread.start()

    def wait(self, secret_id: str, timeout: float) -> bool:
        """True if the secret's rotations came to an end in time."""
        with self._account.lock:
            threads = list(self._threads.get(self._account.find(secret_id).arn, []))
        return _joined(threads, timeout)

    def close(self, timeout: float) -> bool:
        """Run no further step, and wait for those that run."""
        self._closed = True
        with self._account.lock:
            threads = [thread for started in self._threads.values() for thread in started]
        return _joined(threads, timeout)


def _joined(threads: list[threading.Thread], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def _reason(runs: list[StepRun]) -> str:
    """As much as the service's own event says (User Guide, CloudTrail entries)."""
    failed = next((run.step for run in reversed(runs) if run.error is not None), None)
    return f"Error when executing lambda during {failed} step" if failed else "AWSCURRENT was not moved"
