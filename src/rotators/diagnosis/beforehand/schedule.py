"""Whether Secrets Manager takes the schedule, and when the first rotation would be."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rotators.diagnosis.beforehand.line import Line, failed, not_asked, passed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.diagnosis.beforehand.subject import Subject


def rules(subject: Subject) -> Iterator[Line]:
    """Source: Secrets Manager user guide, "Schedule expressions"; API reference, RotationRulesType."""
    from rotators.testing.schedule import check_rules, due  # noqa: PLC0415 - the rules are kept beside what obeys them
    from rotators.testing.service_error import ServiceError  # noqa: PLC0415

    asked = subject.schedule or subject.told.get("RotationRules")
    if not asked:
        yield not_asked("the secret has no schedule yet: name one with --schedule, such as 'rate(30 days)'")
        return
    try:
        shown = check_rules(dict(asked))
        by = due(shown, time.time())
    except ServiceError as error:
        yield failed(error.message, "rate(4 hours), rate(30 days) or cron(0 3 1 * ? *), in UTC, and --duration 2h")
        return
    said = asked.get("ScheduleExpression") or f"every {asked.get('AutomaticallyAfterDays')} days"
    if by is None:
        yield failed(f"{said} never comes", "a day that there is")
    else:
        yield passed(f"{said}: the first rotation by {datetime.fromtimestamp(by, UTC):%Y-%m-%d %H:%M} UTC")
