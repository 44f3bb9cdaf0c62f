"""``Action``: one step of a repair, and why it is safe. A plan is a tuple of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Act(Enum):
    """What a repair may do."""

    ROTATE = "rotate"
    FINISH = "finish"
    DROP = "drop"
    PUT_BACK = "put back"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Action:
    """
    One step.

    Attributes:
        act: what is done.
        version: with which version; empty where a new one is made.
        text: what is done, for people.
        why: why it is safe.

    Example:
        >>> resume("6f3c…").text
        'RotateSecret: Secrets Manager resumes version 6f3c… from createSecret'
    """

    act: Act
    version: str
    text: str
    why: str

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"act": self.act.value, "version": self.version, "text": self.text, "why": self.why}


Plan = tuple[Action, ...]


def resume(version: str) -> Action:
    """Let the service go on with the version that is pending."""
    return Action(
        Act.ROTATE,
        version,
        f"RotateSecret: Secrets Manager resumes version {version} from createSecret",
        "every step may run again in any state that an earlier try left (law 3), and finishSecret moves the label only to what "
        "opens (law 6)",
    )


def rotate() -> Action:
    """Begin a rotation."""
    return Action(
        Act.ROTATE,
        "",
        "RotateSecret: a new rotation",
        "nothing is pending, and each of its steps proves before it changes (laws 2, 4 and 6)",
    )


def finish(version: str) -> Action:
    """Run the rotator's own four steps here."""
    return Action(
        Act.FINISH,
        version,
        f"the four steps for version {version}, run from here, as RotateSecret has nothing to call",
        "they are the rotator's own, with all guards but the one that rotation is on: what is done is not done again (law 4), "
        "and the label moves only to what opens (law 6)",
    )


def drop(version: str, why: str) -> Action:
    """Take AWSPENDING off."""
    return Action(
        Act.DROP,
        version,
        f"UpdateSecretVersionStage: take AWSPENDING off version {version}",
        f"AWSCURRENT opens, and {why}",
    )


def put_back(version: str, user: str, where: str) -> Action:
    """Let the admin set the password that AWSCURRENT holds."""
    return Action(
        Act.PUT_BACK,
        version,
        f"the admin sets the password of {user!r} at {where} to what AWSCURRENT ({version}) holds, and a login proves it",
        "neither AWSCURRENT nor AWSPENDING opens, so it shuts nobody out who reads the secret; an admin takes no superuser over, "
        "and is used at its own server alone (laws 5 and 11)",
    )


def move(version: str, current: str) -> Action:
    """Move AWSCURRENT to a version that opens."""
    return Action(
        Act.MOVE,
        version,
        f"UpdateSecretVersionStage: move AWSCURRENT from version {current} to version {version}, after one more login with it",
        "AWSCURRENT does not open and that version does; the label never moves to what does not (law 6)",
    )
