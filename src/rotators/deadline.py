"""
How much time is left (law 13): every wait of an invocation is cut from one budget.

The budget is the function's remaining time, at most 30 s (the time-out of AWS's own templates), less what is needed to
say what went wrong. It travels in a context variable, so that an engine needs no parameter for it.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING

from rotators.errors import TargetUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 30.0
CONNECT = 5.0
#: Seconds a proof needs, and an undo: a change is not begun without the time for them (laws 10 and 13).
PROOF = 1.5


class Deadline:
    """
    A point in time after which no wait may go on.

    Args:
        seconds: from now.

    Example:
        >>> Deadline(10).wait(5)
        5
    """

    __slots__ = ("_end",)

    def __init__(self, seconds: float = LONGEST) -> None:
        self._end = time.monotonic() + seconds

    @classmethod
    def of(cls, context: object) -> Deadline:
        """Read Lambda's context; without one, the default budget."""
        remaining = LONGEST
        ask = getattr(context, "get_remaining_time_in_millis", None)
        if callable(ask):
            with suppress(Exception):  # a stand-in of somebody's tests must not decide what a step does
                remaining = max(0.0, min(LONGEST, float(ask()) / 1000))
        return cls(remaining - min(2.0, remaining / 5))

    def left(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def wait(self, longest: float) -> float:
        """Return how long one wait may take, in seconds: what is left, at most `longest`."""
        return min(longest, self.left())

    def enough(self, *, steps: int = 2) -> None:
        """
        Ask for the time that a change's proof and its undo need, before it is made.

        Args:
            steps: how many of the two there may be.

        Raises:
            TargetUnreachable: there is too little.
        """
        if self.left() < steps * PROOF:
            raise TargetUnreachable(
                "too little time is left to change the credential and prove it: raise the function's Timeout",
                cause="timeout",
            )


_current: ContextVar[Deadline | None] = ContextVar("rotators_deadline", default=None)


def current() -> Deadline:
    """Return the invocation's deadline; a fresh default one outside an invocation."""
    return _current.get() or Deadline()


@contextmanager
def running(deadline: Deadline) -> Iterator[Deadline]:
    """Make a deadline the current one."""
    token = _current.set(deadline)
    try:
        yield deadline
    finally:
        _current.reset(token)
