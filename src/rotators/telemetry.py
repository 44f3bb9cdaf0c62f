"""
What is seen from outside: one structured line a step, and its metrics. The one file that imports Powertools.

Nothing secret ever comes here: a line holds ids, labels, names and numbers, and texts that were scrubbed (law 9).
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from rotators.errors import ConfigurationError, RotationRefused, RotatorsError, scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.machine import Standing, Step, Verdict

NAMESPACE = "Rotators"
#: Seconds a window is kept open in memory for a finishSecret that may come to this sandbox.
KEEP = 900.0
#: What of an event is shown. Its RotationToken is not, nor what somebody else has put into it.
SHOWN = ("Step", "SecretId", "ClientRequestToken")


@cache
def logger() -> Logger:
    """
    Return the one logger.

    Raises:
        ConfigurationError: a POWERTOOLS_… variable has a value that Powertools does not take.
    """
    problem = ""
    try:
        return Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME") or "rotators")
    except Exception as error:  # noqa: BLE001 - it raises what it finds
        problem = type(error).__name__
    raise ConfigurationError(f"Powertools' logger can't be made ({problem}): check the POWERTOOLS_… variables")


def received(event: object) -> None:
    """Write the event, redacted, where Powertools' own variable asks for it: POWERTOOLS_LOGGER_LOG_EVENT."""
    if os.environ.get("POWERTOOLS_LOGGER_LOG_EVENT", "").lower() not in {"1", "y", "yes", "t", "true", "on"}:
        return
    with suppress(Exception):  # as in `close`
        logger().info(redacted(event))


def redacted(event: object) -> dict[str, str]:
    """
    Return what of an event may be read (law 9): which step of which secret, and whether there is a RotationToken.

    Example:
        >>> redacted({"Step": "setSecret", "RotationToken": "secret", "note": "secret"})
        {'Step': 'setSecret', 'RotationToken': '***'}
    """
    get = getattr(event, "get", None)
    if not callable(get):
        return {"not an event": type(event).__name__}
    fields = {name: value for name in SHOWN if isinstance(value := get(name), str)}
    return fields | ({"RotationToken": "***"} if get("RotationToken") is not None else {})


class StepReport:
    """Gathers what one step's line will say."""

    def __init__(self) -> None:
        self.step: str | None = None
        self.secret_id: str | None = None
        self.version: str | None = None
        self._fields: dict[str, Any] = {}
        self._hidden: Callable[[], set[str]] = set

    def began(self, step: Step, secret_id: str, version: str) -> None:
        """Note which step it is."""
        self.step, self.secret_id, self.version = step.value, secret_id, version

    def judged(self, where: Standing, verdict: Verdict) -> None:
        """Note what the machine said."""
        self._fields.update(standing=where.value, verdict=verdict.value)

    def add(self, **fields: str | float) -> None:
        """Note a fact of the step."""
        self._fields.update(fields)

    def window_closed(self) -> None:
        """AWSCURRENT opens again: put the time in which it did not into the line and the metrics."""
        since = _changed.pop(self.version or "", None)
        if since is not None:
            window = (time.monotonic() - since) * 1000
            self.add(outage_window_ms=round(window, 1))
            _count("OutageWindow", window, MetricUnit.Milliseconds, self.step or "none")

    def hides(self, hidden: Callable[[], set[str]]) -> None:
        """Say where to ask for the strings no text may hold."""
        self._hidden = hidden

    def hidden(self) -> set[str]:
        """Return the strings no text may hold."""
        return self._hidden()

    def warn(self, text: str) -> None:
        """Write a warning that belongs to the step."""
        text, notes = scrub(text, self.hidden()), _notes.get()
        if notes is None:
            logger().warning(text, extra=self._where())
        else:
            notes.append(text)

    def close(self, failure: RotatorsError | None, *, seconds: float) -> None:
        """Scrub the failure's text, then write the step's line and metrics: what was done is done, written or not."""
        if failure is not None:
            failure.args = (scrub(str(failure), self.hidden()),)
            vars(failure).pop("__notes__", None)
        if _notes.get() is None:
            with suppress(Exception):  # a full pipe, a closed stream
                self._write(failure, seconds)

    def _write(self, failure: RotatorsError | None, seconds: float) -> None:
        fields = {**self._where(), **self._fields, "duration_ms": round(seconds * 1000, 1)}
        if failure is None:
            logger().info("%s succeeded", self.step, extra=fields)
            outcome = "Succeeded"
        else:
            outcome = "Refused" if isinstance(failure, RotationRefused) else "Failed"
            fields.update(error=str(failure), error_type=type(failure).__name__, retryable=failure.retryable)
            logger().error("%s %s", self.step or "the event", outcome.lower(), extra=fields)
        _count(f"RotationStep{outcome}", 1, MetricUnit.Count, self.step or "none")
        _count("RotationStepDuration", seconds * 1000, MetricUnit.Milliseconds, self.step or "none")

    def _where(self) -> dict[str, Any]:
        return {"step": self.step, "secret_id": self.secret_id, "version": self.version}


_report: ContextVar[StepReport | None] = ContextVar("rotators_report", default=None)
_notes: ContextVar[list[str] | None] = ContextVar("rotators_notes", default=None)
#: When the target's password was changed, by version: the outage window is known where one sandbox sees both its ends.
_changed: dict[str, float] = {}


@contextmanager
def reporting(report: StepReport) -> Iterator[StepReport]:
    """Make a report the current one."""
    token = _report.set(report)
    try:
        yield report
    finally:
        _report.reset(token)


@contextmanager
def noting() -> Iterator[list[str]]:
    """Collect warnings and write no line and no metric: where a person asked, who reads the outcome on a terminal."""
    notes: list[str] = []
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def warn(text: str) -> None:
    """Write a warning about the step that runs."""
    report, notes = _report.get(), _notes.get()
    if report is not None:
        report.warn(text)
    elif notes is not None:
        notes.append(text)
    else:
        logger().warning(text)


def add(**fields: str | float) -> None:
    """Add a fact to the line of the step that runs."""
    report = _report.get()
    if report is not None:
        report.add(**fields)


def window_opened() -> None:
    """Note that from now on AWSCURRENT does not open."""
    report = _report.get()
    if report is not None and report.version:
        now = time.monotonic()
        for version in [version for version, since in list(_changed.items()) if now - since > KEEP]:
            _changed.pop(version, None)
        _changed[report.version] = now


def _count(name: str, value: float, unit: MetricUnit, step: str) -> None:
    namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE
    with single_metric(name=name, unit=unit, value=value, namespace=namespace) as metric:
        metric.add_dimension(name="step", value=step)
