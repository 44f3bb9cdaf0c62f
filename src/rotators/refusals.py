"""What a failed Secrets Manager call means: botocore's many answers, translated into our tree with the way out."""

from __future__ import annotations

from typing import Any

from rotators.errors import ConfigurationError, RotationRefused, RotatorsError, SecretError, StoreUnavailable

#: Source: Secrets Manager user guide, "Retries" (limits page); botocore's standard retry mode.
THROTTLED = {
    "ThrottlingException",
    "Throttling",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "TransactionInProgressException",
    "LimitExceededException",
}
PASSING = {"InternalServiceError", "InternalFailure", "InternalServerError", "ServiceUnavailable", "RequestTimeout"}
CREDENTIALS = {
    "UnrecognizedClientException",
    "ExpiredTokenException",
    "ExpiredToken",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "InvalidAccessKeyId",
}
SERVER_ERROR = 500


class LabelMoved(RotationRefused):
    """A version does not carry the label it was described with: the reader is behind, or somebody moved it."""

    default_retryable = True


class Transient(Exception):
    """A failure that may pass; `outcome` is what to raise when it does not."""

    def __init__(self, outcome: RotatorsError) -> None:
        super().__init__(str(outcome))
        self.outcome = outcome


def translate(error: Exception, operation: str, secret_id: str, *, missing: bool) -> Exception | None:
    """
    Translate what a client raised.

    Args:
        error: botocore's exception.
        operation: the client's method, such as ``get_secret_value``.
        secret_id: whose.
        missing: whether absence (of a value to read) or presence (of a value to put) is an answer, not an error.

    Returns:
        None for such an answer, else what to raise.
    """
    from botocore.exceptions import (  # noqa: PLC0415 - only where a call has failed
        BotoCoreError,
        ClientError,
        HTTPClientError,
        NoCredentialsError,
        NoRegionError,
        ParamValidationError,
    )
    from botocore.exceptions import ConnectionError as NoConnection  # noqa: PLC0415

    name = "".join(part.capitalize() for part in operation.split("_"))
    if isinstance(error, ClientError):
        return _answered(error.response, operation, name, secret_id, missing=missing)
    if isinstance(error, (NoConnection, HTTPClientError, TimeoutError)):
        return Transient(
            StoreUnavailable(
                f"Secrets Manager did not answer {name} ({type(error).__name__}): a function in a VPC needs an interface "
                "endpoint for secretsmanager or a NAT gateway, and a security group that lets port 443 out"
            )
        )
    if isinstance(error, ParamValidationError):  # its text may quote the value
        return RotationRefused(
            f"{name} can't be asked about this SecretId or ClientRequestToken: check the event's form"
        )
    if isinstance(error, (NoCredentialsError, NoRegionError)):
        return ConfigurationError(
            f"{name} could not be signed ({type(error).__name__}): set AWS_REGION and credentials"
        )
    if isinstance(error, BotoCoreError):
        return StoreUnavailable(f"{name} failed in the AWS SDK ({type(error).__name__})")
    if isinstance(error, ValueError):
        return ConfigurationError(f"{name} could not be asked ({type(error).__name__}): check SECRETS_MANAGER_ENDPOINT")
    return StoreUnavailable(f"{name} failed ({type(error).__name__})")


def _answered(response: Any, operation: str, name: str, secret_id: str, *, missing: bool) -> Exception | None:
    code = str(response.get("Error", {}).get("Code", ""))
    text = str(response.get("Error", {}).get("Message", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if missing and _expected(code, operation, text):
        return None
    if operation == "get_secret_value" and code == "InvalidRequestException" and "VersionStage" in text:
        return LabelMoved(f"the labels of {secret_id} were moved while the step ran: the rotation may be run again")
    if code in THROTTLED or code in PASSING or status >= SERVER_ERROR:
        return Transient(StoreUnavailable(f"Secrets Manager answered {name} with {code or status}, again and again"))
    denied = _denied(code, text, name, secret_id)
    if denied is not None:
        return denied
    if code == "ResourceNotFoundException":
        return RotationRefused(f"Secrets Manager can't find {secret_id} or the version asked for: was it deleted?")
    if "marked for deletion" in text:
        return RotationRefused(
            f"{secret_id} is marked for deletion: `aws secretsmanager restore-secret` brings it back"
        )
    if operation == "get_random_password":
        return ConfigurationError(
            f"GetRandomPassword refused the password policy ({code}): check PASSWORD_LENGTH and EXCLUDE_…"
        )
    if operation == "put_secret_value":
        return SecretError(
            f"Secrets Manager refused the pending value ({code}): over 65,536 bytes, or not the event's own RotationToken"
        )
    return RotationRefused(f"Secrets Manager refused {name} for {secret_id} ({code})")


def _denied(code: str, text: str, name: str, secret_id: str) -> ConfigurationError | None:
    if code.startswith("AccessDenied"):
        action = "kms:Decrypt and kms:GenerateDataKey" if "kms" in text.lower() else f"secretsmanager:{name}"
        return ConfigurationError(
            f"the function's role may not do {action} on {secret_id or '*'}: allow it in its policy"
        )
    if code in {"DecryptionFailure", "EncryptionFailure"} or code.startswith("KMS"):
        return ConfigurationError(
            f"{name} failed at the KMS key ({code}): let the role use it (kms:Decrypt, kms:GenerateDataKey)"
        )
    if code in CREDENTIALS:
        return ConfigurationError(f"Secrets Manager does not accept the function's credentials ({code})")
    return None


def _expected(code: str, operation: str, text: str) -> bool:
    if operation == "put_secret_value":
        return code == "ResourceExistsException"
    # "…can't find the specified secret." is the secret itself; a value that is missing reads "…the specified secret value…".
    return code == "ResourceNotFoundException" and not text.rstrip().endswith("the specified secret.")
