"""What happened at the service: every call and every event of its own, in order, without a value in any of them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Call:
    """One API call. Neither values nor the RotationToken are kept.

    operation:   ``GetSecretValue`` and so on
    secret_id:   as the caller wrote it: name, ARN or partial ARN; None where the operation has none
    version:     the version asked for, or made, or the label's new place
    stages:      the labels named in the call
    remove_from: UpdateSecretVersionStage's RemoveFromVersionId
    error:       the error's code, None if it succeeded
    """

    operation: str
    secret_id: str | None = None
    version: str | None = None
    stages: tuple[str, ...] = ()
    remove_from: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What the service reports of its own accord, the CloudTrail "service events" (User Guide, CloudTrail entries).

    name:    RotationStarted, RotationSucceeded, RotationFailed, RotationAbandoned, TestRotationStarted,
             TestRotationSucceeded or TestRotationFailed
    arn:     the secret
    version: the version the rotation is about
    reason:  of a failure, and no more than the service itself knows: which step
    """

    name: str
    arn: str
    version: str
    reason: str | None = None


@dataclass(slots=True)
class Journal:
    """Calls and events of one account."""

    calls: list[Call] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def count(self, operation: str) -> int:
        """How many calls of one operation."""
        return sum(call.operation == operation for call in self.calls)
