"""``Result``: how the rotation of one secret of many ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rotators.fleet.candidate import Candidate


class Ending(Enum):
    """How it ended; the value is what people read."""

    FAILED = "failed"
    UNFINISHED = "unfinished"
    NOT_STARTED = "not started"
    LEFT_OUT = "left out"
    BEFORE = "rotated before"
    ROTATED = "rotated"

    @property
    def bad(self) -> bool:
        """Whether it counts against the budget of failures."""
        return self in {Ending.FAILED, Ending.UNFINISHED}

    @property
    def good(self) -> bool:
        """Whether the secret has its new value."""
        return self in {Ending.BEFORE, Ending.ROTATED}


@dataclass(frozen=True, slots=True)
class Result:
    """
    One secret after its rotation.

    Attributes:
        candidate: which.
        ending: how it ended.
        version: the new version's id; empty where none was asked for.
        seconds: how long it was followed.
        why: one line, where it did not end well.
    """

    candidate: Candidate
    ending: Ending
    version: str = ""
    seconds: float = 0.0
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "name": self.candidate.name,
            "arn": self.candidate.arn,
            "ending": self.ending.value,
            "version": self.version or None,
            "seconds": round(self.seconds, 1),
            "why": self.why or None,
        }
