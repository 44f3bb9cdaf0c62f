"""RotateSecret and CancelRotateSecret: what is checked and stored before the first step runs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rotators.testing.records import Attempt, Record
from rotators.testing.schedule import check_rules, reschedule
from rotators.testing.service_error import ServiceError, invalid_parameter, invalid_request
from rotators.testing.versions import CURRENT, PENDING, Version

if TYPE_CHECKING:
    from rotators.testing.account import Account
    from rotators.testing.functions import Function, Functions
    from rotators.testing.outcome import Outcome


class PreviousRotationIncomplete(ServiceError):
    """RotateSecret was refused because AWSPENDING is on another version than AWSCURRENT; that rotation is tried again.

    outcome: from the driver's `rotate`, how that went; None if it runs elsewhere or rotation is switched off
    """

    def __init__(self, outcome: Outcome | None = None) -> None:
        text = "A previous rotation isn't complete. That rotation will be reattempted."
        super().__init__("InvalidRequestException", text)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Accepted:
    """A rotation, or a test of one, that is to run."""

    record: Record
    attempt: Attempt
    function: Function
    test: bool = False


def accept(account: Account, functions: Functions, request: dict[str, Any]) -> Accepted | None:
    """Check a RotateSecret request, store what it configures and make the version it is about.

    Returns what is to run, or None if this very request was served before.
    Raises ServiceError, with nothing stored: no function (F1), a function that can't be invoked (F2), a token that is
    missing (F14), rules that are not allowed, PreviousRotationIncomplete.
    """
    record = account.live(request["SecretId"])
    token = request.get("ClientRequestToken")
    if not token:
        raise invalid_parameter("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    arn = request.get("RotationLambdaARN") or record.rotation_function
    if not arn:
        raise invalid_request("No Lambda rotation function ARN is associated with this secret.")
    rules = check_rules(request["RotationRules"]) if request.get("RotationRules") else record.rotation_rules
    function = functions.get(arn)
    if record.versions.get(token) is not None:
        return _again(record, token, function)
    if in_progress(record):
        raise PreviousRotationIncomplete
    with account.writing(record) as now:
        record.rotation_enabled, record.rotation_function, record.rotation_rules = True, arn, rules
        reschedule(record, now)
        test = request.get("RotateImmediately") is False
        version = record.versions.add(token, now)
        if test:
            _copy_current(record, version)
        record.versions.attach(PENDING, version)
        attempt = Attempt(token, str(uuid.uuid4()), running=True, test=test)
        record.attempt = attempt
    return Accepted(record, attempt, function, test)


def in_progress(record: Record) -> bool:
    """ "If the AWSPENDING staging label is present but not attached to the same version as AWSCURRENT ..." (RotateSecret)."""
    pending = record.versions.holder(PENDING)
    return record.running is not None or (pending is not None and pending is not record.versions.holder(CURRENT))


def _again(record: Record, token: str, function: Function) -> Accepted | None:
    """A token is served once: "to ensure that Secrets Manager doesn't attempt to create a secret version twice"."""
    attempt = record.attempt
    if attempt is None or attempt.token != token or attempt.running:
        return None
    attempt.running = True
    return Accepted(record, attempt, function)


def _copy_current(record: Record, version: Version) -> None:
    """testSecret reads a value under AWSPENDING, and no createSecret ran: so the temporary version has current's."""
    current = record.versions.holder(CURRENT)
    version.value = current.value if current is not None else None


def reattempt(account: Account, functions: Functions, record: Record) -> Accepted | None:
    """The rotation that did not end well, with its own token; None if it runs already or there is none.

    The version is the one under AWSPENDING, or, if a step died after it moved AWSCURRENT, the last attempt's.
    """
    with account.lock:
        pending, current, last = record.versions.holder(PENDING), record.versions.holder(CURRENT), record.attempt
        if record.running is not None or not record.rotation_enabled or record.rotation_function is None:
            return None
        if pending is not None and in_progress(record):
            token = pending.id
        elif last is not None and current is not None and current.id == last.token:
            token = last.token
        else:
            return None
        attempt = Attempt(token, str(uuid.uuid4()), running=True)
        record.attempt = attempt
        return Accepted(record, attempt, functions.get(record.rotation_function))


def cancel_rotate_secret(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Turn rotation off. The labels stay where they are, which may block the next one (API reference)."""
    record = account.live(request["SecretId"])
    if record.rotation_enabled is None:
        raise invalid_request("Rotation isn't configured for this secret.")
    with account.writing(record):
        record.rotation_enabled = False
        record.next_rotation = None
        if record.attempt is not None:
            record.attempt.stopped = "cancelled"
            record.attempt = None
    pending = record.versions.holder(PENDING) if in_progress(record) else None
    return {"ARN": record.arn, "Name": record.name} | ({"VersionId": pending.id} if pending is not None else {})
