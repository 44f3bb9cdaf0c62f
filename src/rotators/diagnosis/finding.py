"""``Finding``: what is wrong in one sentence, and the one command that helps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rotators.diagnosis.plan import Plan


class State(Enum):
    """How a secret stands; the value is what people read."""

    HEALTHY = "healthy"
    OFF = "rotation off"
    PENDING = "pending"
    HALF_DONE = "half done"
    STUCK = "stuck"
    BROKEN = "does not open"
    OVERDUE = "overdue"
    ADMIN = "no admin"
    MALFORMED = "malformed"
    EMPTY = "empty"
    DELETED = "deleted"
    UNREACHABLE = "unreachable"

    @property
    def code(self) -> int:
        """The exit code: 0 healthy, 1 somebody is needed, 2 it can't be told."""
        if self in {State.HEALTHY, State.OFF}:
            return 0
        return 2 if self is State.UNREACHABLE else 1


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What is wrong, and what helps.

    Attributes:
        state: in a word or two.
        reason: in one sentence.
        command: the one that helps, to be pasted; empty where none is needed.
        plan: what `rotators repair` would do.

    Example:
        >>> judged(examination, Paste("arn:…")).state
        <State.HEALTHY: 'healthy'>
    """

    state: State
    reason: str
    command: str = ""
    plan: Plan = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "state": self.state.value,
            "reason": self.reason,
            "command": self.command,
            "plan": [action.as_json() for action in self.plan],
        }
