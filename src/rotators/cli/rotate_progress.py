"""How `rotators rotate` shows what goes on: a bar on a terminal that rich can draw on, else a line for each thing."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rotators.cli.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.fleet.campaign import Audience
    from rotators.fleet.candidate import Candidate
    from rotators.fleet.result import Result


@contextmanager
def following(total: int) -> Iterator[Audience]:
    """
    Make what is told of `total` secrets, and tidy up behind it. All goes to standard error.

    Example:
        >>> with following(3) as audience:
        ...     Campaign(client, tasks, limits=Limits(), audience=audience).run()
    """
    if sys.stderr.isatty() and os.environ.get("TERM") not in {None, "dumb"}:
        try:
            from rich.console import Console  # noqa: PLC0415 - an extra
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        except ImportError:
            pass
        else:
            columns = (TextColumn("{task.description}", markup=False), BarColumn(20), MofNCompleteColumn())
            with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
                yield Bars(progress, total)
            return
    yield Lines(total)


class Lines:
    """A line for each thing that happens."""

    def __init__(self, total: int) -> None:
        self._total, self._ended = total, 0

    def started(self, candidate: Candidate) -> None:
        """Say so."""
        self.said(f"started  {candidate.name}")

    def ended(self, result: Result) -> None:
        """Say how."""
        self._ended += 1
        self.said(f"{line(result)}  ({self._ended} of {self._total})")

    def said(self, text: str) -> None:
        """Say it."""
        print(printable(text), file=sys.stderr, flush=True)


class Bars:
    """A bar for all, one for each that runs, and a line for each that did not end well."""

    def __init__(self, progress: Any, total: int) -> None:
        self._progress = progress
        self._all = progress.add_task("all", total=total)
        self._bars: dict[str, Any] = {}

    def started(self, candidate: Candidate) -> None:
        """Show a bar that moves."""
        self._bars[candidate.arn] = self._progress.add_task(candidate.name, total=None)

    def ended(self, result: Result) -> None:
        """Take the bar away, and count."""
        bar = self._bars.pop(result.candidate.arn, None)
        if bar is not None:
            self._progress.remove_task(bar)
        self._progress.advance(self._all)
        if result.ending.bad:
            self.said(line(result))

    def said(self, text: str) -> None:
        """Say it above the bars."""
        self._progress.console.print(printable(text), markup=False, highlight=False)


def line(result: Result) -> str:
    """Return what is said of a secret."""
    took = f" in {result.seconds:.0f} s" if result.ending.good and result.seconds else ""
    return f"{result.ending.value}  {result.candidate.name}{took}{': ' if result.why else ''}{result.why}"
