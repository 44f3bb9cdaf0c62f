"""UpdateSecretVersionStage and ListSecretVersionIds: labels moved by hand, and versions listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotators.testing.pages import page
from rotators.testing.records import day, stamp
from rotators.testing.service_error import invalid_parameter, value_not_found
from rotators.testing.versions import CURRENT, Version

if TYPE_CHECKING:
    from rotators.testing.account import Account
    from rotators.testing.records import Record

PAGE = 100


def update_secret_version_stage(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Move one label, or take it off: all or nothing (M13)."""
    record = account.live(request["SecretId"])
    stage, target, source = request["VersionStage"], request.get("MoveToVersionId"), request.get("RemoveFromVersionId")
    versions = record.versions
    if target is None and source is None:
        raise invalid_parameter("You must provide MoveToVersionId, RemoveFromVersionId, or both.")
    for version_id in (target, source):
        if version_id is not None and versions.get(version_id) is None:
            raise value_not_found(f"VersionId: {version_id}")
    holder = versions.holder(stage)
    if source is not None and (holder is None or holder.id != source):
        raise invalid_parameter(f"The staging label {stage} isn't attached to version {source}.")
    if target is None and stage == CURRENT:
        raise invalid_parameter(
            "You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.",  # noqa: RUF001 - AWS's own apostrophe
        )
    if holder is not None and source is None and holder.id != target:
        raise invalid_parameter(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to "
            f"version {holder.id}, so you must explicitly reference that version in RemoveFromVersionId.",
        )
    versions.check_room({stage})
    with account.writing(record):
        if target is None:
            versions.detach(stage)
        else:
            versions.attach(stage, versions.get(target) or versions.add(target, account.clock()))
    return {"ARN": record.arn, "Name": record.name}


def list_secret_version_ids(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Versions that have a value."""
    record = account.seen(request["SecretId"])
    deprecated = request.get("IncludeDeprecated", False)
    listed = [version for version in record.versions if version.value is not None and (version.labels or deprecated)]
    shown, more = page(listed, request, f"ListSecretVersionIds:{record.arn}", PAGE)
    return {"ARN": record.arn, "Name": record.name, "Versions": [_listed(v, record) for v in shown]} | more


def _listed(version: Version, record: Record) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "VersionId": version.id,
        "CreatedDate": stamp(version.created),
        "KmsKeyIds": [record.kms_key_id or "DefaultEncryptionKey"],
    }
    if version.labels:
        entry["VersionStages"] = sorted(version.labels)
    if version.accessed is not None:
        entry["LastAccessedDate"] = day(version.accessed)
    return entry


OPERATIONS = {
    "UpdateSecretVersionStage": update_secret_version_stage,
    "ListSecretVersionIds": list_secret_version_ids,
}
