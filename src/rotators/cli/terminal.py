"""What a terminal gets that a file does not: colours, and a bar that moves."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RED, GREEN, YELLOW, FAINT = "31", "32", "33", "2"


def coloured(text: str, colour: str, stream: IO[str]) -> str:
    r"""
    Return a text in a colour, if the stream is a terminal and the environment does not say NO_COLOR.

    Source: no-color.org.

    Example:
        >>> coloured("failed", RED, sys.stdout)
        '\x1b[31mfailed\x1b[0m'
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"


def printable(text: str) -> str:
    r"""
    Return a text with nothing in it that would make a terminal do something.

    Example:
        >>> printable("shop\x1b[2J")
        'shop\\x1b[2J'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_lines(text: str) -> str:
    """Return a text of several lines, each `printable`."""
    return "\n".join(printable(line) for line in text.split("\n"))


@contextmanager
def progress(what: str) -> Iterator[Callable[[int], None]]:
    """
    Show on standard error how many there are so far: by rich where it is installed, else by a line that is written over.

    Nothing is shown where standard error is no terminal, and nothing stays when it has ended.

    Args:
        what: they are.

    Example:
        >>> with progress("eu-central-1: secrets read") as read:
        ...     read(100)
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    except ImportError:
        try:
            yield lambda number: print(f"\r{what}: {number} ", end="", file=sys.stderr, flush=True)
        finally:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        return
    columns = (TextColumn("{task.description}: {task.completed:.0f}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda number: bar.update(task, completed=number)
