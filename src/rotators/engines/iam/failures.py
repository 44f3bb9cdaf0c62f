"""What a failed call to IAM or STS means: botocore's many answers, translated into our tree with the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotators import deadline
from rotators.calls import call
from rotators.errors import (
    ChangeRefused,
    ConfigurationError,
    CredentialRejected,
    RotatorsError,
    SecretError,
    TargetUnreachable,
)
from rotators.refusals import CREDENTIALS, PASSING, SERVER_ERROR, THROTTLED, Transient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.clients import Clients
    from rotators.engines.iam.authority import Authority

REJECTED = CREDENTIALS | {"SignatureDoesNotMatch", "AuthFailure"}
#: The signature is right and its time is not. STS says it by the code of a wrong signature, and explains.
SKEWED = {"RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"}
SKEW_TEXTS = ("Signature expired", "Signature not yet current")
#: Source: IAM API reference, the errors of TagUser and UpdateAccessKey: both pass.
BUSY = {"ConcurrentModification", "ConcurrentModificationException", "EntityTemporarilyUnmodifiable", "ServiceFailure"}
ABSENT, FULL = "NoSuchEntity", "LimitExceeded"


def ask(  # noqa: PLR0913 - the call, who makes it, and what its failures mean
    clients: Clients,
    operation: str,
    by: Authority,
    *,
    on: str = "",
    gone: bool = False,
    once: bool = False,
    **parameters: Any,
) -> Mapping[str, Any] | None:
    """
    Make one call, again while its failure is a passing one.

    Args:
        clients: of IAM or STS.
        operation: the client's method.
        by: who signs.
        on: the IAM user, for the errors.
        gone: absence is an answer: None.
        once: not again after a failure that may have done the work.
        parameters: the call's.

    Raises:
        CredentialRejected: the key that signed was refused.
        ConfigurationError: who asks may not, or there is no region.
        SecretError: there is no such user where we ask.
        ChangeRefused: IAM would not.
        TargetUnreachable: it did not answer.
    """
    service = "STS" if operation == "get_caller_identity" else "IAM"
    if deadline.current().left() <= 0:
        raise TargetUnreachable(f"no time is left to ask {service}: raise the function's Timeout", cause="timeout")
    failure = _Failure(
        service, "".join(part.capitalize() for part in operation.split("_")), by, on, gone=gone, once=once
    )
    answer: Mapping[str, Any] | None = call(
        lambda: clients.get(deadline.current()), operation, parameters, failure.translate
    )
    return answer


class _Failure:
    """The failure of one call."""

    def __init__(self, service: str, action: str, by: Authority, on: str, *, gone: bool, once: bool) -> None:  # noqa: PLR0913
        self.service, self.action, self.by, self.on = service, action, by, on
        self.gone, self.once = gone, once

    def translate(self, error: Exception) -> Exception | None:
        from botocore.exceptions import (  # noqa: PLC0415 - only where a call has failed
            ClientError,
            HTTPClientError,
            NoCredentialsError,
            NoRegionError,
            ParamValidationError,
            SSLError,
        )
        from botocore.exceptions import ConnectionError as NoConnection  # noqa: PLC0415

        name = type(error).__name__
        if isinstance(error, ClientError):
            return self._answered(error.response)
        if isinstance(error, (NoConnection, HTTPClientError, TimeoutError)):
            late = "Timeout" in name
            cause = "tls" if isinstance(error, SSLError) else "timeout" if late else "network"
            return self._passing(
                f"{self.service} did not answer {self.action} ({name}): a function in a VPC needs a NAT gateway for IAM, and "
                "that or an interface endpoint for sts",
                cause,
                done=True,
            )
        if isinstance(error, ParamValidationError):  # its text may quote what it was given
            return SecretError(f"{self.service} can't be asked {self.action} about this key or user: check their form")
        if isinstance(error, (NoCredentialsError, NoRegionError)):
            return ConfigurationError(f"{self.action} could not be signed ({name}): set AWS_REGION and credentials")
        return TargetUnreachable(f"{self.action} failed in the AWS SDK ({name})")

    def _passing(self, text: str, cause: str, *, done: bool) -> Exception:
        """Return a failure that may pass; `done` where the work may have been done all the same."""
        outcome = TargetUnreachable(text, cause=cause)
        return outcome if self.once and done else Transient(outcome)

    def _answered(self, response: Mapping[str, Any]) -> Exception | None:
        code = str(response.get("Error", {}).get("Code", ""))
        text = str(response.get("Error", {}).get("Message", ""))
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in THROTTLED | BUSY - {"ServiceFailure"}:
            return self._passing(
                f"{self.service} answered {self.action} with {code}, again and again", "busy", done=False
            )
        if code in PASSING | BUSY or status >= SERVER_ERROR:
            return self._passing(f"{self.service} answered {self.action} with {code or status}", "busy", done=True)
        if code in SKEWED or any(part in text for part in SKEW_TEXTS):
            return TargetUnreachable(f"{self.service} finds the time wrong that {self.action} was signed at ({code})")
        if code in REJECTED:
            return self._rejected(code)
        if code.startswith(("AccessDenied", "Unauthorized")):
            return self._denied()
        if code == ABSENT:
            return (
                None
                if self.gone
                else SecretError(
                    f"{self.by.title} finds no IAM user {self.on}: it is of another account, or the user was deleted"
                )
            )
        if code == FULL:
            return self._full()
        return ChangeRefused(f"{self.service} refused {self.action} ({code})")

    def _full(self) -> ChangeRefused:
        if self.action == "TagUser":
            return ChangeRefused(
                f"the IAM user {self.on} has all the tags it may have: take one off, rotation needs one"
            )
        return ChangeRefused(
            f"the IAM user {self.on} has no room for another key, though it had when its keys were listed: another run has "
            "issued one, or the list was late. The next try finds out",
            retryable=True,
        )

    def _rejected(self, code: str) -> RotatorsError:
        if self.by.key is None:
            return ConfigurationError(f"{self.service} does not accept the function's own credentials ({code})")
        return CredentialRejected(f"{self.service} does not accept {self.by.title} ({code})")

    def _denied(self) -> RotatorsError:
        if self.service == "STS":  # nobody needs leave to ask who he is, but a VPC's endpoint may forbid to ask at all
            return TargetUnreachable(
                f"{self.action} was denied: allow sts:{self.action} in the policy of the VPC's endpoint", cause="denied"
            )
        return ConfigurationError(
            f"{self.by.title} may not do iam:{self.action} on the user {self.on}: allow it (docs/iam.md has the policy)"
        )
