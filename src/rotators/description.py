"""What DescribeSecret says of a secret, as far as a rotation needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Description:
    """
    One answer of DescribeSecret.

    Attributes:
        arn: the secret's full ARN.
        created: when it was created; tells it from another of the same name.
        rotation_enabled: None where rotation was never configured.
        deleted: whether it is marked for deletion.
        labels: version id to labels; a version without a value is listed too, one without labels is not.
        tags: by key.
    """

    arn: str
    created: str
    rotation_enabled: bool | None
    deleted: bool
    labels: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, str]

    def holder(self, label: str) -> str | None:
        """Return the version that carries a label."""
        return next((version for version, labels in self.labels.items() if label in labels), None)

    @classmethod
    def of(cls, answer: Mapping[str, Any], secret_id: str) -> Self:
        """Read the API's answer."""
        return cls(
            arn=answer.get("ARN", secret_id),
            created=str(answer.get("CreatedDate", "")),
            rotation_enabled=answer.get("RotationEnabled"),
            deleted="DeletedDate" in answer,
            labels={version: tuple(labels) for version, labels in answer.get("VersionIdsToStages", {}).items()},
            tags={tag["Key"]: tag.get("Value", "") for tag in answer.get("Tags", [])},
        )
