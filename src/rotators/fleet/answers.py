"""What the answers to RotateSecret and DescribeSecret mean to somebody who rotates many: in one line each, or ask again."""

from __future__ import annotations

from typing import Any

_THROTTLED = {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
_SERVER = 500


def code(error: Exception) -> str:
    """Return the name that AWS has for it; the exception's own where it is not AWS's."""
    return str(_part(error, "Error").get("Code") or type(error).__name__)


def may_pass(error: Exception) -> bool:
    """Say whether the same call may be answered a little later: throttled, a failure of AWS's, or no answer at all."""
    if not isinstance(getattr(error, "response", None), dict):
        return True
    status = _part(error, "ResponseMetadata").get("HTTPStatusCode") or 0
    return code(error) in _THROTTLED or status >= _SERVER


def may_have_begun(error: Exception) -> bool:
    """Say whether RotateSecret may have done what it was asked for although this came back."""
    return may_pass(error) and code(error) not in _THROTTLED


def told(error: Exception, name: str) -> str:
    """
    Return one line for people: what came back from RotateSecret for the secret `name`, and the way out.

    Example:
        >>> told(error, "shop/app")
        'denied: it takes secretsmanager:RotateSecret on the secret and lambda:InvokeFunction on its function'
    """
    text = str(_part(error, "Error").get("Message") or error)
    match code(error):
        case "InvalidRequestException" if "previous rotation" in text:
            return f"a previous rotation isn't complete; Secrets Manager tries that one again: see `rotators repair {name}`"
        case "InvalidRequestException" if "marked for deletion" in text:
            return "it is marked for deletion"
        case "InvalidRequestException" if "No Lambda rotation function" in text:
            return "it has no rotation"
        case "AccessDeniedException" if "Lambda function" in text:
            return "Secrets Manager may not invoke its function: the function's policy must allow it, or it is gone"
        case "AccessDeniedException":
            return (
                "denied: it takes secretsmanager:RotateSecret on the secret and lambda:InvokeFunction on its function"
            )
        case "ResourceNotFoundException":
            return "it is gone"
        case throttled if throttled in _THROTTLED:
            return "throttled, however often it was asked: let others end, or give --stagger"
        case other:
            return f"{other}: {text}"


def _part(error: Exception, name: str) -> dict[str, Any]:
    response = getattr(error, "response", None)
    return dict(response.get(name) or {}) if isinstance(response, dict) else {}
