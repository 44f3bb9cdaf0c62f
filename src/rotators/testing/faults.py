"""
Faults: count every external call a rotation makes, and let one of them go wrong.

A rotation is proven by letting it die at each of its calls in turn and then retrying as Secrets Manager does. Exhaustive
beats random here: a rotation makes some thirty calls.
"""

from __future__ import annotations

import inspect
import socket
import threading
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from enum import Enum
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from weakref import WeakSet

from rotators.testing.points import Point, points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Whether an external call is being made already: what it is made of are not calls of their own.
_inside: ContextVar[bool] = ContextVar("rotators_inside_a_call", default=False)
#: The threads whose calls are a rotation's: the one that counts, and those that it has started.
_threads: WeakSet[threading.Thread] = WeakSet()


@contextmanager
def _ours() -> Iterator[None]:
    """Count what this thread does and those that it starts, and not what a stand-in does on threads of its own."""
    start = threading.Thread.start

    def started(thread: threading.Thread) -> None:
        if threading.current_thread() in _threads:
            _threads.add(thread)
        start(thread)

    _threads.add(threading.current_thread())
    try:
        with patch.object(threading.Thread, "start", started):
            yield
    finally:
        _threads.discard(threading.current_thread())


class Crash(BaseException):
    """The process died here. Not an ``Exception``: nothing on the way out may tidy up after a dead process."""


class Fault(Enum):
    """What happens at the chosen call."""

    CRASH_BEFORE = "the process dies before the call"
    CRASH_AFTER = "the process dies after the call, before its answer is used"
    LOST_ANSWER = "the call is made, its answer is lost on the way"
    NO_ANSWER = "the call is never made, and times out"
    THROTTLED = "Secrets Manager says ThrottlingException; elsewhere as NO_ANSWER"


class Faults:
    """
    Counts external calls; at the n-th, something goes wrong, once.

    Args:
        at: which call, from 0; None only counts.
        fault: what happens there.
        watch: called after each call that was made, with its number; what it calls itself is not counted.

    Attributes:
        seen: what the calls were, in order.

    Example:
        >>> faults = Faults(at=3, fault=Fault.CRASH_AFTER)
        >>> with faults.installed():
        ...     handler(event, context)
    """

    def __init__(
        self,
        at: int | None = None,
        fault: Fault = Fault.CRASH_BEFORE,
        *,
        watch: Callable[[int], None] | None = None,
    ) -> None:
        self.at = at
        self.fault = fault
        self.seen: list[str] = []
        self._watch = watch
        self._lock = threading.Lock()

    @contextmanager
    def installed(self) -> Iterator[Faults]:
        """Count, and go wrong, for as long as the block lasts."""
        with ExitStack() as stack:
            stack.enter_context(_ours())
            for point in points():
                original = inspect.getattr_static(point.cls, point.method)
                stack.enter_context(patch.object(point.cls, point.method, self._counted(point, original)))
            yield self

    def _counted(self, point: Point, original: Any) -> Any:
        bound = isinstance(original, classmethod)
        function: Callable[..., Any] = original.__func__ if bound else original

        def call(this: Any, *args: Any, **kwargs: Any) -> Any:
            if _inside.get() or threading.current_thread() not in _threads or not point.chosen(this):
                return function(this, *args, **kwargs)
            number, mine = self._count(point.name(this, args, kwargs))
            token = _inside.set(True)
            try:
                if mine:
                    self._before(point, this, args)
                answer = function(this, *args, **kwargs)
                self._after(point, this, args, number=number, answer=answer)
                return answer
            finally:
                _inside.reset(token)

        async def call_async(this: Any, *args: Any, **kwargs: Any) -> Any:
            if _inside.get() or threading.current_thread() not in _threads:
                return await function(this, *args, **kwargs)
            number, mine = self._count(point.name(this, args, kwargs))
            token = _inside.set(True)
            try:
                if mine:
                    self._before(point, this, args)
                answer = await function(this, *args, **kwargs)
                self._after(point, this, args, number=number, answer=answer)
                return answer
            finally:
                _inside.reset(token)

        if inspect.iscoroutinefunction(function):
            return call_async
        return classmethod(call) if bound else call

    def _count(self, label: str) -> tuple[int, bool]:
        with self._lock:
            number = len(self.seen)
            self.seen.append(label)
        return number, number == self.at

    def _before(self, point: Point, this: Any, args: tuple[Any, ...]) -> None:
        if self.fault is Fault.CRASH_BEFORE:
            raise _died(this, self.seen[-1])
        if self.fault is Fault.THROTTLED and point.throttled is not None:
            raise point.throttled(this, args)
        if self.fault in {Fault.NO_ANSWER, Fault.THROTTLED}:
            raise point.lost(this, args)

    def _after(self, point: Point, this: Any, args: tuple[Any, ...], *, number: int, answer: Any) -> None:
        mine = number == self.at
        if self._watch is not None:
            self._watch(number)
        if mine and self.fault in {Fault.CRASH_AFTER, Fault.LOST_ANSWER}:
            with suppress(Exception):
                answer.close()  # nobody will, where it holds a connection
        if mine and self.fault is Fault.CRASH_AFTER:
            raise _died(this, self.seen[number])
        if mine and self.fault is Fault.LOST_ANSWER:
            raise point.lost(this, args)


def _died(this: Any, label: str) -> Crash:
    if isinstance(this, socket.socket):
        this.close()  # as a process that dies does; Python would complain that nobody has
    return Crash(label)
