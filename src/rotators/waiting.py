"""A call that does not outlive its time (law 13)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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
