"""RotationRules: what is allowed, and the date that follows from it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rotators.testing import ServiceError
from rotators.testing.schedule import check_rules, due

NOW = datetime(2026, 1, 30, 13, 30, tzinfo=UTC)  # a Friday


def at(year: int, month: int, day: int, hour: int) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


def end_of(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 23, 59, 59, tzinfo=UTC)


ALLOWED: list[tuple[dict[str, Any], datetime]] = [
    ({"AutomaticallyAfterDays": 1}, end_of(2026, 1, 31)),
    ({"AutomaticallyAfterDays": 1000, "Duration": "3h"}, at(2028, 10, 26, 3)),
    ({"ScheduleExpression": "rate(4 hours)"}, at(2026, 1, 30, 18)),
    ({"ScheduleExpression": "rate(12 hours)", "Duration": "12h"}, at(2026, 1, 31, 13)),
    ({"ScheduleExpression": "rate(1 day)"}, end_of(2026, 1, 31)),
    ({"ScheduleExpression": "rate(10 days)", "Duration": "3h"}, at(2026, 2, 9, 3)),
    ({"ScheduleExpression": "cron(0 8 * * ? *)"}, end_of(2026, 1, 31)),
    ({"ScheduleExpression": "cron(0 16 1 * ? *)", "Duration": "2h"}, at(2026, 2, 1, 18)),
    ({"ScheduleExpression": "cron(0 /8 ? * SUN-TUE *)", "Duration": "1h"}, at(2026, 2, 1, 1)),
    ({"ScheduleExpression": "cron(0 0/12 * * ? *)", "Duration": "1h"}, at(2026, 1, 31, 1)),
    ({"ScheduleExpression": "cron(0 0 L * ? *)", "Duration": "1h"}, at(2026, 1, 31, 1)),
    ({"ScheduleExpression": "cron(0 1 ? 1/3 MON#1 *)", "Duration": "1h"}, at(2026, 4, 6, 2)),
    ({"ScheduleExpression": "cron(0 1 ? FEB,MAR 6L *)", "Duration": "1h"}, at(2026, 2, 27, 2)),
    ({"ScheduleExpression": "cron(0 2,14 29 2 ? *)", "Duration": "4h"}, at(2028, 2, 29, 6)),
    ({"ScheduleExpression": "cron(0 14 30 1 ? *)", "Duration": "4h"}, at(2026, 1, 30, 18)),
]


@pytest.mark.parametrize(("rules", "expected"), ALLOWED, ids=[str(rules) for rules, _ in ALLOWED])
def test_what_is_allowed_and_when_it_is_due(rules: dict[str, Any], expected: datetime) -> None:
    shown = check_rules(rules)
    assert due(shown, NOW.timestamp()) == expected.timestamp()


def test_days_are_shown_beside_a_rate_in_days() -> None:
    assert check_rules({"ScheduleExpression": "rate(10 days)"}) == {
        "ScheduleExpression": "rate(10 days)",
        "AutomaticallyAfterDays": 10,
    }


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "not both"),
    ({"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"}, "not both"),
    ({"ScheduleExpression": "every day"}, "must read"),
    ({"ScheduleExpression": "rate(3 hours)"}, "four hours"),
    ({"ScheduleExpression": "rate(1 hour)"}, "four hours"),
    ({"ScheduleExpression": "rate(0 days)"}, "must read"),
    ({"ScheduleExpression": "rate(1 days)"}, "must read"),
    ({"ScheduleExpression": "rate(2 day)"}, "must read"),
    ({"ScheduleExpression": "rate(5 minutes)"}, "must read"),
    ({"ScheduleExpression": "rate(1001 days)"}, "1000 days"),
    ({"ScheduleExpression": "rate(24001 hours)"}, "1000 days"),
    ({"ScheduleExpression": "cron(0 8 * * ?)"}, "must read"),
    ({"ScheduleExpression": "cron(30 8 * * ? *)"}, "minute must be 0"),
    ({"ScheduleExpression": "cron(0 8 * * ? 2026)"}, r"year must be \*"),
    ({"ScheduleExpression": "cron(0 8 * * * *)"}, r"must be \?"),
    ({"ScheduleExpression": "cron(0 8 ? * ? *)"}, r"must be \?"),
    ({"ScheduleExpression": "cron(0 * * * ? *)"}, "four hours"),
    ({"ScheduleExpression": "cron(0 0/3 * * ? *)"}, "four hours"),
    ({"ScheduleExpression": "cron(0 1,22 * * ? *)"}, "four hours"),
    ({"ScheduleExpression": "cron(0 24 * * ? *)"}, "out of range"),
    ({"ScheduleExpression": "cron(0 8 32 * ? *)"}, "out of range"),
    ({"ScheduleExpression": "cron(0 8 1 13 ? *)"}, "out of range"),
    ({"ScheduleExpression": "cron(0 8 1 9-3 ? *)"}, "out of range"),
    ({"ScheduleExpression": "cron(0 8/0 1 1 ? *)"}, "out of range"),
    ({"ScheduleExpression": "cron(0 8 ? * FOO *)"}, "not understood"),
    ({"ScheduleExpression": "cron(0 8 ? * FOO#2 *)"}, "not understood"),
    ({"ScheduleExpression": "cron(0 8 -1 * ? *)"}, "not understood"),
    ({"AutomaticallyAfterDays": 1, "Duration": "0h"}, "window"),
    ({"AutomaticallyAfterDays": 1, "Duration": "25h"}, "window"),
    ({"ScheduleExpression": "rate(4 hours)", "Duration": "5h"}, "window"),
    ({"ScheduleExpression": "cron(0 0/6 * * ? *)", "Duration": "7h"}, "window"),
]


@pytest.mark.parametrize(("rules", "why"), REFUSED, ids=[str(rules) for rules, _ in REFUSED])
def test_what_is_refused(rules: dict[str, Any], why: str) -> None:
    with pytest.raises(ServiceError, match=why) as caught:
        check_rules(rules)
    assert caught.value.code == "InvalidParameterException"
