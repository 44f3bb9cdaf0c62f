"""
Why a secret could not be read.

::

    RotatorsError
    └── SecretUnreadable         catch this to catch all of these
        ├── SecretNotFound       no such secret, version or label in this account and Region
        ├── SecretDeleted        the secret is marked for deletion
        ├── AccessDenied         IAM, the secret's own policy or the VPC endpoint's says no
        ├── KeyRefused           KMS: the key may not be used, or is disabled
        ├── Throttled            too many calls; retryable
        └── ServiceUnavailable   no answer, or a failure of the service's own; retryable

Each carries ``secret_id``. Missing credentials, Region or boto3 are ``rotators.ConfigurationError``.
"""

from __future__ import annotations

import os

from rotators.errors import ConfigurationError, RotatorsError
from rotators.refusals import CREDENTIALS, PASSING, SERVER_ERROR, THROTTLED, Transient


class SecretUnreadable(RotatorsError):
    """Secrets Manager did not give the value. The root of what reading a secret raises."""


class SecretNotFound(SecretUnreadable):
    """There is no such secret, version or label, in this account and Region."""


class SecretDeleted(SecretUnreadable):
    """The secret is marked for deletion, so its values can't be read until it is restored."""


class AccessDenied(SecretUnreadable):
    """This role may not read this secret: by its own policy, the secret's, or the VPC endpoint's."""


class KeyRefused(SecretUnreadable):
    """The secret's KMS key may not be used by this role, or is disabled or gone."""


class Throttled(SecretUnreadable):
    """Secrets Manager, or KMS behind it, is asked too often by this account. It may pass."""

    default_retryable = True


class ServiceUnavailable(SecretUnreadable):
    """Secrets Manager did not answer, or failed by itself. It may pass."""

    default_retryable = True


def translate(error: Exception, secret_id: str, which: str) -> Exception:
    """
    Make of botocore's exception one of ours.

    Args:
        error: what the client raised.
        secret_id: whose.
        which: the version or label that was asked for, in words.
    """
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError  # noqa: PLC0415
    from botocore.exceptions import ConnectionError as NoConnection  # noqa: PLC0415
    from botocore.exceptions import ParamValidationError as BadParameter  # noqa: PLC0415

    name = type(error).__name__
    if isinstance(error, ClientError):
        found = _answered(error.response, secret_id, which)
    elif isinstance(error, BadParameter):  # its text quotes what it was given
        found = SecretNotFound("this is no secret's name or ARN, version's id or label: check their form")
    elif isinstance(error, (NoConnection, HTTPClientError, TimeoutError, OSError)):
        found = ServiceUnavailable(
            f"Secrets Manager did not answer for {secret_id} ({name}): in a VPC it takes an interface endpoint for "
            "secretsmanager or a NAT gateway, and a security group that lets port 443 out"
        )
    elif isinstance(error, BotoCoreError):
        return ConfigurationError(
            f"GetSecretValue could not be signed ({name}): set AWS_REGION and credentials, give the process a role, or log in "
            "again where the profile is one of IAM Identity Center"
        )
    else:
        found = ServiceUnavailable(f"{secret_id} could not be read ({name})", retryable=False)
    found.secret_id = secret_id
    return Transient(found) if found.retryable else found


def _answered(response: object, secret_id: str, which: str) -> SecretUnreadable:
    answer = response if isinstance(response, dict) else {}
    code = str(answer.get("Error", {}).get("Code", ""))
    text = str(answer.get("Error", {}).get("Message", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in {"ResourceNotFoundException", "InvalidRequestException", "InvalidParameterException"}:
        return _missing(code, text, secret_id, which)
    if code.startswith("KMS") or code == "DecryptionFailure" or (code.startswith("AccessDenied") and _of_kms(text)):
        return KeyRefused(
            f"the KMS key of {secret_id} can't be used ({code}): let this role do kms:Decrypt in the key's policy, and see "
            "that the key is enabled. A secret of another account needs a key of one's own making"
        )
    if code.startswith("AccessDenied"):
        return AccessDenied(
            f"this role may not read {which} of {secret_id}: allow secretsmanager:GetSecretValue on it in the role's policy, "
            "and see that neither the secret's policy nor the VPC endpoint's denies it"
        )
    if code in THROTTLED:
        return Throttled(
            f"Secrets Manager throttles the reads of {secret_id} ({code}): cache the value, read it less often"
        )
    if code in PASSING or status >= SERVER_ERROR:
        return ServiceUnavailable(f"Secrets Manager failed for {secret_id} ({code or status}), again and again")
    if code in CREDENTIALS:
        return AccessDenied(
            f"Secrets Manager does not accept this process's AWS credentials ({code}): they have expired, are for another "
            "account, or the clock is wrong"
        )
    return SecretUnreadable(f"Secrets Manager refused to read {which} of {secret_id} ({code})")


def _missing(code: str, text: str, secret_id: str, which: str) -> SecretUnreadable:
    if "marked for deletion" in text or "marked deleted" in text:
        return SecretDeleted(
            f"{secret_id} is marked for deletion: `aws secretsmanager restore-secret` brings it back until then"
        )
    if code == "InvalidRequestException" and "VersionStage" in text:
        return SecretNotFound(f"{secret_id} has no {which}: the version is there, and its labels are others")
    if code != "ResourceNotFoundException":
        return SecretUnreadable(f"Secrets Manager refused to read {which} of {secret_id} ({code})")
    if text.rstrip().endswith("the specified secret."):
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "the profile's Region"
        return SecretNotFound(
            f"there is no secret {secret_id} in this account and {region}: check its name and the Region; a secret of another "
            "account is named by its ARN"
        )
    return SecretNotFound(f"{secret_id} has no {which}: `aws secretsmanager list-secret-version-ids` shows what it has")


def _of_kms(text: str) -> bool:
    return "kms" in text.lower()
