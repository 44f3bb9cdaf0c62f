"""``Examination``: everything that a diagnosis is made of, as `examine` has found it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rotators.diagnosis.answer import Answer, Asked, Kind

if TYPE_CHECKING:
    from rotators.diagnosis.held import Held
    from rotators.diagnosis.room import Room
    from rotators.diagnosis.target import Target
    from rotators.diagnosis.version import Version

#: What an earlier run began may still be going on for so long. Source: Lambda developer guide, quotas: function timeout.
RUNNING = timedelta(minutes=15)


@dataclass(slots=True)
class Examination:
    """
    What was found.

    Attributes:
        held: what Secrets Manager says.
        target: the far side; None where the value does not say what it opens.
        asked: how many logins it took.
        deep: whether everything was asked.
        admins_secret: the admin's, empty where none is named.
        admin: what the target says to the admin; None where none is named, or nobody was asked.
        room: of keys; None where there are none.
        malformed: why the current value says nothing.
        notes: what else an operator should know.
        now: when.

    Example:
        >>> examine("app", client).held.current.works
        True
    """

    held: Held
    target: Target | None = None
    asked: Asked = field(default_factory=Asked)
    deep: bool = False
    admins_secret: str = ""
    admin: Answer | None = None
    room: Room | None = None
    malformed: str = ""
    notes: list[str] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def pending_since(self) -> datetime | None:
        """Since when a version waits, None where none does: when it got its value, else the secret's last change."""
        pending = self.held.pending
        if pending is None:
            return None
        return pending.created or self.held.schedule.changed

    @property
    def may_run(self) -> bool:
        """Say whether a step for the pending version may be running at this moment."""
        since = self.pending_since
        return since is not None and self.now - since < RUNNING

    @property
    def older(self) -> Version | None:
        """An older version that opens, None where none is known."""
        found = [version for version in (self.held.previous, *self.held.loose) if version is not None and version.works]
        return found[0] if found else None

    @property
    def unreachable(self) -> bool:
        """Say whether anything could not be asked from this machine."""
        answers = [version.answer for version in self.held.versions] + ([self.admin] if self.admin else [])
        return any(answer.kind is Kind.UNREACHABLE for answer in answers)
