"""``Schedule``: the rotation of a secret as DescribeSecret tells it: on or off, by whom, when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from rotators.diagnosis.version import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    When and by whom a secret is rotated.

    Attributes:
        enabled: None where rotation was never configured.
        function: the function's ARN; empty for none.
        rule: how often, as AWS says it.
        last, next, changed, deleted: when; None where DescribeSecret does not say.

    Example:
        >>> Schedule.of(client.describe_secret(SecretId="app")).can_rotate
        True
    """

    enabled: bool | None
    function: str
    rule: str
    last: datetime | None
    next: datetime | None
    changed: datetime | None
    deleted: datetime | None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Read the API's answer."""
        rules = answer.get("RotationRules") or {}
        days = rules.get("AutomaticallyAfterDays")
        return cls(
            enabled=answer.get("RotationEnabled"),
            function=answer.get("RotationLambdaARN") or "",
            rule=str(rules.get("ScheduleExpression") or (f"every {days} days" if days else "")),
            last=answer.get("LastRotatedDate"),
            next=answer.get("NextRotationDate"),
            changed=answer.get("LastChangedDate"),
            deleted=answer.get("DeletedDate"),
        )

    @property
    def can_rotate(self) -> bool:
        """Say whether RotateSecret has something to call, and nobody has turned it off."""
        return bool(self.enabled and self.function)

    @property
    def word(self) -> str:
        """Return it in a word."""
        return {True: "on", False: "off", None: "never set up"}[self.enabled]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        times = {"last_rotated": self.last, "next": self.next, "changed": self.changed, "deleted": self.deleted}
        return {
            "enabled": self.enabled,
            "function": self.function,
            "rule": self.rule,
            **{name: moment(at) for name, at in times.items()},
        }
