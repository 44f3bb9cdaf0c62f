"""``Origin``: who made a report, when, of what and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """
    What an auditor asks of a page before believing it.

    Attributes:
        made: when the list was read, with its time zone.
        by: who made it, as they say.
        command: what was typed.
        regions: those that were asked.
        version: of rotators.

    Example:
        >>> Origin(datetime.now(UTC), "alice", "rotators report --html r.html", ["eu-central-1"], "0.1.0").by
        'alice'
    """

    made: datetime
    by: str
    command: str
    regions: Sequence[str]
    version: str

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "made": self.made.isoformat(timespec="seconds"),
            "by": self.by,
            "command": self.command,
            "regions": list(self.regions),
            "version": self.version,
        }
