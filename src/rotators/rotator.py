"""
``Rotator``: the base class that runs the machine. Subclass it and fill the holes: ``set`` and ``test``.

One private method a step, four hooks, one final ``__call__``: an instance is the Lambda handler. What is final can't be
skipped by a subclass; what a subclass gets wrong is caught by ``rotators.testing``.
"""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self, final

from rotators import deadline, waiting
from rotators.deadline import Deadline
from rotators.errors import (
    ConfigurationError,
    CredentialRejected,
    RotationRefused,
    RotatorsError,
    SecretError,
    stranger,
)
from rotators.event import RotationEvent
from rotators.guards import off, way_out
from rotators.loading import uncollected
from rotators.machine import Standing, Step, Verdict, judge, standing
from rotators.passwords import PasswordPolicy
from rotators.rotation import Rotation
from rotators.secret import Secret
from rotators.store import SecretStore, counting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from rotators.description import Description
    from rotators.telemetry import StepReport

#: How a value begins that was meant to be JSON.
BROKEN = ("{", "[")


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

    #: The keys that say what a secret opens, as against with what.
    resource_keys: Collection[str] = frozenset(
        {
            "engine",
            "host",
            "port",
            "username",
            "dbname",
            "ssl",
            "url",
            "endpoint",
            "account",
            "region",
            "masterarn",
            "adminarn",
        }
    )

    def __init__(self, *, store: SecretStore | None = None, passwords: PasswordPolicy | None = None) -> None:
        self._store = store or SecretStore()
        self._passwords = passwords

    # -- the hooks ---------------------------------------------------------------------------------------------------

    def create(self, rotation: Rotation) -> Secret:
        """
        Return the value the new version is to hold. By default the current one with a fresh ``password``, or a fresh string
        where the whole value is one.

        Called once a version: with a value stored, createSecret does nothing (law 2). It may still be called again when
        the answer to storing it was lost, so what it makes elsewhere must be found again by ``rotation.version``.
        """
        if rotation.current.plain:
            if rotation.current.text.lstrip().startswith(
                BROKEN
            ):  # more likely a slip than a credential: it is not lost
                rotation.current.keyed()
            policy = self.password_policy(rotation)
            drawn = rotation.draw_password(policy)
            while drawn.startswith(BROKEN):  # or the next rotation would take it for one
                drawn = rotation.draw_password(policy)
            return Secret(drawn)
        if "password" not in rotation.current:
            raise SecretError("'password' is missing in the secret; expected the password to rotate")
        return rotation.current.replace(password=rotation.draw_password(self.password_policy(rotation)))

    @abstractmethod
    def set(self, rotation: Rotation) -> None:
        """
        Make ``rotation.pending`` valid at the target. May run any number of times (law 3).

        Ask with ``rotation.current`` and let a refusal be known: then pending is tried, as an earlier try may have set it
        (law 4), and if that opens the step has succeeded.

        Raises:
            CredentialRejected: the target refused the authority that asked.
            ChangeRefused: the target would not have the change.
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

    def test_once(self, secret: Secret) -> None:
        """
        Do what `test` does without waiting for what may show late: what a diagnosis asks. By default it is `test`.

        Raises:
            CredentialRejected, TargetUnreachable: as `test`.
        """
        self.test(secret)

    def compare(self, rotation: Rotation) -> None:
        """
        Refuse a pending credential that can do less or more than the current one (law 12). By default nothing.

        Raises:
            ChangeRefused: names the differences.
        """

    def retire(self, rotation: Rotation) -> None:
        """Make the oldest credential invalid, just before AWSCURRENT moves (law 7). By default nothing."""

    def check(self, rotation: Rotation) -> None:
        """
        Refuse a pending value that is for something else than the current one, before it is used (law 5).

        By default the keys of `resource_keys` must be the same in both.

        Raises:
            SecretError: names the keys that differ.
        """
        if not rotation.current.plain:
            self.same(rotation, rotation.current, rotation.pending, self.resource_keys)
        elif not rotation.pending.plain:
            raise SecretError("the AWSPENDING value has keys and AWSCURRENT has none; it was not used")

    def password_policy(self, rotation: Rotation) -> PasswordPolicy:
        """Return what a new password looks like."""
        return self._passwords or PasswordPolicy.read(tags=rotation.about.tags)

    def facts(self) -> Mapping[str, str]:
        """Return what the log should say of this rotator, such as its engine."""
        return {"rotator": type(self).__name__}

    @final
    def same(
        self, rotation: Rotation, expected: Mapping[str, Any], found: Mapping[str, Any], keys: Iterable[str]
    ) -> None:
        """Compare pending with what it should be; the error names the keys and the way out, never a value."""
        wrong = sorted(f"'{key}'" for key in keys if expected.get(key) != found.get(key))
        if wrong:
            raise SecretError(
                f"the AWSPENDING value is for another target than AWSCURRENT: {', '.join(wrong)} differ. It was not used. "
                f"Take it off with `aws secretsmanager update-secret-version-stage --secret-id {rotation.secret_id} "
                f"--version-stage AWSPENDING --remove-from-version-id {rotation.version}` and rotate again"
            )

    @final
    def on(self, store: SecretStore) -> Self:
        """Return the same rotator on other Secrets Manager calls, such as those of an operator's own profile."""
        other = copy.copy(self)
        other._store = store  # noqa: SLF001 - its own
        return other

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
        telemetry = _telemetry()
        begun = time.monotonic()
        report: StepReport = telemetry.StepReport()
        failure: RotatorsError | None = None
        with deadline.running(Deadline.of(context)), telemetry.reporting(report), counting() as calls:
            try:
                telemetry.logger()
                telemetry.received(event)
                report.add(**self.facts())
                self._run(event, report)
            except RotatorsError as error:
                failure = error
            except Exception as error:  # noqa: BLE001 - a subclass's own: its text may hold anything
                failure = stranger(error, report.hidden())
            report.add(calls=len(calls))
            report.close(failure, seconds=time.monotonic() - begun)
        if failure is not None:
            failure.step, failure.secret_id, failure.version = report.step, report.secret_id, report.version
            failure.__cause__ = failure.__context__ = None
            del event, report  # law 9: some tools print the variables of every frame, and this frame stays
            raise failure.with_traceback(None)

    def _run(self, event: Any, report: StepReport) -> None:
        call = RotationEvent.parse(event)
        report.began(call.step, call.secret_id, call.version)
        about, where = self._guard(call)
        verdict = judge(where, call.step)
        report.judged(where, verdict)
        if verdict is Verdict.DONE:
            return
        if verdict is Verdict.REFUSE:
            raise RotationRefused(way_out(call, about))
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
        for pause in waiting.pauses():
            about = self._store.describe(call.secret_id)
            where = standing(about.labels.get(call.version))
            refusal = off(call, about)
            if not refusal and where in {Standing.PENDING, Standing.CURRENT}:
                break
            if pause is not None:
                time.sleep(pause)
        if refusal:
            raise RotationRefused(refusal)
        return about, where

    def _create(self, rotation: Rotation, _: StepReport) -> None:
        if not rotation.has_pending():
            rotation.store(self.create(rotation))

    def _set(self, rotation: Rotation, _: StepReport) -> None:
        self.check(rotation)
        try:
            self.set(rotation)
        except CredentialRejected as rejected:
            self._set_already(rotation, rejected)

    def _set_already(self, rotation: Rotation, rejected: CredentialRejected) -> None:
        """Law 4: who asks with current and is refused may have set pending in an earlier try. Then it opens."""
        try:
            self.test(rotation.pending)
        except CredentialRejected:
            raise rejected from None

    def _test(self, rotation: Rotation, _: StepReport) -> None:
        self.check(rotation)
        self.test(rotation.pending)
        self.compare(rotation)  # law 12

    def _finish(self, rotation: Rotation, report: StepReport) -> None:
        self.check(rotation)
        self.test(rotation.pending)  # law 6
        self.retire(rotation)  # law 7
        rotation.promote()
        report.window_closed()


def _telemetry() -> Any:
    """Load Powertools when the first step runs: it costs 40 ms, and `import rotators` must not pay them."""
    problem = ""
    try:
        with uncollected():
            return import_module("rotators.telemetry")
    except Exception as error:  # noqa: BLE001 - Powertools reads its variables while it is imported
        problem = f"{type(error).__name__}: {error}"
    raise ConfigurationError(
        f"aws-lambda-powertools can't be loaded ({problem}): install it, check POWERTOOLS_… variables"
    )
