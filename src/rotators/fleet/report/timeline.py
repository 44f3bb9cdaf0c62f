"""``Timeline``: when secrets were rotated last, and when they will be next, day by day or week by week."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rotators.fleet.standing import Rotated

#: Days are drawn where all dates are within so many of today; else weeks, so many to each side.
DAYS, WEEKS = 31, 26
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Slot:
    """A day, or a week from its Monday on: how many were rotated last in it, should have been, and will be."""

    start: date
    rotated: int
    missed: int
    due: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """
    Last and next rotations around today, in UTC.

    Attributes:
        unit: ``day`` or ``week``.
        slots: one for each unit, today's among them.
        today: its day.
        earlier, later: how many dates lie outside the slots.
        fullest: the day ahead on which most rotations end, and how many; None where none is ahead.

    Example:
        >>> Timeline.of(found, datetime.now(UTC)).unit
        'week'
    """

    unit: str
    slots: Sequence[Slot]
    today: date
    earlier: int
    later: int
    fullest: tuple[date, int] | None

    @classmethod
    def of(cls, secrets: Iterable[Rotated], now: datetime) -> Self:
        """Put the dates of secrets in their slots."""
        secrets = list(secrets)
        rotated = Counter(_day(one.last) for one in secrets if one.last)
        missed = Counter(_day(one.next) for one in secrets if one.next and one.next < now)
        due = Counter(_day(one.next) for one in secrets if one.next and one.next >= now)
        today = _day(now)
        days = [*rotated, *missed, *due]
        if all(abs((day - today).days) <= DAYS for day in days):
            unit, length, reach, first = "day", 1, DAYS, today
        else:
            unit, length, reach, first = "week", _WEEK, WEEKS, today - timedelta(days=today.weekday())
        starts = [first + timedelta(days=length * at) for at in range(-reach, reach + 1)]

        def within(counted: Counter[date], start: date) -> int:
            return sum(counted[start + timedelta(days=at)] for at in range(length))

        slots = [Slot(start, *(within(counted, start) for counted in (rotated, missed, due))) for start in starts]
        end = starts[-1] + timedelta(days=length)
        every = rotated + missed + due
        return cls(
            unit=unit,
            slots=slots,
            today=today,
            earlier=sum(count for day, count in every.items() if day < starts[0]),
            later=sum(count for day, count in every.items() if day >= end),
            fullest=min(due.items(), key=lambda item: (-item[1], item[0]), default=None),
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it, without the slots in which there is nothing."""
        slots = [one for one in self.slots if one.rotated or one.missed or one.due]
        return {
            "unit": self.unit,
            "earlier": self.earlier,
            "later": self.later,
            "slots": [
                {"start": one.start.isoformat(), "rotated": one.rotated, "missed": one.missed, "due": one.due}
                for one in slots
            ],
        }


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
