"""The operations on a secret as a whole: Create, Describe, Update, Delete, Restore, tags and the resource policy."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from rotators.testing.random_password import random_password
from rotators.testing.records import Record, described, secret_arn, stamp
from rotators.testing.replication import replicate, status
from rotators.testing.service_error import ServiceError, invalid_parameter, invalid_request
from rotators.testing.values import required_token, store, token_in_use, value_of

if TYPE_CHECKING:
    from rotators.testing.account import Account

DAY = 86400.0
_BROAD = "This resource policy grants broad access to your secret."
DEFAULT_WINDOW, SHORTEST_WINDOW, LONGEST_WINDOW = 30, 7, 30  # days (API reference, DeleteSecret)


def create_secret(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """A new secret, with a first version if there is a value."""
    name = request["Name"]
    if not re.fullmatch(r"[A-Za-z0-9/_+=.@!-]+", name):
        raise ServiceError(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        )
    token, value = required_token(request), value_of(request)
    replicas = request.get("AddReplicaRegions", [])
    if any(replica["Region"] == account.region for replica in replicas):
        raise invalid_parameter("Invalid replica region.")
    existing = account.named(name)
    if existing is not None:
        return _created_before(existing, token, value)
    record = account.create(name)
    record.description = request.get("Description")
    record.kms_key_id = request.get("KmsKeyId")
    record.tags = {tag["Key"]: tag.get("Value", "") for tag in request.get("Tags", [])}
    replicate(account, record, replicas)
    response = {"ARN": record.arn, "Name": name} | ({"ReplicationStatus": status(record)} if replicas else {})
    if value is None:
        return response
    store(account, record, token, value, None)
    return response | {"VersionId": token}


def _created_before(record: Record, token: str, value: str | bytes | None) -> dict[str, Any]:
    """The same request again is answered again; anything else is refused (API reference, ClientRequestToken)."""
    if record.deletion is not None:
        raise invalid_request(
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    version = record.versions.get(token)
    if version is None:
        raise ServiceError(
            "ResourceExistsException", f"The operation failed because the secret {record.name} already exists."
        )
    if version.value != value:
        raise token_in_use(record, token)
    return {"ARN": record.arn, "Name": record.name, "VersionId": token}


def describe_secret(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Everything but values."""
    record = account.seen(request["SecretId"])
    labelled = record.versions.labelled()
    replicas = {"ReplicationStatus": status(record)} if record.replicas else {}
    return described(record) | ({"VersionIdsToStages": labelled} if labelled else {}) | replicas


