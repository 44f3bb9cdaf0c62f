"""RotationRules: which are allowed, and when the next rotation is due."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rotators.testing.cron import SHORTEST_HOURS, Cron, gaps, midnight, refused
from rotators.testing.service_error import invalid_parameter

if TYPE_CHECKING:
    from rotators.testing.records import Record

LONGEST_DAYS = 1000  # the model's bound of AutomaticallyAfterDays, held to rate() too


def check_rules(rules: dict[str, Any]) -> dict[str, Any]:
    """Hold RotationRules against the User Guide's "Schedule expressions", and return them as DescribeSecret shows them.

    Raises ServiceError (InvalidParameterException) and says which rule is broken.

    >>> check_rules({"ScheduleExpression": "rate(10 days)", "Duration": "3h"})["AutomaticallyAfterDays"]
    10
    """
    days, expression, duration = (rules.get(k) for k in ("AutomaticallyAfterDays", "ScheduleExpression", "Duration"))
    if (days is None) == (expression is None):
        raise invalid_parameter("RotationRules take either AutomaticallyAfterDays or ScheduleExpression, not both.")
    shown = {name: value for name, value in rules.items() if value is not None}
    longest = 24
    if expression is not None:
        rate = _rate(expression)
        if rate is None:
            hours = sorted(Cron(expression).hours)
            longest = min([24, *gaps(hours)])
        elif rate[1] == "hour":
            longest = min(24, rate[0])
        else:
            shown["AutomaticallyAfterDays"] = rate[0]
    if duration is not None and not 1 <= int(duration[:-1]) <= longest:
        raise invalid_parameter(
            f"The rotation window must not extend into the next rotation window or the next UTC day: {duration}",
        )
    return shown


def reschedule(record: Record, now: float) -> None:
    """Set the next date, counted from now: a rotation, or a value put by hand, which counts as one."""
    rules = record.rotation_rules
    record.next_rotation = due(rules, now) if rules and record.rotation_enabled else None


def due(rules: dict[str, Any], now: float) -> float | None:
    """The end of the window in which the next rotation falls: "on or before this date" (API reference)."""
    at = datetime.fromtimestamp(now, UTC)
    hours = int(rules["Duration"][:-1]) if "Duration" in rules else None
    expression = rules.get("ScheduleExpression")
    if expression is None or (rate := _rate(expression)) is None:
        start = midnight(at) + timedelta(days=rules["AutomaticallyAfterDays"]) if expression is None else None
        start = start or Cron(expression or "").after(at)
        if start is None:
            return None
    elif rate[1] == "hour":
        start, hours = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=rate[0]), hours or 1
    else:
        start = midnight(at) + timedelta(days=rate[0])
    end = start + timedelta(hours=hours) if hours else midnight(start) + timedelta(days=1, seconds=-1)
    return end.timestamp()


def _rate(expression: str) -> tuple[int, str] | None:
    if not expression.startswith("rate("):
        return None
    match = re.fullmatch(r"rate\(([1-9][0-9]*) (hour|day)(s?)\)", expression)
    if match is None or (match[1] == "1") == bool(match[3]):
        raise refused(expression, "it must read rate(N hours), rate(1 day) or rate(N days)")
    number = int(match[1])
    if match[2] == "hour" and number < SHORTEST_HOURS:
        raise refused(expression, "rotation can't be more often than every four hours")
    if number > LONGEST_DAYS * (24 if match[2] == "hour" else 1):
        raise refused(expression, "rotation can't be less often than every 1000 days")
    return number, match[2]
