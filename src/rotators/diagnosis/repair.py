"""``Repair``: carries out a plan, one action after the other, and only while the secret stands as it was diagnosed."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rotators import deadline, telemetry, waiting
from rotators.calls import call
from rotators.description import Description
from rotators.diagnosis.answer import Answer, Asked, Kind
from rotators.diagnosis.held import asked, for_people
from rotators.diagnosis.plan import Act, Action
from rotators.diagnosis.version import UNASKED
from rotators.errors import ConfigurationError, RotationRefused, RotatorsError, TargetUnreachable, scrub
from rotators.machine import AWSCURRENT, AWSPENDING, Step
from rotators.refusals import translate
from rotators.store import SecretStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rotators.diagnosis.diagnosis import Diagnosis
    from rotators.diagnosis.target import Target
    from rotators.secret import Secret

#: Seconds between two looks at a rotation that runs.
LOOK = 0.5
Labels = dict[str, frozenset[str]]


class Changed(Exception):
    """The secret is not what it was when it was diagnosed: somebody else is at work, and nothing more is done."""


class OperatorsStore(SecretStore):
    """
    The calls of steps that an operator runs: the guard that rotation is on is for events of the service, which come late. Here
    somebody has asked for this very version to be finished. All other guards stand.
    """

    def describe(self, secret_id: str) -> Description:
        """Call DescribeSecret."""
        return replace(super().describe(secret_id), rotation_enabled=None)


class Repair:
    """
    Carries out what a diagnosis has planned.

    Args:
        diagnosis: of the secret, made just now.
        client: an operator's boto3 ``secretsmanager`` client.
        wait: seconds that a rotation is followed for.

    Example:
        >>> Repair(diagnosis, client).run(print)
    """

    def __init__(self, diagnosis: Diagnosis, client: Any, *, wait: float = 60.0) -> None:
        self._diagnosis, self._client, self._wait = diagnosis, client, wait
        self._arn = diagnosis.found.held.about.arn
        self._expected = _labels(diagnosis.found.held.about.labels)
        self._enabled = diagnosis.found.held.about.rotation_enabled

    def run(self, said: Callable[[str], None]) -> None:
        """
        Do it; `said` is told after each action.

        Raises:
            Changed: the secret is not what it was any more.
            RotatorsError: an action failed; scrubbed.
        """
        does = {
            Act.ROTATE: self._rotate,
            Act.FINISH: self._finish,
            Act.DROP: self._drop,
            Act.PUT_BACK: self._put_back,
            Act.MOVE: self._move,
        }
        for number, action in enumerate(self._diagnosis.finding.plan, 1):
            self._unchanged()
            failure: RotatorsError | None = None
            try:
                told = does[action.act](action)
            except RotatorsError as error:
                failure = error
            if failure is not None:
                failure.args = (scrub(for_people(failure), self._diagnosis.found.held.hidden),)
                raise failure
            said(f"{number}. {told}")

    def follow(self) -> bool:
        """Wait until no version is pending, at most as long as was said. Returns whether that is so."""
        end = time.monotonic() + self._wait
        while True:
            about = self._describe()
            pending = about.holder(AWSPENDING)
            if pending is None or pending == about.holder(AWSCURRENT):
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(LOOK)

    # -- the actions -------------------------------------------------------------------------------------------------

    def _rotate(self, action: Action) -> str:
        """RotateSecret; with a version pending it answers with a refusal, and resumes that."""
        token = str(uuid.uuid4())
        resumed = []

        def answered(error: Exception) -> Exception | None:
            if "previous rotation" in str(error).lower():
                resumed.append(True)
                return None
            if "cannot invoke" in str(error).lower():
                return ConfigurationError(
                    f"Secrets Manager may not invoke {self._diagnosis.found.held.schedule.function}: allow it with `aws lambda "
                    "add-permission` for the principal secretsmanager.amazonaws.com"
                )
            return translate(error, "rotate_secret", self._arn, missing=False)

        call(lambda: self._client, "rotate_secret", {"SecretId": self._arn, "ClientRequestToken": token}, answered)
        if resumed and not action.version:
            raise Changed
        over = self.follow()
        what = f"version {action.version} was resumed" if resumed else f"version {token} was begun"
        return f"{what}: {'its rotation is over' if over else f'it is pending still after {self._wait:g} s'}"

    def _finish(self, action: Action) -> str:
        rotator = self._target.rotator.on(OperatorsStore(self._client))
        for step in Step:
            with telemetry.noting():
                rotator({"Step": step.value, "SecretId": self._arn, "ClientRequestToken": action.version})
        return f"version {action.version} was finished, and is AWSCURRENT"

    def _drop(self, action: Action) -> str:
        self._still_opens()
        self._stage(AWSPENDING, RemoveFromVersionId=action.version)
        left = self._expected.pop(action.version) - {AWSPENDING}
        if left:
            self._expected[action.version] = left
        return f"AWSPENDING was taken off version {action.version}"

    def _put_back(self, action: Action) -> str:
        self._not_set_since()
        self._target.put_back()
        self._unchanged()  # a rotation that ran meanwhile may have moved on: then the next diagnosis says so
        return f"the password that AWSCURRENT ({action.version}) holds was set, and opens"

    def _move(self, action: Action) -> str:
        held = self._diagnosis.found.held
        version = next(version for version in held.versions if version.id == action.version)
        assert version.value is not None  # noqa: S101 - it has opened
        assert held.current is not None  # noqa: S101 - or there were no such plan
        answer = self._asked(version.value)  # law 6
        if not answer.works:
            raise TargetUnreachable(f"version {action.version} does not open any more: {answer.said or answer.word}")
        self._stage(AWSCURRENT, MoveToVersionId=action.version, RemoveFromVersionId=held.current.id)
        self._expected = _labels(self._describe().labels)
        return f"AWSCURRENT was moved to version {action.version}"

    @property
    def _target(self) -> Target:
        target = self._diagnosis.found.target
        assert target is not None  # noqa: S101 - or there were no such plan
        return target

    def _stage(self, label: str, **versions: str) -> None:
        """Move a label, if it is where it was: of two at once, one is refused."""
        try:
            asked(
                self._client,
                "update_secret_version_stage",
                self._arn,
                SecretId=self._arn,
                VersionStage=label,
                **versions,
            )
        except RotationRefused:
            raise Changed from None

    # -- what it rests on --------------------------------------------------------------------------------------------

    def _unchanged(self) -> None:
        """Ask once more, just before; again for a while where our own last change may show late (law 14)."""
        for pause in waiting.pauses():
            about = self._describe()
            same = about.rotation_enabled == self._enabled and not about.deleted
            if same and _labels(about.labels) == self._expected:
                return
            if pause is not None:
                time.sleep(pause)
        raise Changed

    def _still_opens(self) -> None:
        """
        Ask AWSCURRENT once more: a step that somebody began since moves no label, and makes AWSPENDING the password in use.

        Where AWSCURRENT opens (and if it does it is no failed login), nobody is shut out by what happens to AWSPENDING.
        """
        held = self._diagnosis.found.held
        version = next(version for version, labels in self._expected.items() if AWSCURRENT in labels)
        value = next((each.value for each in held.versions if each.id == version), None)
        answer = self._asked(value) if value is not None else UNASKED
        if answer.kind is Kind.REJECTED:
            raise Changed
        if not answer.works:
            raise TargetUnreachable(f"AWSCURRENT could not be asked once more: {answer.said or answer.word}")

    def _not_set_since(self) -> None:
        """Ask AWSPENDING once more: a step that somebody began since may have set it, and is about to move the label to it."""
        pending = self._diagnosis.found.held.pending
        if pending is None or pending.value is None or pending.answer.kind is not Kind.REJECTED:
            return
        if self._asked(pending.value).works:
            raise Changed

    def _asked(self, value: Secret) -> Answer:
        return Asked().of(self._target.rotator, value, hidden=self._diagnosis.found.held.hidden)

    def _describe(self) -> Description:
        with deadline.running(deadline.Deadline()):
            answer = asked(self._client, "describe_secret", self._arn, SecretId=self._arn)
        return Description.of(answer, self._arn)


def _labels(labels: Mapping[str, tuple[str, ...]]) -> Labels:
    return {version: frozenset(its) for version, its in labels.items()}