def update_secret(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """New metadata, or a new AWSCURRENT."""
    record = account.live(request["SecretId"])
    token, value = required_token(request), value_of(request)
    old = record.versions.get(token)
    if value is not None and old is not None and old.value is not None:
        raise token_in_use(record, token)  # even with the same value (API reference, UpdateSecret)
    with account.writing(record):
        record.description = request.get("Description", record.description)
        record.kms_key_id = request.get("KmsKeyId", record.kms_key_id)
        if value is not None:
            store(account, record, token, value, None)
    return {"ARN": record.arn, "Name": record.name} | ({"VersionId": token} if value is not None else {})


def delete_secret(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Mark for deletion, or delete at once."""
    force, days = request.get("ForceDeleteWithoutRecovery", False), request.get("RecoveryWindowInDays")
    if force and days is not None:
        raise invalid_parameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    if days is not None and not SHORTEST_WINDOW <= days <= LONGEST_WINDOW:
        raise invalid_parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
    now, secret_id = account.clock(), request["SecretId"]
    replicated = account.lookup(secret_id)
    if replicated is not None and replicated.replicas:  # "first remove its replicas" (API reference, DeleteSecret)
        raise invalid_request(
            f"You can't delete a secret that still has replica regions {sorted(replicated.replicas)}."
        )
    if force:
        record = account.lookup(secret_id)
        if record is None:  # "does not return ResourceNotFoundException" (API reference, DeleteSecret)
            arn = secret_id if secret_id.startswith("arn:") else secret_arn(account.region, account.account, secret_id)
            return {"ARN": arn, "Name": secret_id, "DeletionDate": stamp(now)}
        account.purge(record)
        return {"ARN": record.arn, "Name": record.name, "DeletionDate": stamp(now)}
    record = account.find(secret_id)
    if record.deletion is not None:
        raise invalid_request(
            "You can't perform this operation on the secret because it was already scheduled for deletion.",
        )
    with account.writing(record):
        record.deletion = now + (DEFAULT_WINDOW if days is None else days) * DAY
    return {"ARN": record.arn, "Name": record.name, "DeletionDate": stamp(record.deletion)}


def restore_secret(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Take the mark away."""
    record = account.find(request["SecretId"])
    with account.writing(record):
        record.deletion = None
    return {"ARN": record.arn, "Name": record.name}


def tag_resource(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Add tags."""
    record = account.live(request["SecretId"])
    with account.writing(record):
        record.tags |= {tag["Key"]: tag.get("Value", "") for tag in request["Tags"]}
    return {}


def untag_resource(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags; one that is not there is no error."""
    record = account.live(request["SecretId"])
    with account.writing(record):
        for key in request["TagKeys"]:
            record.tags.pop(key, None)
    return {}


def put_resource_policy(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Attach a policy. That it is JSON with a Statement is checked, and on demand that it does not let everybody in."""
    record = account.live(request["SecretId"])
    if request.get("PolicyName", "default") != "default":
        raise invalid_parameter("You can only attach the default policy.")
    if _lets_everybody_in(request["ResourcePolicy"]) and request.get("BlockPublicPolicy"):
        raise ServiceError("PublicPolicyException", _BROAD)
    record.policy = request["ResourcePolicy"]
    return {"ARN": record.arn, "Name": record.name}


def get_resource_policy(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """The policy, if there is one."""
    record = account.live(request["SecretId"])
    return {"ARN": record.arn, "Name": record.name} | ({"ResourcePolicy": record.policy} if record.policy else {})


def delete_resource_policy(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Remove the policy."""
    record = account.live(request["SecretId"])
    record.policy = None
    return {"ARN": record.arn, "Name": record.name}


def validate_resource_policy(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Check a policy before it is put. Of what AWS checks: that it is one, and that it does not let everybody in."""
    if "SecretId" in request:
        account.live(request["SecretId"])
    wide = _lets_everybody_in(request["ResourcePolicy"])
    errors = [{"CheckName": "PUBLIC_ACCESS", "ErrorMessage": _BROAD}]
    return {"PolicyValidationPassed": not wide, "ValidationErrors": errors if wide else []}


def _lets_everybody_in(policy: str) -> bool:
    return any(
        statement.get("Effect") == "Allow" and _everybody(statement.get("Principal")) and not statement.get("Condition")
        for statement in _statements(policy)
    )


def _statements(policy: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(policy)
    except ValueError:
        document = None
    if not isinstance(document, dict) or "Statement" not in document:
        raise ServiceError("MalformedPolicyDocumentException", "This resource policy contains invalid Json.")
    statements = document["Statement"]
    return [each for each in (statements if isinstance(statements, list) else [statements]) if isinstance(each, dict)]


def _everybody(principal: Any) -> bool:
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    return "*" in (named if isinstance(named, list) else [named])


def get_random_password(_account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """A password; no secret is involved."""
    return {"RandomPassword": random_password(request)}


OPERATIONS = {
    "CreateSecret": create_secret,
    "DescribeSecret": describe_secret,
    "UpdateSecret": update_secret,
    "DeleteSecret": delete_secret,
    "RestoreSecret": restore_secret,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "PutResourcePolicy": put_resource_policy,
    "GetResourcePolicy": get_resource_policy,
    "DeleteResourcePolicy": delete_resource_policy,
    "ValidateResourcePolicy": validate_resource_policy,
    "GetRandomPassword": get_random_password,
}
