"""``Campaign``: many rotations, so many at once, each followed to its end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rotators.fleet.answers import code, may_have_begun, may_pass, told
from rotators.fleet.journal import Happened
from rotators.fleet.plan import Action, has_ended_well
from rotators.fleet.result import Ending, Result
from rotators.machine import AWSPENDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rotators.fleet.candidate import Candidate
    from rotators.fleet.journal import Journal
    from rotators.fleet.limits import Limits
    from rotators.fleet.plan import Task

#: Seconds for a version to show that RotateSecret has made (law 14).
_GRACE = 15.0
_NAP, _SLOWER = 0.2, 1.5
_WRITTEN = {
    Ending.ROTATED: Happened.ROTATED,
    Ending.FAILED: Happened.FAILED,
    Ending.UNFINISHED: Happened.UNFINISHED,
}


class Audience(Protocol):
    """Who is told while it goes on."""

    def started(self, candidate: Candidate) -> None:
        """A rotation runs, begun now or by an earlier run."""

    def ended(self, result: Result) -> None:
        """A secret has its result."""

    def said(self, text: str) -> None:
        """Something that is no secret's."""


@dataclass(slots=True)
class _Running:
    task: Task
    since: float
    look: float  # when
    wait: float  # until the next
    seen: bool = False  # under its version's id


