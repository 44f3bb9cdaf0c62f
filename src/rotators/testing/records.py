"""One secret as Secrets Manager remembers it."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import Any

from rotators.testing.versions import Versions

_SUFFIX = string.ascii_letters + string.digits


@dataclass(slots=True)
class Attempt:
    """A rotation that was begun: the one that runs, or the last that did not end well."""

    token: str
    rotation_token: str = field(repr=False)
    running: bool = False
    test: bool = False  # of the function alone: RotateImmediately=false
    stopped: str | None = None  # why no further step is run: "abandoned" or "cancelled"


@dataclass(slots=True)
class Record:
    """A secret: what CreateSecret made and everything after it. Values are inside `versions` and never in the repr."""

    name: str
    arn: str
    created: float
    changed: float
    description: str | None = None
    kms_key_id: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    replicas: dict[str, str | None] = field(default_factory=dict)  # by Region, the key that encrypts it
    versions: Versions = field(default_factory=Versions)
    policy: str | None = field(default=None, repr=False)
    deletion: float | None = None
    accessed: float | None = None
    rotation_enabled: bool | None = None  # None: never configured; DescribeSecret leaves the field out
    rotation_function: str | None = None
    rotation_rules: dict[str, Any] | None = None
    last_rotated: float | None = None
    next_rotation: float | None = None
    attempt: Attempt | None = None

    @property
    def running(self) -> Attempt | None:
        """The rotation that runs at this moment."""
        return self.attempt if self.attempt is not None and self.attempt.running else None


def secret_arn(region: str, account: str, name: str) -> str:
    """A secret's ARN: its name and a hyphen and six random characters (API reference, CreateSecret.Name)."""
    suffix = "".join(secrets.choice(_SUFFIX) for _ in range(6))
    return f"arn:aws:secretsmanager:{region}:{account}:secret:{name}-{suffix}"


def day(moment: float) -> float:
    """LastAccessedDate has the resolution of a day (API reference, SecretVersionsListEntry)."""
    return moment - moment % 86400


def stamp(moment: float) -> float:
    """A timestamp on the wire: seconds since 1970 with milliseconds."""
    return round(moment, 3)


def described(record: Record) -> dict[str, Any]:
    """What DescribeSecret and ListSecrets say in common; only fields that have a value."""
    fields: dict[str, Any] = {
        "ARN": record.arn,
        "Name": record.name,
        "Description": record.description or None,
        "KmsKeyId": record.kms_key_id or None,
        "RotationEnabled": record.rotation_enabled,
        "RotationLambdaARN": record.rotation_function,
        "RotationRules": dict(record.rotation_rules) if record.rotation_rules else None,
        "LastRotatedDate": record.last_rotated and stamp(record.last_rotated),
        "LastChangedDate": stamp(record.changed),
        "LastAccessedDate": record.accessed and day(record.accessed),
        "DeletedDate": record.deletion and stamp(record.deletion),
        "NextRotationDate": record.next_rotation,
        "Tags": [{"Key": key, "Value": value} for key, value in record.tags.items()] or None,
        "CreatedDate": stamp(record.created),
        "PrimaryRegion": record.arn.split(":")[3] if record.replicas else None,
    }
    return {name: value for name, value in fields.items() if value is not None}
