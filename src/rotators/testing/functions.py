"""The Lambda functions this account has: handlers under a name."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rotators.testing.context import LambdaContext
from rotators.testing.outcome import StepRun
from rotators.testing.service_error import ServiceError

if TYPE_CHECKING:
    from rotators.testing.journal import Journal

Handler = Callable[[dict[str, Any], Any], object]


@dataclass(frozen=True, slots=True)
class Function:
    """One function: where it answers and how long it may take, in seconds."""

    arn: str
    handler: Handler = field(repr=False)
    timeout: float

    def invoke(self, event: dict[str, Any], journal: Journal) -> StepRun:
        """Run one step, as Lambda would: an answer that is no JSON, or a late one, is an error too.

        A BaseException that is no Exception is a process that died; it leaves this function as it is.
        """
        context = LambdaContext(
            timeout=self.timeout,
            function_name=self.arn.split(":")[6],
            region=self.arn.split(":")[3],
            account=self.arn.split(":")[4],
        )
        error: Exception | None = None
        calls, started = len(journal.calls), time.perf_counter()
        try:
            json.dumps(self.handler(event, context))
        except Exception as raised:  # noqa: BLE001 - whatever it is, Lambda reports it as the step's failure
            error = raised
        seconds = time.perf_counter() - started
        if error is None and seconds > self.timeout:
            error = TimeoutError(f"Task timed out after {self.timeout:.2f} seconds")
        return StepRun(event["Step"], seconds, error, len(journal.calls) - calls)


class Functions:
    """Functions by ARN."""

    def __init__(self, region: str, account: str) -> None:
        self._prefix = f"arn:aws:lambda:{region}:{account}:function:"
        self._by_arn: dict[str, Function] = {}

    def add(self, name: str, handler: Handler, timeout: float) -> str:
        """Give a handler a name, and return its ARN. The same name again replaces the handler, as a deployment does."""
        arn = self._prefix + name
        self._by_arn[arn] = Function(arn, handler, timeout)
        return arn

    def arn_of(self, handler: Handler) -> str | None:
        """The ARN under which a handler was added."""
        return next((arn for arn, function in self._by_arn.items() if function.handler == handler), None)

    def get(self, arn: str) -> Function:
        """The function, with or without a version or alias behind its name (F2 for one that isn't there)."""
        function = self._by_arn.get(arn) or self._by_arn.get(arn.rpartition(":")[0])
        if function is None:
            raise ServiceError(
                "AccessDeniedException",
                "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy "
                "grants access to the principal secretsmanager.amazonaws.com.",
            )
        return function