class Campaign:
    """
    Runs a plan, in one thread: starts what may start, looks at what runs, and waits.

    Args:
        client: a boto3 ``secretsmanager`` client.
        tasks: the plan.
        limits: how much at once.
        audience: told of everything.
        journal: where it is written down; None for nowhere.

    Attributes:
        stopped: why no more are started; empty while they are.

    Example:
        >>> results = Campaign(client, planned(candidates, {}), limits=Limits(), audience=lines).run()
    """

    def __init__(
        self, client: Any, tasks: Sequence[Task], *, limits: Limits, audience: Audience, journal: Journal | None = None
    ) -> None:
        self.stopped = ""
        self._client, self._tasks, self._limits = client, tasks, limits
        self._audience, self._journal = audience, journal
        self._waiting: dict[str, Task] = {}
        self._running: dict[str, _Running] = {}
        self._results: dict[str, Result] = {}
        self._bad = 0
        self._told = False
        self._next_start = 0.0

    def stop(self, why: str) -> None:
        """Start no more; what runs is followed. May be called by a signal's handler."""
        self.stopped = self.stopped or why

    def run(self) -> list[Result]:
        """Return when nothing runs any more: a result for each task, in the plan's order."""
        self._begin()
        while self._running or (self._waiting and not self.stopped):
            self._tell()
            now = time.monotonic()
            task = self._startable(now)
            due = min(self._running.values(), key=lambda running: running.look, default=None)
            if task is not None:
                self._start(task)
            elif due is not None and due.look <= now:
                self._look(due)
            else:
                moments = [running.look for running in self._running.values()] + [self._next_start]
                time.sleep(min([_NAP, *(moment - now for moment in moments if moment > now)]))
        self._tell()
        return self.results

    @property
    def results(self) -> list[Result]:
        """Return a result for each task, in the plan's order; of what still runs, that it does."""
        results = dict(self._results)
        for arn, running in self._running.items():
            why = "nobody followed it to its end"
            results[arn] = Result(running.task.candidate, Ending.UNFINISHED, running.task.version, why=why)
        for arn, task in self._waiting.items():
            results[arn] = Result(task.candidate, Ending.NOT_STARTED, why=self.stopped)
        return [results[task.candidate.arn] for task in self._tasks if task.candidate.arn in results]

    def _begin(self) -> None:
        for task in self._tasks:
            match task.action:
                case Action.DONE:
                    self._note(Happened.ROTATED, task)
                    self._end(task, Ending.BEFORE)
                case Action.LEAVE:
                    self._end(task, Ending.LEFT_OUT, why=task.candidate.obstacle)
                case Action.FOLLOW:
                    self._follow(task)
                case Action.ROTATE:
                    self._waiting[task.candidate.arn] = task

    def _startable(self, now: float) -> Task | None:
        if self.stopped or now < self._next_start or len(self._running) >= self._limits.at_once:
            return None
        busy = {running.task.candidate.group for running in self._running.values()} - {""}
        return next((task for task in self._waiting.values() if task.candidate.group not in busy), None)

    def _start(self, task: Task) -> None:
        if not self._note(Happened.STARTING, task):
            return
        del self._waiting[task.candidate.arn]
        self._next_start = time.monotonic() + self._limits.gap
        try:
            self._client.rotate_secret(SecretId=task.candidate.arn, ClientRequestToken=task.version)
        except Exception as error:
            if not _is_an_answer(error):
                raise
            if not may_have_begun(error):
                self._end(task, Ending.FAILED, why=told(error, task.candidate.name))
                return
        else:
            self._note(Happened.STARTED, task)
        self._follow(task)

    def _follow(self, task: Task) -> None:
        now, wait = time.monotonic(), self._limits.first_look
        self._running[task.candidate.arn] = _Running(task, now, now + wait, wait)
        self._audience.started(task.candidate)

    def _look(self, running: _Running) -> None:
        task, name = running.task, running.task.candidate.name
        try:
            answer = self._client.describe_secret(SecretId=task.candidate.arn)
        except Exception as error:
            if not _is_an_answer(error):
                raise
            if not may_pass(error):
                gone = code(error) == "ResourceNotFoundException"
                why = "it is gone" if gone else f"it was started, and can't be looked at: {code(error)}"
                self._end(task, Ending.FAILED if gone else Ending.UNFINISHED, since=running.since, why=why)
                return
            asked = f"it could not be asked: {code(error)}"
        else:
            labels = answer.get("VersionIdsToStages", {}).get(task.version, [])
            if has_ended_well(labels):
                self._end(task, Ending.ROTATED, since=running.since)
                return
            if why := self._lost(running, answer, labels):
                self._end(task, Ending.FAILED, since=running.since, why=why)
                return
            asked = (
                f"its version is still AWSPENDING; the function's log says why, `rotators diagnose {name}` what to do"
            )
        now = time.monotonic()
        if now - running.since >= self._limits.timeout:
            why = f"after {self._limits.timeout:g} s {asked}"
            self._end(task, Ending.UNFINISHED, since=running.since, why=why)
            return
        running.wait = min(running.wait * _SLOWER, self._limits.longest_look)
        running.look = min(now + running.wait, running.since + self._limits.timeout)

    def _lost(self, running: _Running, answer: dict[str, Any], labels: Sequence[str]) -> str:
        """Say why the version can't become the current one any more; nothing while it can."""
        if answer.get("DeletedDate"):
            return "it was marked for deletion meanwhile"
        if AWSPENDING in labels:
            running.seen = True
            return "" if answer.get("RotationEnabled", True) else "its rotation was cancelled meanwhile"
        if running.seen:
            return "its new version lost AWSPENDING: somebody took the label off, or stored another value"
        return "" if time.monotonic() - running.since < _GRACE else "no rotation began: its new version never showed"

    def _end(self, task: Task, ending: Ending, *, since: float | None = None, why: str = "") -> None:
        seconds = 0.0 if since is None else time.monotonic() - since
        version = "" if ending is Ending.LEFT_OUT else task.version
        result = Result(task.candidate, ending, version, seconds, why)
        self._running.pop(task.candidate.arn, None)
        self._results[task.candidate.arn] = result
        if ending in _WRITTEN:
            self._note(_WRITTEN[ending], task, why)
        self._audience.ended(result)
        self._bad += ending.bad
        if self._limits.failures and self._bad >= self._limits.failures and not self.stopped:
            self.stop(f"{self._bad} went wrong")

    def _tell(self) -> None:
        """Not where it is stopped: that may be in a signal's handler, in the middle of a line."""
        if self.stopped and not self._told:
            self._told = True
            followed = f", {len(self._running)} are followed, Ctrl+C leaves them" if self._running else ""
            self._audience.said(f"{self.stopped}: no more are started{followed}")

    def _note(self, happened: Happened, task: Task, why: str = "") -> bool:
        try:
            if self._journal is not None:
                self._journal.note(happened, task.candidate, task.version, why)
        except OSError as error:
            self.stop(f"the journal can't be written: {error.strerror}")
            return False
        return True


def _is_an_answer(error: Exception) -> bool:
    """Say whether it is botocore's: anything else is our own mistake."""
    return type(error).__module__.startswith("botocore")
