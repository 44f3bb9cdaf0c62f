"""The inside of a `Sandbox`: imports a handler, runs it for each line of its input. Ends with its input."""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module


class _Context:
    """As much of Lambda's context as a handler may look at; the public one would make the cold start slower."""

    function_name = "rotation"
    function_version = "$LATEST"
    memory_limit_in_mb = "256"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:rotation"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def __init__(self, milliseconds: float) -> None:
        self._end = time.monotonic() + milliseconds / 1000

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


def main(handler_name: str, descriptor: str) -> None:
    """Serve `handler_name`; answers go to the file descriptor, one JSON object a line, empty for a success."""
    module, _, name = handler_name.rpartition(".")
    handler = getattr(import_module(module), name)
    with os.fdopen(int(descriptor), "w", encoding="utf-8", buffering=1) as answers:
        print("{}", file=answers)
        for line in sys.stdin:
            request = json.loads(line)
            answer = {}
            try:
                handler(request["event"], _Context(request["milliseconds"]))
            except Exception as error:  # noqa: BLE001 - as Lambda does: whatever it is becomes the answer
                answer = {"kind": type(error).__name__, "text": str(error)}
            sys.stdout.flush()
            print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
