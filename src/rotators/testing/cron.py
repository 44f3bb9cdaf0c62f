"""cron() as Secrets Manager takes it."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

from rotators.testing.service_error import ServiceError, invalid_parameter

SHORTEST_HOURS = 4  # "You can rotate a secret as often as every four hours" (API reference, RotationRulesType)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), start=1
    )
}
_DAYS = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
_HORIZON_DAYS = 366 * 5  # the 29th of February comes round within it


class Cron:
    """cron(0 hours day-of-month month day-of-week *), in UTC."""

    def __init__(self, expression: str) -> None:
        match = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", expression)
        if match is None:
            raise refused(expression, "it must read rate(...) or cron(minute hour day-of-month month day-of-week year)")
        minute, hour, self._day, month, self._weekday, year = match.groups()
        if minute != "0":
            raise refused(expression, "the minute must be 0")
        if year != "*":
            raise refused(expression, "the year must be *")
        if (self._day == "?") == (self._weekday == "?"):
            raise refused(expression, "one of day-of-month and day-of-week must be ?")
        self._expression = expression
        self.hours = self._numbers(hour, 0, 23, {})
        self._months = self._numbers(month, 1, 12, _MONTHS)
        if min(gaps(sorted(self.hours))) < SHORTEST_HOURS:
            raise refused(expression, "rotation can't be more often than every four hours")
        self._falls_on(datetime(2024, 1, 1, tzinfo=UTC))  # so that a bad day is refused now, not when it is due

    def after(self, at: datetime) -> datetime | None:
        """The first time after `at`, in whole hours; None if there is none for years."""
        for ahead in range(_HORIZON_DAYS):
            day = midnight(at) + timedelta(days=ahead)
            if day.month in self._months and self._falls_on(day):
                for hour in sorted(self.hours):
                    if day + timedelta(hours=hour) > at:
                        return day + timedelta(hours=hour)
        return None

    def _falls_on(self, day: datetime) -> bool:
        last = monthrange(day.year, day.month)[1]
        if self._weekday == "?":
            return day.day == last if self._day == "L" else day.day in self._numbers(self._day, 1, 31, {})
        weekday = day.isoweekday() % 7 + 1
        if match := re.fullmatch(r"([1-7]|[A-Z]{3})(#[1-5]|L)", self._weekday):
            nth = day.day + 7 > last if match[2] == "L" else (day.day - 1) // 7 + 1 == int(match[2][1:])
            return weekday in self._numbers(match[1], 1, 7, _DAYS) and nth
        return weekday in self._numbers(self._weekday, 1, 7, _DAYS)

    def _numbers(self, text: str, least: int, most: int, names: dict[str, int]) -> set[int]:
        found: set[int] = set()
        for part in text.split(","):
            match = re.fullmatch(r"(\*|[A-Z0-9]+|(?=/))(?:-([A-Z0-9]+))?(?:/([0-9]+))?", part)
            if match is None:
                raise refused(self._expression, f"{part} is not understood")
            first, last, step = match.groups()
            low = least if first in {"*", ""} else self._number(first, names)
            high = self._number(last, names) if last else most if first == "*" or step else low
            if not least <= low <= high <= most or step == "0":
                raise refused(self._expression, f"{part} is out of range")
            found.update(range(low, high + 1, int(step or 1)))
        return found

    def _number(self, text: str, names: dict[str, int]) -> int:
        if text in names:
            return names[text]
        if not text.isdigit():
            raise refused(self._expression, f"{text} is not understood")
        return int(text)


def midnight(at: datetime) -> datetime:
    """The beginning of the UTC day."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def gaps(hours: list[int]) -> list[int]:
    """Hours between one run and the next within a day, and over midnight."""
    return [(later - earlier) % 24 or 24 for earlier, later in zip(hours, [*hours[1:], hours[0]], strict=True)]


def refused(expression: str, why: str) -> ServiceError:
    """The error for an expression that breaks a rule."""
    return invalid_parameter(f"The ScheduleExpression {expression} isn't valid: {why}.")
