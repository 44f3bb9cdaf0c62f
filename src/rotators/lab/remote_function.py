"""A function behind Lambda's Invoke API on this machine: the runtime emulator, or `sam local start-lambda`."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from rotators.lab.sandbox import StepFailed


class RemoteFunction:
    """
    A handler that invokes a function by its URL.

    Args:
        url: of the API, such as http://127.0.0.1:3001.
        name: the function's; the runtime emulator knows only ``function``.

    Example:
        >>> RemoteFunction("http://127.0.0.1:3001", "PostgresRotation")(event, context)
    """

    def __init__(self, url: str, name: str) -> None:
        self._url = f"{url.rstrip('/')}/2015-03-31/functions/{name}/invocations"

    def __call__(self, event: dict[str, Any], context: Any) -> None:
        """
        Invoke it for one step.

        Raises:
            StepFailed: the function raised, or nobody answers.
        """
        request = urllib.request.Request(  # noqa: S310 - the lab's user said the URL
            self._url, json.dumps(event).encode(), {"Content-Type": "application/json"}
        )
        problem = ""
        try:
            with urllib.request.urlopen(request, timeout=context.get_remaining_time_in_millis() / 1000) as response:  # noqa: S310
                answer = json.loads(response.read() or b"null")
        except (OSError, ValueError, urllib.error.URLError) as error:
            problem = str(getattr(error, "reason", error))
        if problem:
            raise StepFailed("InvocationFailed", f"{self._url} can't be invoked: {problem}")
        if isinstance(answer, dict) and "errorMessage" in answer:
            raise StepFailed(str(answer.get("errorType", "Error")), str(answer["errorMessage"]))
