"""PutSecretValue and GetSecretValue, and the one way in which a value gets into a version."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from rotators.testing.records import day, stamp
from rotators.testing.schedule import reschedule
from rotators.testing.schema import decoded
from rotators.testing.service_error import (
    ServiceError,
    invalid_parameter,
    invalid_request,
    marked_for_deletion,
    value_not_found,
)
from rotators.testing.versions import CURRENT, PENDING, Version

if TYPE_CHECKING:
    from rotators.testing.account import Account
    from rotators.testing.records import Record


def required_token(request: dict[str, Any]) -> str:
    """ClientRequestToken, which every SDK fills in by itself and the service does not (F14)."""
    token = request.get("ClientRequestToken")
    if not token:
        raise invalid_request("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    return str(token)


def value_of(request: dict[str, Any]) -> str | bytes | None:
    """The value in a request: text or bytes, never both."""
    text, binary = request.get("SecretString"), request.get("SecretBinary")
    if text is not None and binary is not None:
        raise invalid_parameter("You can't specify both a binary secret value and a string secret value.")
    if binary is not None:
        return decoded(binary)
    return None if text is None else str(text)


def store(account: Account, record: Record, token: str, value: str | bytes, stages: set[str] | None) -> Version:
    """Give a version its value and its labels, and end a rotation that this overtakes."""
    now, versions = account.clock(), record.versions
    if not any(version.value is not None for version in versions):
        # "If this operation creates the first version for the secret, then Secrets Manager automatically attaches
        # the staging label AWSCURRENT to it" (API reference, PutSecretValue; F15, M17)
        stages = {CURRENT} | (stages or set())
    wanted = {CURRENT} if stages is None else stages
    versions.check_room(wanted)
    version = versions.get(token) or versions.add(token, now)
    version.value = value
    version.created = now
    if CURRENT in wanted:
        abandon(account, record, version)
        # "Manually updating the secret value ... is considered a valid rotation" (API reference, RotationRulesType)
        reschedule(record, now)
    for label in sorted(wanted):  # AWSCURRENT before AWSPREVIOUS: a named label beats an automatic one
        versions.attach(label, version)
    return version


def abandon(account: Account, record: Record, version: Version) -> None:
    """A new AWSCURRENT made by hand takes AWSPENDING off whatever has it (F10) and ends the rotation in progress.

    RotationAbandoned: User Guide, CloudTrail entries. It also frees a secret stuck in a failed rotation.
    """
    pending, current = record.versions.holder(PENDING), record.versions.holder(CURRENT)
    attempt = record.attempt
    if attempt is not None and attempt.token != version.id:
        if attempt.running or (pending is not None and pending is not current):
            account.report("RotationAbandoned", record, attempt.token)
        attempt.stopped = "abandoned"
        record.attempt = None
    if pending is not None and pending is not version:
        record.versions.detach(PENDING)


def put_secret_value(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """A new version, or the proof that this very one exists already."""
    record = account.live(request["SecretId"])
    token = required_token(request)
    value = value_of(request)
    if not value:
        raise invalid_request("You must provide either SecretString or SecretBinary.")
    if account.strict_rotation_token:
        check_rotation_token(record, request)
    version = record.versions.get(token)
    if version is not None and version.value is not None:
        if version.value != value:
            raise token_in_use(record, token)
    else:
        with account.writing(record):
            stages = request.get("VersionStages")
            version = store(account, record, token, value, None if stages is None else set(stages))
    response = {"ARN": record.arn, "Name": record.name, "VersionId": token}
    return response | ({"VersionStages": sorted(version.labels)} if version.labels else {})


def token_in_use(record: Record, token: str) -> ServiceError:
    """A version can't be changed."""
    return ServiceError(
        "ResourceExistsException",
        f"You can't use ClientRequestToken {token} because that value is already in use "
        f"for a version of secret {record.arn}.",
    )


def check_rotation_token(record: Record, request: dict[str, Any]) -> None:
    """A RotationToken must be the one of the rotation in progress, which alone was told it."""
    given, attempt = request.get("RotationToken"), record.attempt
    if given is None:
        return
    if attempt is None or attempt.rotation_token != given or attempt.token != request["ClientRequestToken"]:
        raise invalid_parameter("The RotationToken doesn't belong to a rotation of this secret that is in progress.")


def get_secret_value(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """One value, by label, by version, or by both if they agree."""
    record = account.seen(request["SecretId"])
    if record.deletion is not None:
        raise marked_for_deletion()
    version = _asked_for(record, request.get("VersionId"), request.get("VersionStage"))
    now = day(account.clock())
    truth = account.find(record.arn)
    truth.accessed = now
    accessed = truth.versions.get(version.id)
    if accessed is not None:
        accessed.accessed = now
    return value_entry(record, version)


def _asked_for(record: Record, version_id: str | None, stage: str | None) -> Version:
    if version_id is None:
        label = stage or CURRENT
        version = record.versions.holder(label)
        missing = f"staging label: {label}"
    else:
        version = record.versions.get(version_id)
        missing = f"VersionId: {version_id}"
        if version is not None and stage is not None and stage not in version.labels:
            raise invalid_request("You provided a VersionStage that is not associated to the provided VersionId.")
    if version is None or version.value is None:  # a label may be on a version without a value: RotateSecret's
        raise value_not_found(missing)
    return version


def value_entry(record: Record, version: Version) -> dict[str, Any]:
    """A value as GetSecretValue and BatchGetSecretValue give it."""
    entry: dict[str, Any] = {
        "ARN": record.arn,
        "Name": record.name,
        "VersionId": version.id,
        "CreatedDate": stamp(version.created),
    }
    if version.labels:
        entry["VersionStages"] = sorted(version.labels)
    if isinstance(version.value, bytes):
        return entry | {"SecretBinary": base64.b64encode(version.value).decode()}
    return entry | {"SecretString": version.value}


OPERATIONS = {"PutSecretValue": put_secret_value, "GetSecretValue": get_secret_value}
