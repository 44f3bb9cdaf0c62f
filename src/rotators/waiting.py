"""Waiting: for a call that must not outlive its time (law 13), and for what may show late (law 14)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from rotators import deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

#: Seconds a read that looks too old is asked again (law 14), and the pauses between.
SETTLE = 4.0
PAUSES = (0.05, 0.1, 0.2, 0.3)


def pauses() -> Iterator[float | None]:
    """
    Yield how many seconds to wait before each further read of something that may show late, and None at the last.

    Example:
        >>> for pause in pauses():
        ...     if seen() or pause is None:
        ...         break
        ...     time.sleep(pause)
    """
    end = deadline.Deadline(min(SETTLE, deadline.current().left() / 3))
    tried = 0
    while end.left() > 0:
        yield min(PAUSES[min(tried, len(PAUSES) - 1)], end.left())
        tried += 1
    yield None


def within(seconds: float, function: Callable[..., Any], parameters: Mapping[str, Any]) -> Any:
    """
    Call a function, and stop waiting for it when its time is up.

    A socket's time-out is for each read, so a server that drips bytes, or a resolver that is silent, is bounded by no
    time-out at all. The call is left behind on its thread; what it may still do is what a lost answer may have done.

    Args:
        seconds: how long to wait.
        function: what to call.
        parameters: its keyword arguments.

    Raises:
        TimeoutError: the time was up, or there was none to begin with.

    Example:
        >>> within(1.0, client.describe_secret, {"SecretId": "app"})
    """
    if seconds <= 0:
        raise TimeoutError("no time left")
    answer: list[Any] = []
    raised: list[BaseException] = []

    def call() -> None:
        try:
            answer.append(function(**parameters))
        except BaseException as error:  # noqa: BLE001 - handed to the caller, whatever it is
            raised.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not answer:
        raise TimeoutError("no answer in time")
    return answer[0]
