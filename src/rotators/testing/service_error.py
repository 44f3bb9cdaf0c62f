"""A refusal by Secrets Manager, before it is put on the wire."""

from __future__ import annotations


class ServiceError(Exception):
    """What Secrets Manager answers instead of a result.

    code:    the error's name as SDKs see it, ``ResourceNotFoundException`` and the like
    message: the text beside it; never holds a value or a RotationToken
    status:  the HTTP status. Secrets Manager answers 400 to everything that is the caller's fault, a missing secret too.

    >>> str(ServiceError("ResourceNotFoundException", "Secrets Manager can't find the specified secret."))
    "ResourceNotFoundException: Secrets Manager can't find the specified secret."
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def not_found() -> ServiceError:
    """F8."""
    return ServiceError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


def value_not_found(what: str) -> ServiceError:
    """F7: `what` is a staging label or a VersionId."""
    text = f"Secrets Manager can't find the specified secret value for {what}"
    return ServiceError("ResourceNotFoundException", text)


def invalid_parameter(message: str) -> ServiceError:
    """A parameter that is wrong in itself."""
    return ServiceError("InvalidParameterException", message)


def invalid_request(message: str) -> ServiceError:
    """A parameter that is wrong for the state the secret is in."""
    return ServiceError("InvalidRequestException", message)


def marked_for_deletion() -> ServiceError:
    """F16."""
    return invalid_request(
        "You can't perform this operation on the secret because it was marked for deletion.",
    )
