"""Pages of a list: MaxResults and NextToken."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, TypeVar

from rotators.testing.service_error import ServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = TypeVar("Item")


def page(
    items: Sequence[Item], request: dict[str, Any], operation: str, size: int
) -> tuple[Sequence[Item], dict[str, str]]:
    """One page of `items`, and the NextToken for the next one if there is one."""
    start = _start(request.get("NextToken"), operation)
    end = start + request.get("MaxResults", size)
    more = {"NextToken": _token(operation, end)} if end < len(items) else {}
    return items[start:end], more


def _token(operation: str, start: int) -> str:
    return base64.urlsafe_b64encode(f"{operation}:{start}".encode()).decode()


def _start(token: str | None, operation: str) -> int:
    if token is None:
        return 0
    try:
        name, _, start = base64.urlsafe_b64decode(token.encode()).decode().rpartition(":")
        if name == operation:
            return int(start)
    except (binascii.Error, ValueError):
        pass
    raise ServiceError("InvalidNextTokenException", "The NextToken value is invalid.")
