"""``Rotated``: one secret and how its rotation stands, worst first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Any, Self

from rotators.machine import AWSCURRENT, AWSPENDING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A rotation takes seconds, and Secrets Manager tries for hours: pending for longer, nobody works on it any more.
STUCK_AFTER = timedelta(hours=24)
#: Of a rule's number. Source: API reference, RotationRulesType: at most 1000 days.
_DIGITS = 5


class Standing(Enum):
    """How a secret's rotation stands, the worst first; the value is what people read."""

    STUCK = "stuck"
    FAILING = "failing"
    OVERDUE = "overdue"
    NEVER = "never rotated"
    OFF = "rotation off"
    PENDING = "pending"
    DELETED = "deleted"
    FINE = "fine"
    NONE = "no rotation"

    @property
    def bad(self) -> bool:
        """Whether somebody should do something."""
        return self in {Standing.STUCK, Standing.FAILING, Standing.OVERDUE, Standing.NEVER}


@dataclass(frozen=True, slots=True)
class Rotated:
    """
    One secret, and its rotation if it has one.

    Attributes:
        arn, name, region: which.
        standing: how it stands.
        last, next: when it was rotated, and by when it will be.
        pending_since: since when a version waits, at the earliest; None where none does.
        rule: how often, as AWS says it.
        age: of the value: since it was rotated, or, never rotated, since the secret was made.
        limit: the age that the rule allows; None where it can't be said.

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
    age: timedelta | None = None
    limit: timedelta | None = None

    @classmethod
    def of(cls, entry: Mapping[str, Any], *, region: str, now: datetime) -> Self:
        """Read one entry of ListSecrets."""
        stages = entry.get("SecretVersionsToStages", {}).values()
        waits = any(AWSPENDING in labels and AWSCURRENT not in labels for labels in stages)
        changed, last, following = (
            entry.get(name) for name in ("LastChangedDate", "LastRotatedDate", "NextRotationDate")
        )
        if entry.get("DeletedDate"):
            standing = Standing.DELETED
        elif not rotates(entry):
            standing = Standing.NONE
        elif waits:  # the list does not say since when: the label came with the last change, or before
            standing = Standing.STUCK if changed is None or now - changed > STUCK_AFTER else Standing.PENDING
            if standing is Standing.PENDING and following is not None and following < now:
                standing = Standing.FAILING  # its window is over, and it is still being tried
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
            age=now - since if (since := last or entry.get("CreatedDate")) else None,
            pending_since=changed if waits else None,
            rule=_rule(entry.get("RotationRules") or {}),
            limit=_limit(_rule(entry.get("RotationRules") or {})),
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
            "age_days": _days(self.age),
            "rule_days": _days(self.limit),
            **{name: at.astimezone(UTC).isoformat(timespec="seconds") if at else None for name, at in times.items()},
        }


def rotates(entry: Mapping[str, Any]) -> bool:
    """Say whether somebody has ever set a rotation up for an entry of ListSecrets."""
    return "RotationEnabled" in entry or bool(entry.get("RotationLambdaARN"))


def _days(span: timedelta | None) -> float | None:
    return None if span is None else round(span / timedelta(days=1), 2)


def _rule(rules: Mapping[str, Any]) -> str:
    if expression := rules.get("ScheduleExpression"):
        return str(expression)
    days = rules.get("AutomaticallyAfterDays")
    return f"every {days} days" if days else ""


@lru_cache(maxsize=1024)
def _limit(rule: str) -> timedelta | None:
    """Return how old a value gets by a rule, as `_rule` says it; of a cron, the time between its next two runs."""
    from rotators.testing.cron import Cron  # noqa: PLC0415 - the rules are kept beside what obeys them
    from rotators.testing.service_error import ServiceError  # noqa: PLC0415

    if told := re.fullmatch(r"(?:every |rate\()(\d+) (hour|day)s?\)?", rule):
        if len(told[1]) > _DIGITS:
            return None
        return timedelta(**{f"{told[2]}s": int(told[1])})
    try:
        cron = Cron(rule)
    except ServiceError:
        return None
    first = cron.after(datetime.now(UTC))
    second = cron.after(first) if first else None
    return second - first if first and second else None
