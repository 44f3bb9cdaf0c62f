"""What a failed call to ElastiCache or MemoryDB means, translated into our tree with the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotators import deadline
from rotators.calls import call
from rotators.engines.elasticache.service import clients
from rotators.errors import ChangeRefused, ConfigurationError, RotatorsError, SecretError, TargetUnreachable
from rotators.refusals import CREDENTIALS, PASSING, SERVER_ERROR, THROTTLED, Transient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.engines.elasticache.cache_user import CacheUser

#: What a password must not hold. Source: ElastiCache user guide, RBAC; MemoryDB has the same.
FORBIDDEN = ',"/@'
#: ElastiCache says its codes without "Fault" and "Exception", MemoryDB with them.
ABSENT, BUSY, INVALID = "UserNotFound", "InvalidUserState", "InvalidParameter"


def ask(
    who: CacheUser, operation: str, parameters: Mapping[str, Any], *, busy: bool = False
) -> Mapping[str, Any] | None:
    """
    Make one call, again while its failure is a passing one.

    Args:
        who: whom it is about.
        operation: the client's method.
        parameters: the call's.
        busy: that the user is being changed is an answer: None.

    Raises:
        ConfigurationError: the function's role may not, or has no credentials.
        SecretError: there is no such user.
        ChangeRefused: the service would not.
        TargetUnreachable: it did not answer.
    """
    if deadline.current().left() <= 0:
        raise TargetUnreachable(
            f"no time is left to ask {who.service.title}: raise the function's Timeout", cause="timeout"
        )
    failure = _Failure(who, "".join(part.capitalize() for part in operation.split("_")), busy=busy)
    answer: Mapping[str, Any] | None = call(
        lambda: clients(who.service, who.region).get(deadline.current()), operation, parameters, failure.translate
    )
    return answer


class _Failure:
    """The failure of one call."""

    def __init__(self, who: CacheUser, action: str, *, busy: bool) -> None:
        self.service, self.id, self.action, self.busy = who.service, who.id, action, busy

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
            cause = "tls" if isinstance(error, SSLError) else "timeout" if "Timeout" in name else "network"
            text = (
                f"{self.service.title} did not answer {self.action} ({name}): a function in a VPC needs an interface endpoint for "
                f"{self.service.vpc} or a NAT gateway, and a security group that lets port 443 out"
            )
            return Transient(TargetUnreachable(text, cause=cause))
        if isinstance(error, ParamValidationError):  # its text quotes what it was given
            return SecretError(f"{self.service.title} can't be asked {self.action} about this user: check 'user_arn'")
        if isinstance(error, (NoCredentialsError, NoRegionError)):
            return ConfigurationError(f"{self.action} could not be signed ({name}): set AWS_REGION and credentials")
        return TargetUnreachable(f"{self.action} failed in the AWS SDK ({name})")

    def _answered(self, response: Mapping[str, Any]) -> Exception | None:
        """A message is never repeated: the service has seen passwords."""
        code = str(response.get("Error", {}).get("Code", ""))
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code.startswith(BUSY):
            return None if self.busy else self._still()
        if code in THROTTLED or code in PASSING or status >= SERVER_ERROR:
            text = f"{self.service.title} answered {self.action} with {code or status}, again and again"
            return Transient(TargetUnreachable(text, cause="busy"))
        return self._refused(code)

    def _still(self) -> Exception:
        return TargetUnreachable(f"the user {self.id} is being changed, {self.action} has to wait", cause="busy")

    def _refused(self, code: str) -> RotatorsError:
        title = self.service.title
        if code.startswith(("AccessDenied", "Unauthorized")):
            return ConfigurationError(
                f"the function's role may not do {self.service.name}:{self.action} on the user {self.id}: allow it "
                "(docs/elasticache.md has the policy)"
            )
        if code in CREDENTIALS or code in {"SignatureDoesNotMatch", "AuthFailure"}:
            return ConfigurationError(f"{title} does not accept the function's own credentials ({code})")
        if code.startswith(ABSENT):
            return SecretError(
                f"{title} has no user {self.id} in this account and region: correct 'user_arn' in the secret"
            )
        if code.startswith(INVALID):
            return ChangeRefused(
                f"{title} refused {self.action} of the user {self.id} ({code}). It takes passwords of 16 to 128 printable "
                f"characters without {' '.join(FORBIDDEN)}. See PASSWORD_LENGTH and EXCLUDE_CHARACTERS, take AWSPENDING off and "
                "rotate again"
            )
        return ChangeRefused(f"{title} refused {self.action} of the user {self.id} ({code})")
