"""On whose authority keys are issued and deleted: the function's role, an admin's key, or the key's own."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rotators.clients import Clients, session
from rotators.engines.iam.access_key import AccessKey
from rotators.errors import ConfigurationError, SecretError
from rotators.machine import AWSCURRENT, AWSPENDING, Step

if TYPE_CHECKING:
    from rotators.rotation import Rotation

VARIABLE, TAG = "ROTATORS_IAM_AUTHORITY", "rotators:iam-authority"
ROLE, ADMIN, SELF = "role", "admin", "self"
IAM = ("iam", "IAM", "AWS_ENDPOINT_URL_IAM")
STS = ("sts", "STS", "AWS_ENDPOINT_URL_STS")


@dataclass(frozen=True, slots=True)
class Authority:
    """
    Attributes:
        title: what errors call it.
        key: what it signs with; None for the function's own credentials.
    """

    title: str
    key: AccessKey | None = field(default=None, repr=False)


def authorities(rotation: Rotation) -> list[Authority]:
    """
    Return who may be asked to change the user's keys; the next where the one before is refused.

    The tag ``rotators:iam-authority`` says it, else the variable ``ROTATORS_IAM_AUTHORITY``, else: the admin where the secret
    names one, and the function's role where it names none.

    Raises:
        ConfigurationError: the word is none.
        SecretError: an admin is asked for, and the secret names none, or not one with an access key.

    Example:
        >>> [authority.title for authority in authorities(rotation)]
        ["the function's role"]
    """
    said = (rotation.about.tags.get(TAG) or os.environ.get(VARIABLE) or "").strip().lower()
    word = said or (ADMIN if rotation.admin is not None else ROLE)
    if word == ROLE:
        return [Authority("the function's role")]
    if word == SELF:
        own = [Authority(f"the key of {AWSCURRENT}", AccessKey.of(rotation.current))]
        if rotation.step in {Step.TEST, Step.FINISH}:  # proven by now; somebody may have ended the other
            own.append(Authority(f"the key of {AWSPENDING}", AccessKey.of(rotation.pending)))
        return own
    if word != ADMIN:
        raise ConfigurationError(f"the tag {TAG}, or {VARIABLE}, must be {ROLE}, {ADMIN} or {SELF}")
    admin = rotation.admin
    if admin is None:
        raise SecretError(f"an admin's key is to be used ({TAG}, {VARIABLE}), and the secret names none as 'masterarn'")
    problem = ""
    try:
        return [Authority("the admin's key", AccessKey.of(admin))]
    except SecretError as error:
        problem = str(error)
    raise SecretError(f"the secret that 'masterarn' names can't be used: {problem}")


def clients(service: tuple[str, str, str], key: AccessKey) -> Clients:
    """Return what makes clients that sign with a key, apart from the function's own; for one step, not to be kept."""
    return _KeyClients(service, key)


class _KeyClients(Clients):
    """Clients whose session is one with the key's signature."""

    def __init__(self, service: tuple[str, str, str], key: AccessKey) -> None:
        super().__init__(*service)
        self._session = _Signing(key)


class _Signing:
    """What stands for a boto3 session: the one of this process, as making one costs a tenth of a second."""

    _lock = threading.Lock()  # a session is not safe between threads
    _session: Any = None

    def __init__(self, key: AccessKey) -> None:
        self._key = key

    def client(self, service: str, **more: Any) -> Any:
        with self._lock:
            if _Signing._session is None:
                _Signing._session = session()
            return _Signing._session.client(
                service, aws_access_key_id=self._key.id, aws_secret_access_key=self._key.secret, **more
            )
