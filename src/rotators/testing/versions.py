"""The versions of one secret and the labels on them: the algebra that rotation rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rotators.testing.service_error import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CURRENT = "AWSCURRENT"
PENDING = "AWSPENDING"
PREVIOUS = "AWSPREVIOUS"

KEPT_VERSIONS = 100  # "Secrets Manager keeps 100 of the most recent versions" (API reference, PutSecretValue)
KEPT_SECONDS = 24 * 3600.0  # "... but it keeps all secret versions created in the last 24 hours" (same)
LABELS_PER_SECRET = 20  # quota "labels attached across all versions of a secret" (User Guide, quotas)


@dataclass(slots=True)
class Version:
    """One version: its id is the token that made it. RotateSecret makes it before there is a value."""

    id: str
    created: float
    labels: set[str] = field(default_factory=set)
    value: str | bytes | None = field(default=None, repr=False)
    accessed: float | None = None


class Versions:
    """All versions of one secret, oldest first. A label is on one version at most."""

    def __init__(self, versions: Iterable[Version] = ()) -> None:
        self._by_id: dict[str, Version] = {version.id: version for version in versions}

    def __iter__(self) -> Iterator[Version]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, version_id: str) -> Version | None:
        """The version with this id."""
        return self._by_id.get(version_id)

    def holder(self, label: str) -> Version | None:
        """The version this label is on."""
        return next((version for version in self if label in version.labels), None)

    def labelled(self) -> dict[str, list[str]]:
        """What DescribeSecret shows: every version with a label, with or without a value (F3, F12)."""
        return {version.id: sorted(version.labels) for version in self if version.labels}

    def add(self, version_id: str, now: float) -> Version:
        """A new version without value or labels."""
        self._by_id[version_id] = version = Version(version_id, now)
        self._trim(now)
        return version

    def remove(self, version_id: str) -> None:
        """Forget a version."""
        del self._by_id[version_id]

    def attach(self, label: str, version: Version) -> None:
        """Move a label here. Whoever loses AWSCURRENT gets AWSPREVIOUS (API reference, UpdateSecretVersionStage)."""
        holder = self.holder(label)
        if holder is version:
            return
        if holder is not None:
            holder.labels.discard(label)
        version.labels.add(label)
        if label == CURRENT and holder is not None:
            self.attach(PREVIOUS, holder)

    def detach(self, label: str) -> None:
        """Take a label off whatever has it."""
        holder = self.holder(label)
        if holder is not None:
            holder.labels.discard(label)

    def check_room(self, labels: set[str]) -> None:
        """Refuse before anything is changed: a write is all or nothing (the fault of M13)."""
        if len(labels.union(*(version.labels for version in self))) > LABELS_PER_SECRET:
            raise ServiceError(
                "LimitExceededException",
                f"You can't attach more than {LABELS_PER_SECRET} staging labels across all versions of a secret.",
            )

    def _trim(self, now: float) -> None:
        for version in self:
            if len(self._by_id) <= KEPT_VERSIONS:
                return
            if not version.labels and now - version.created >= KEPT_SECONDS:
                del self._by_id[version.id]
