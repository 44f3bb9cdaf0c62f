"""``Version``: one version of the secret, what carries which label, and what the target says to its value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rotators.diagnosis.answer import Answer, Kind
from rotators.machine import Step, judge, standing

if TYPE_CHECKING:
    from datetime import datetime

    from rotators.secret import Secret

UNASKED = Answer(Kind.UNASKED)


@dataclass(slots=True)
class Version:
    """
    One version.

    Attributes:
        id: which.
        labels: what it carries; none where its rotation was given up.
        created: since when it has a value, as far as Secrets Manager says it.
        value: None where it has none. Silent.
        answer: what the target says.

    Example:
        >>> Version("6f3c…", ("AWSCURRENT",)).verdicts["setSecret"]
        'done'
    """

    id: str
    labels: tuple[str, ...]
    created: datetime | None = None
    value: Secret | None = field(default=None, repr=False)
    answer: Answer = UNASKED

    @property
    def works(self) -> bool:
        """Say whether its value opens the target."""
        return self.answer.works

    @property
    def title(self) -> str:
        """Return how to call it in a sentence."""
        labels = [label for label in self.labels if label.startswith("AWS")]
        return f"{labels[0]} ({self.id})" if labels else f"version {self.id} without a label"

    @property
    def verdicts(self) -> dict[str, str]:
        """Return what the machine says to each step of an event for this version."""
        where = standing(self.labels)
        return {step.value: judge(where, step).value for step in Step}

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it: never the value."""
        return {
            "version": self.id,
            "labels": list(self.labels),
            "created": moment(self.created),
            "standing": standing(self.labels).value,
            "verdicts": self.verdicts,
            **self.answer.as_json(),
        }


def moment(at: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC, None where there is none."""
    from datetime import UTC  # noqa: PLC0415 - the type alone is needed above

    return at.astimezone(UTC).isoformat(timespec="seconds") if at is not None else None
