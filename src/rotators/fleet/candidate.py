"""``Candidate``: a secret that may be rotated, as ListSecrets or DescribeSecret tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from rotators.fleet.listing import tagged

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    One secret before its rotation.

    Attributes:
        arn, name: which.
        group: two secrets of one group are never rotated at the same time; empty for none.
        obstacle: why RotateSecret must not be called for it; empty where it may be.
        versions: its versions' labels.

    Example:
        >>> Candidate.of(entry, region="eu-central-1", apart_by="rotators:apart").obstacle
        'it has no rotation'
    """

    arn: str
    name: str
    group: str
    obstacle: str
    versions: Mapping[str, list[str]]

    @classmethod
    def of(cls, entry: Mapping[str, Any], *, region: str, apart_by: str) -> Self:
        """
        Read an entry of ListSecrets, or an answer of DescribeSecret.

        Args:
            entry: the one or the other.
            region: the one that was asked.
            apart_by: the tag whose value is the group.
        """
        return cls(
            arn=entry["ARN"],
            name=entry["Name"],
            group=tagged(entry).get(apart_by, ""),
            obstacle=_obstacle(entry, region),
            versions=entry.get("VersionIdsToStages") or entry.get("SecretVersionsToStages") or {},
        )


def _obstacle(entry: Mapping[str, Any], region: str) -> str:
    primary = entry.get("PrimaryRegion") or region
    if entry.get("DeletedDate"):
        return "it is marked for deletion"
    if primary != region:
        return f"it is a replica: rotate it in {primary}"
    if entry.get("RotationEnabled"):
        return ""
    if "RotationEnabled" in entry or entry.get("RotationLambdaARN"):
        return "its rotation is off, and RotateSecret would switch it on again"  # API reference, RotateSecret
    return "it has no rotation"
