"""``Rotated``: one secret and how its rotation stands, worst first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Any, Self

from rotators.machine import AWSCURRENT, AWSPENDING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A rotation takes seconds, and Secrets Manager tries for hours: pending for longer, nobody works on it any more.
STUCK_AFTER = timedelta(hours=24)


class Standing(Enum):
    """How a secret's rotation stands, the worst first; the value is what people read."""

    STUCK = "stuck"
    OVERDUE = "overdue"
    NEVER = "never rotated"
    OFF = "rotation off"
    PENDING = "pending"
    DELETED = "deleted"
    FINE = "fine"

    @property
    def bad(self) -> bool:
        """Whether somebody should do something."""
        return self in {Standing.STUCK, Standing.OVERDUE, Standing.NEVER}


@dataclass(frozen=True, slots=True)
class Rotated:
    """
    One secret that is rotated, or was to be.

    Attributes:
        arn, name, region: which.
        standing: how it stands.
        last, next: when it was rotated, and by when it will be.
        pending_since: since when a version waits, at the earliest; None where none does.
        rule: how often, as AWS says it.

    Example:
        >>> Rotated.of(entry, region="eu-central-1", now=datetime.now(UTC)).standing
        <Standing.FINE: 'fine'>
    """

    arn: str
    name: str
    region: str
    standing: Standing
    last: datetime | None
    next: datetime | None
    pending_since: datetime | None
    rule: str

    @classmethod
    def of(cls, entry: Mapping[str, Any], *, region: str, now: datetime) -> Self | None:
        """Read one entry of ListSecrets; None for a secret that nobody ever set a rotation up for."""
        if "RotationEnabled" not in entry and not entry.get("RotationLambdaARN"):
            return None
        stages = entry.get("SecretVersionsToStages", {}).values()
        waits = any(AWSPENDING in labels and AWSCURRENT not in labels for labels in stages)
        changed, last, following = (
            entry.get(name) for name in ("LastChangedDate", "LastRotatedDate", "NextRotationDate")
        )
        if entry.get("DeletedDate"):
            standing = Standing.DELETED
        elif waits:  # the list does not say since when: the label came with the last change, or before
            standing = Standing.STUCK if changed is None or now - changed > STUCK_AFTER else Standing.PENDING
        elif not entry.get("RotationEnabled"):
            standing = Standing.OFF
        elif following is not None and following < now:
            standing = Standing.OVERDUE
        elif last is None:
            standing = Standing.NEVER
        else:
            standing = Standing.FINE
        return cls(
            arn=entry["ARN"],
            name=entry["Name"],
            region=region,
            standing=standing,
            last=last,
            next=following,
            pending_since=changed if waits else None,
            rule=_rule(entry.get("RotationRules") or {}),
        )

    @property
    def order(self) -> tuple[int, float, str]:
        """Return what to sort by: the worst first, and of these the one that waits longest."""
        since = self.pending_since or self.next or self.last
        return list(Standing).index(self.standing), since.timestamp() if since else inf, self.name

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it; times as ISO 8601."""
        times = {"last": self.last, "next": self.next, "pending_since": self.pending_since}
        return {
            "name": self.name,
            "arn": self.arn,
            "region": self.region,
            "standing": self.standing.value,
            "rule": self.rule,
            **{name: at.astimezone(UTC).isoformat(timespec="seconds") if at else None for name, at in times.items()},
        }


def _rule(rules: Mapping[str, Any]) -> str:
    if expression := rules.get("ScheduleExpression"):
        return str(expression)
    days = rules.get("AutomaticallyAfterDays")
    return f"every {days} days" if days else ""
