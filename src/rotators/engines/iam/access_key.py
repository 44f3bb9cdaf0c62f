"""``AccessKey``: the view of a secret that holds one, under the names that people give its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from rotators.engines.iam.smtp import smtp_password
from rotators.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rotators.secret import Secret

#: How the two parts are called: by us, in ``~/.aws/credentials``, in the environment, by the API, by SDKs, by Vault.
PARTS = (
    ("access_key_id", "secret_access_key"),
    ("aws_access_key_id", "aws_secret_access_key"),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("AccessKeyId", "SecretAccessKey"),
    ("accessKeyId", "secretAccessKey"),
    ("access_key", "secret_key"),
)
USERS = ("username", "user_name", "userName", "UserName")
REGIONS = ("region", "aws_region", "AWS_REGION", "AWS_DEFAULT_REGION")
SMTP_USERS = ("smtp_username", "smtpUsername", "SMTP_USERNAME")
#: The last is Terraform's name of it.
SMTP_PASSWORDS = ("smtp_password", "smtpPassword", "SMTP_PASSWORD", "ses_smtp_password_v4")

#: Source: IAM API reference, AccessKey and User. What begins with ASIA is temporary, and belongs to a session.
_ID = re.compile(r"\w{16,128}", re.ASCII)
_TEMPORARY = "ASIA"
_USER = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_REGION = re.compile(r"[a-z0-9-]{1,32}")


@dataclass(frozen=True, slots=True)
class AccessKey:
    """
    An access key, as a secret holds it.

    Attributes:
        id: its id, which is no secret.
        secret: its secret part; in no repr.
        user: the IAM user that the secret names; empty where it names none.

    Example:
        >>> AccessKey.of(Secret({"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "…"})).id
        'AKIAIOSFODNN7EXAMPLE'
    """

    id: str
    secret: str = field(repr=False)
    user: str = ""

    @classmethod
    def of(cls, secret: Secret) -> Self:
        """
        Read a secret.

        Raises:
            SecretError: a part is missing, of the wrong form, or said twice and differently. Names the key, not the value.
        """
        secret.keyed()
        pairs = _pairs(secret)
        found = _agreed(secret, (pair[0] for pair in pairs))
        if not isinstance(found, str) or not _ID.fullmatch(found):
            raise SecretError(f"'{pairs[0][0]}' in the secret is not an access key's id, such as AKIAIOSFODNN7EXAMPLE")
        if found.startswith(_TEMPORARY):
            raise SecretError(
                f"'{pairs[0][0]}' in the secret is a temporary one, of a role's session; expected an IAM user's access key"
            )
        key = _agreed(secret, (pair[1] for pair in pairs))
        if not isinstance(key, str) or not key or not key.isascii() or not key.isprintable() or " " in key:
            raise SecretError(f"'{pairs[0][1]}' in the secret is missing or not of the form of a secret access key")
        user = _agreed(secret, (name for name in USERS if name in secret))
        if user is not None and (not isinstance(user, str) or not _USER.fullmatch(user)):
            raise SecretError(f"{_named(secret, USERS)} in the secret is not the name of an IAM user, without its path")
        return cls(id=found, secret=key, user=user or "")

    @property
    def ending(self) -> str:
        """Return how to call it in a text: the end of its id, as the console does."""
        return f"ending in {self.id[-4:]}"


def ids(secret: Secret) -> frozenset[str]:
    """Return the ids that stand in a secret, whatever else is wrong with it."""
    if secret.plain:
        return frozenset()
    return frozenset(secret[name] for name, _ in PARTS if isinstance(secret.get(name), str))


def issued(like: Secret, key: AccessKey) -> Secret:
    """
    Return `like` with another key in it: the same keys in the same order, SMTP's derived anew.

    Raises:
        SecretError: it wants an SMTP password and does not say of which region.
    """
    changes: dict[str, Any] = {}
    for name, secret_name in _pairs(like):
        changes |= {name: key.id, secret_name: key.secret}
    return like.replace(**changes, **_smtp(like, key))


def derived(secret: Secret) -> bool:
    """Say whether what is derived of the key, is of this key."""
    return all(secret[name] == value for name, value in _smtp(secret, AccessKey.of(secret)).items())


def _smtp(like: Secret, key: AccessKey) -> dict[str, str]:
    passwords = [name for name in SMTP_PASSWORDS if name in like]
    if not passwords:
        return {}
    region = _agreed(like, (name for name in REGIONS if name in like))
    if not isinstance(region, str) or not _REGION.fullmatch(region):
        raise SecretError(
            f"the secret has '{passwords[0]}' and no 'region': an SMTP password is for one region of SES; say which"
        )
    derivation = smtp_password(key.secret, region)
    return dict.fromkeys(passwords, derivation) | {name: key.id for name in SMTP_USERS if name in like}


def _pairs(secret: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the names that this secret uses; ours where it uses none, so that the error says what was expected."""
    found = [pair for pair in PARTS if pair[0] in secret or pair[1] in secret]
    if not found:
        raise SecretError(
            "'access_key_id' and 'secret_access_key' are missing in the secret; expected an IAM user's access key"
        )
    return found


def _agreed(secret: Mapping[str, Any], names: Iterable[str]) -> Any:
    """Return what stands under each of these names; None where there is none of them."""
    names = list(names)
    values = [secret.get(name) for name in names]
    if any(value != values[0] for value in values):
        raise SecretError(f"{' and '.join(repr(name) for name in names)} in the secret differ; leave one of them")
    return values[0] if values else None


def _named(secret: Mapping[str, Any], names: Iterable[str]) -> str:
    return next(repr(name) for name in names if name in secret)
