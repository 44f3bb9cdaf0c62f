"""
``Rotator``: the base class that runs the machine. Subclass it and fill the holes: ``set`` and ``test``.

One private method a step, four hooks, one final ``__call__``: an instance is the Lambda handler. What is final can't be
skipped by a subclass; what a subclass gets wrong is caught by ``rotators.testing``.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, final

from rotators import deadline
from rotators.deadline import Deadline
from rotators.errors import RotationRefused, RotatorsError, SecretError, hook_failed
from rotators.event import RotationEvent
from rotators.machine import AWSPENDING, Standing, Step, Verdict, judge, standing
from rotators.passwords import PasswordPolicy
from rotators.rotation import Rotation
from rotators.store import SETTLE, SecretStore, counting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.description import Description
    from rotators.secret import Secret
    from rotators.telemetry import StepReport


class Rotator(ABC):
    """
    Rotates one kind of credential. Inherit it, write ``set`` and ``test``, and name the instance as the handler.

    Args:
        store: the Secrets Manager calls; by default those of the environment.
        passwords: what a new password looks like; by default AWS's variables, overruled by the secret's tags.

    Example:
        >>> class Relay(Rotator):
        ...     def set(self, rotation: Rotation) -> None: ...
        ...     def test(self, secret: Secret) -> None: ...
        >>> handler = Relay()
    """

    def __init__(self, *, store: SecretStore | None = None, passwords: PasswordPolicy | None = None) -> None:
        self._store = store or SecretStore()
        self._passwords = passwords

    # -- the hooks ---------------------------------------------------------------------------------------------------

    def create(self, rotation: Rotation) -> Secret:
        """
        Return the value the new version is to hold. By default the current one with a fresh ``password``.

        Called once a version: with a value stored, createSecret does nothing (law 2). It may still be called again when
        the answer to storing it was lost, so what it makes elsewhere must be found again by ``rotation.version``.
        """
        if "password" not in rotation.current:
            raise SecretError("'password' is missing in the secret; expected the password to rotate")
        return rotation.current.replace(password=rotation.draw_password(self.password_policy(rotation)))

    @abstractmethod
    def set(self, rotation: Rotation) -> None:
        """
        Make ``rotation.pending`` valid at the target. May run any number of times (law 3).

        Raises:
            ChangeRefused: the target would not have it.
            TargetUnreachable: the target could not be asked.
        """

    @abstractmethod
    def test(self, secret: Secret) -> None:
        """
        Return if the credential works; one harmless read is enough.

        Raises:
            CredentialRejected: the target knows it and refuses it.
            TargetUnreachable: the target could not be asked (law 8: that is another answer).
        """

    def retire(self, rotation: Rotation) -> None:
        """Make the oldest credential invalid, just before AWSCURRENT moves (law 7). By default nothing."""

    def check(self, rotation: Rotation) -> None:
        """Refuse a pending value that is for something else than the current one (law 5). By default nothing."""

    def password_policy(self, rotation: Rotation) -> PasswordPolicy:
        """Return what a new password looks like."""
        return self._passwords or PasswordPolicy.read(tags=rotation.about.tags)

    def facts(self) -> Mapping[str, str]:
        """Return what the log should say of this rotator, such as its engine."""
        return {"rotator": type(self).__name__}

    @final
    def say(self, **fields: str | float) -> None:
        """Add facts to the log line of the step that runs. Never a secret: what stands here is read by many (law 9)."""
        from rotators import telemetry  # noqa: PLC0415 - loaded by then

        telemetry.add(**fields)

    # -- the machine -------------------------------------------------------------------------------------------------

    @final
    def __call__(self, event: Any, context: object = None) -> None:
        """
        Run one step. This is the Lambda handler.

        Args:
            event: what Secrets Manager sent.
            context: Lambda's; its remaining time bounds every wait (law 13).

        Raises:
            RotatorsError: always one of the tree in ``rotators.errors``; Secrets Manager then runs the rotation again.
        """
        from rotators import telemetry  # noqa: PLC0415 - Powertools costs 40 ms; `import rotators` must not pay them

        begun = time.monotonic()
        report = telemetry.StepReport(self.facts())
        failure: RotatorsError | None = None
        with deadline.running(Deadline.of(context)), telemetry.reporting(report), counting() as calls:
            try:
                self._run(event, report)
            except RotatorsError as error:
                failure = error
            except Exception as error:  # noqa: BLE001 - a subclass's own: its text may hold anything
                failure = hook_failed(error, report.hidden())
            report.add(calls=len(calls))
            report.close(failure, seconds=time.monotonic() - begun)
        if failure is not None:
            failure.step, failure.secret_id, failure.version = report.step, report.secret_id, report.version
            failure.__cause__ = failure.__context__ = None
            raise failure

    def _run(self, event: Any, report: StepReport) -> None:
        call = RotationEvent.parse(event)
        report.began(call.step, call.secret_id, call.version)
        about, where = self._guard(call)
        verdict = judge(where, call.step)
        report.judged(where, verdict)
        if verdict is Verdict.DONE:
            return
        if verdict is Verdict.REFUSE:
            raise RotationRefused(_way_out(call, about))
        rotation = Rotation(
            self._store,
            secret_id=call.secret_id,
            version=call.version,
            step=call.step,
            about=about,
            token=call.token,
        )
        report.hides(rotation.hidden)
        run = {Step.CREATE: self._create, Step.SET: self._set, Step.TEST: self._test, Step.FINISH: self._finish}
        run[call.step](rotation, report)

    def _guard(self, call: RotationEvent) -> tuple[Description, Standing]:
        """Ask what the token is, again for a while where the labels may be older than the call (law 14)."""
        end = Deadline(min(SETTLE, deadline.current().left() / 3))
        pause = 0.05
        while True:
            about = self._store.describe(call.secret_id)
            if about.rotation_enabled is False:
                raise RotationRefused(
                    f"rotation is off for {call.secret_id}: `aws secretsmanager rotate-secret` with --rotation-lambda-arn "
                    "and --rotation-rules turns it on"
                )
            if about.deleted:
                raise RotationRefused(
                    f"{call.secret_id} is marked for deletion: `aws secretsmanager restore-secret` brings it back"
                )
            where = standing(about.labels.get(call.version))
            if where in {Standing.PENDING, Standing.CURRENT} or end.left() <= 0:
                return about, where
            time.sleep(min(pause, end.left()))
            pause = min(2 * pause, 0.8)

    def _create(self, rotation: Rotation, _: StepReport) -> None:
        if not rotation.has_pending():
            rotation.store(self.create(rotation))

    def _set(self, rotation: Rotation, _: StepReport) -> None:
        self.check(rotation)
        self.set(rotation)

    def _test(self, rotation: Rotation, _: StepReport) -> None:
        self.check(rotation)
        self.test(rotation.pending)

    def _finish(self, rotation: Rotation, report: StepReport) -> None:
        self.check(rotation)
        self.test(rotation.pending)  # law 6
        self.retire(rotation)  # law 7
        rotation.promote()
        report.window_closed()


def _way_out(call: RotationEvent, about: Description) -> str:
    """Say why the token may not be worked on, and which call repairs it."""
    again = f"start a new rotation with `aws secretsmanager rotate-secret --secret-id {call.secret_id}`"
    labels = about.labels.get(call.version)
    if labels is None:
        return (
            f"{call.secret_id} has no version {call.version} with a label: the token is not this secret's, or its rotation "
            f"was abandoned; {again}"
        )
    if not labels:
        return f"version {call.version} of {call.secret_id} has no label any more: its rotation was abandoned; {again}"
    holder = about.holder(AWSPENDING)
    stuck = (
        f"; AWSPENDING is on {holder}, which `aws secretsmanager update-secret-version-stage --secret-id {call.secret_id} "
        f"--version-stage AWSPENDING --remove-from-version-id {holder}` takes off if its rotation is dead"
        if holder
        else ""
    )
    return f"version {call.version} of {call.secret_id} is not AWSPENDING but {', '.join(labels)}{stuck}; {again}"
