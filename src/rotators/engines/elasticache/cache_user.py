"""``CacheUser``: what a secret says of a user of ElastiCache or MemoryDB, with the keys of AWS's own template."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rotators.engines.elasticache.service import SERVICES
from rotators.engines.redis.nodes import RedisSecret
from rotators.errors import SecretError

if TYPE_CHECKING:
    from rotators.engines.elasticache.service import Service
    from rotators.secret import Secret

#: AWS's template has the first; the second is the same in the other spelling.
ARNS = ("user_arn", "userArn")
EXPECTED = "such as arn:aws:elasticache:eu-central-1:123456789012:user:app or arn:aws:memorydb:eu-central-1:123456789012:user/app"
_ARN = re.compile(
    r"arn:aws[a-z-]*:(?P<service>elasticache(?=:.*:user:)|memorydb(?=:.*:user/)):(?P<region>[a-z0-9-]+):\d{12}:user[:/]"
    r"(?P<id>[a-zA-Z][a-zA-Z0-9-]*)"
)
#: What ``engine`` may be: the service, or what its servers speak. AWS's template has no such key.
SERVERS = ("redis", "valkey")
#: PBKDF2's rounds for what stands in a tag.
ROUNDS = 20_000


@dataclass(frozen=True)
class CacheUser:
    """
    The typed view of a secret.

    Attributes:
        service: which of the two.
        arn: the user's.
        region: where the user is.
        id: what the API calls it.
        username: what a client logs in as.
        password: None before the first rotation, as AWS's guide has it.
        login: where to log in; None where the secret names no host.

    Example:
        >>> CacheUser.of(secret).id
        'app'
    """

    service: Service
    arn: str
    region: str
    id: str
    username: str
    password: str | None = field(repr=False)
    login: RedisSecret | None = field(repr=False)

    @classmethod
    def of(cls, secret: Secret) -> CacheUser:
        """
        Validate a secret.

        Raises:
            SecretError: names the key and the expected form, never the value.
        """
        arn = _arn(secret)
        found = _ARN.fullmatch(arn)
        if found is None:
            raise SecretError(f"'{_named(secret)}' in the secret is not the ARN of a user, {EXPECTED}")
        service, engine = found["service"], secret.get("engine", found["service"])
        if engine not in (service, *SERVERS):
            raise SecretError(f"'engine' in the secret is not \"{service}\", which the ARN is of; leave it out")
        username = secret.get("username")
        if not isinstance(username, str) or not username or not username.isprintable():
            raise SecretError(
                "'username' in the secret must be the name that the user logs in with: a non-empty string"
            )
        password = secret.get("password")
        if password is not None and (not isinstance(password, str) or not password):
            raise SecretError("'password' in the secret must be a non-empty string")
        return cls(SERVICES[service], arn, found["region"], found["id"].lower(), username, password, _login(secret))

    def resource(self) -> dict[str, str]:
        """Return what law 5 compares."""
        where = {} if self.login is None else self.login.resource()
        return {**where, "user_arn": self.arn, "username": self.username}

    def authority(self, by: Secret) -> CacheUser:
        """
        Read whose login stands for the change: the role makes it, once a value of this very user has opened (law 5).

        Raises:
            SecretError: it is another user's.
        """
        other = by.get("username") != self.username
        if other or (who := CacheUser.of(by)).resource() != self.resource():
            raise SecretError(
                "the secret that 'masterarn' names was not used: it is the function's role that changes a user of "
                f"{self.service.title}. Store the password that works"
            )
        return who

    @cached_property
    def mark(self) -> str:
        """What the tag says where this password was set: too short to tell it, and no other one has the same by chance."""
        text = (self.password or "").encode()
        return hashlib.pbkdf2_hmac("sha256", text, self.arn.encode(), ROUNDS, dklen=8).hex()


def _named(secret: Secret) -> str:
    return next((key for key in ARNS if key in secret), ARNS[0])


def _arn(secret: Secret) -> str:
    said: list[Any] = [secret[key] for key in ARNS if secret.get(key) is not None]
    if not said:
        raise SecretError(f"'{ARNS[0]}' is missing in the secret; expected the ARN of a user, {EXPECTED}")
    if any(other != said[0] for other in said):
        raise SecretError(f"{' and '.join(repr(key) for key in ARNS)} in the secret differ; leave one of them")
    return said[0] if isinstance(said[0], str) else ""


def _login(secret: Secret) -> RedisSecret | None:
    if secret.get("host") is None:
        for key in ("nodes", "port"):
            if secret.get(key) is not None:
                raise SecretError(f"the secret has '{key}' and no 'host'; expected both, or none")
        return None
    # a password that is not there yet is never used
    return RedisSecret.of(secret.replace(engine=SERVERS[0], password=secret.get("password") or "none"))
