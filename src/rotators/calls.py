"""One call to an AWS service, again while its failure is a passing one and there is time (law 13)."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from rotators import deadline, waiting
from rotators.errors import RotatorsError, StoreUnavailable
from rotators.refusals import Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds between the tries; None ends them.
PAUSES = (0.1, 0.3, 0.9, None)


def call(
    client: Callable[[], Any],
    operation: str,
    parameters: Mapping[str, Any],
    translate: Callable[[Exception], Exception | None],
) -> Any:
    """
    Make one call.

    Args:
        client: returns the boto3 client; asked at every try, as its time-outs come out of the time left.
        operation: the client's method.
        parameters: its keyword arguments.
        translate: makes one of ours of what the client raised: None for a failure that is an answer, `Transient` for one
            that may pass.

    Returns:
        The answer, None where `translate` said so.

    Raises:
        RotatorsError: what `translate` made of the failure, or of the last one.

    Example:
        >>> call(lambda: client, "describe_secret", {"SecretId": "app"}, translate)
    """
    for pause in PAUSES:
        if deadline.current().left() <= 0:
            raise StoreUnavailable(f"no time is left to call {operation}: raise the function's Timeout")
        failure: Exception | None = None
        try:
            return waiting.within(deadline.current().left(), getattr(client(), operation), parameters)
        except RotatorsError:
            raise
        except Exception as error:  # noqa: BLE001 - botocore raises classes it makes at run time; all are translated
            failure = translate(error)
        if failure is None:
            return None
        if not isinstance(failure, Transient):
            raise failure
        if pause is None or deadline.current().left() < pause + 0.5:
            raise failure.outcome
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries, keeps no secret
    return None
