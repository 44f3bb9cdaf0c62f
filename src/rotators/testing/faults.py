"""
Faults: count every external call a rotation makes, and let one of them go wrong.

A rotation is proven by letting it die at each of its calls in turn and then retrying as Secrets Manager does. Exhaustive
beats random here: a rotation makes some thirty calls.
"""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack, contextmanager
from enum import Enum
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What counts as an external call: (module, class, method). A module that is not installed is passed over.
POINTS = (
    ("botocore.client", "BaseClient", "_make_api_call"),
    ("rotators.engines.postgres.libpq", "Session", "open"),
    ("rotators.engines.postgres.libpq", "Opening", "halt"),
    ("rotators.engines.postgres.libpq", "Opening", "finish"),
    ("rotators.engines.postgres.libpq", "Session", "rows"),
    ("pymysql.connections", "Connection", "connect"),
    ("pymysql.connections", "Connection", "query"),
    ("urllib3.connectionpool", "HTTPConnectionPool", "urlopen"),
)


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

    Attributes:
        seen: the names of the calls made, in order.

    Example:
        >>> faults = Faults(at=3, fault=Fault.CRASH_AFTER)
        >>> with faults.installed():
        ...     handler(event, context)
    """

    def __init__(self, at: int | None = None, fault: Fault = Fault.CRASH_BEFORE) -> None:
        self.at = at
        self.fault = fault
        self.seen: list[str] = []
        self._lock = threading.Lock()
        self._inside = threading.local()

    @contextmanager
    def installed(self) -> Iterator[Faults]:
        """Count, and go wrong, for as long as the block lasts."""
        with ExitStack() as stack:
            for module, owner, method in POINTS:
                if module not in sys.modules and find_spec(module.split(".")[0]) is None:
                    continue
                cls = getattr(import_module(module), owner)
                original = cls.__dict__[method]
                stack.enter_context(patch.object(cls, method, self._counted(owner, method, original)))
            yield self

    def _counted(self, owner: str, method: str, original: Any) -> Any:
        bound = isinstance(original, classmethod)
        function: Callable[..., Any] = original.__func__ if bound else original

        def call(this: Any, *args: Any, **kwargs: Any) -> Any:
            return self._call(f"{owner}.{method}", args, lambda: function(this, *args, **kwargs))

        return classmethod(call) if bound else call

    def _call(self, name: str, args: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if getattr(self._inside, "call", False):  # botocore's call ends in urllib3's: one external call, not two
            return make()
        label = str(args[0]) if name == "BaseClient._make_api_call" else name
        with self._lock:
            mine = len(self.seen) == self.at
            self.seen.append(label)
        self._inside.call = True
        try:
            return self._go_wrong(name, label, make) if mine else make()
        finally:
            self._inside.call = False

    def _go_wrong(self, name: str, label: str, make: Callable[[], Any]) -> Any:
        if self.fault is Fault.CRASH_BEFORE:
            raise Crash(label)
        if self.fault in {Fault.CRASH_AFTER, Fault.LOST_ANSWER}:
            make()
        if self.fault is Fault.CRASH_AFTER:
            raise Crash(label)
        raise _lost(name, label, throttled=self.fault is Fault.THROTTLED)


def _lost(name: str, label: str, *, throttled: bool) -> Exception:
    """What a caller of this library sees of an answer that never comes."""
    if name == "BaseClient._make_api_call":
        from botocore.exceptions import ClientError, ReadTimeoutError  # noqa: PLC0415

        if throttled:
            return ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, label)
        return ReadTimeoutError(endpoint_url="https://secretsmanager", error="timed out")
    if name.startswith(("Session.", "Opening.")):
        from rotators.engines.postgres.libpq_errors import LibpqError  # noqa: PLC0415

        return LibpqError(None, "server closed the connection unexpectedly")
    if name.startswith("Connection."):
        from pymysql.err import OperationalError  # noqa: PLC0415

        lost: Exception = OperationalError(2013, "Lost connection to MySQL server during query")
        return lost
    return TimeoutError(label)
