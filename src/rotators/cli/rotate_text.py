"""What `rotators rotate` prints: the plan, and how it went; for people and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from rotators.cli.terminal import printable
from rotators.fleet.plan import Action
from rotators.fleet.result import Ending

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rotators.fleet.plan import Task
    from rotators.fleet.result import Result


def plan(tasks: Sequence[Task], *, named: bool, shown: int | None = None) -> str:
    """
    Return a line for each secret, and one that counts them.

    Args:
        tasks: the plan.
        named: tell of each secret that is left out too; if they were not named, their reasons are counted.
        shown: how many lines at most; None for all.
    """
    rows = [(task.action.value, task.candidate.name, _remark(task)) for task in tasks if named or not _is_left(task)]
    lines = _table(rows[:shown])
    if len(rows) > len(lines):
        lines.append(f"… and {len(rows) - len(lines)} more: --plan shows all")
    lines += ["", _counted(task.action.value for task in tasks)]
    return "\n".join(lines + ([] if named else _reasons(task.candidate.obstacle for task in tasks if _is_left(task))))


def plan_json(tasks: Iterable[Task]) -> str:
    """Return the plan as JSON."""
    secrets = [
        {
            "name": task.candidate.name,
            "arn": task.candidate.arn,
            "action": task.action.value,
            "group": task.candidate.group or None,
            "why": task.candidate.obstacle if _is_left(task) else None,
        }
        for task in tasks
    ]
    return json.dumps({"secrets": secrets}, indent=2)


def report(results: Sequence[Result], stopped: str, *, named: bool) -> str:
    """Return a line for each secret that was not rotated, and one that counts all."""
    out = [result for result in results if result.ending is Ending.LEFT_OUT]
    lines = _table(
        (result.ending.value, result.candidate.name, result.why)
        for result in results
        if result.ending.bad or (named and result in out)
    )
    lines += [""] if lines else []
    lines.append(_counted(result.ending.value for result in results) + (f"; stopped: {stopped}" if stopped else ""))
    return "\n".join(lines + ([] if named else _reasons(result.why for result in out)))


def report_json(results: Iterable[Result], stopped: str) -> str:
    """Return how it went as JSON."""
    return json.dumps({"stopped": stopped or None, "secrets": [result.as_json() for result in results]}, indent=2)


def _is_left(task: Task) -> bool:
    return task.action is Action.LEAVE


def _remark(task: Task) -> str:
    if _is_left(task):
        return task.candidate.obstacle
    return f"apart from others of {task.candidate.group}" if task.candidate.group else ""


def _table(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    rows = list(rows)
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(2)]
    return [
        printable(f"{one.ljust(widths[0])}  {name.ljust(widths[1])}  {remark}".rstrip()) for one, name, remark in rows
    ]


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{number} {word}" for word, number in Counter(words).most_common()) or "nothing to do"


def _reasons(whys: Iterable[str]) -> list[str]:
    return [printable(f"left out, {number}: {why}") for why, number in Counter(whys).most_common()]
