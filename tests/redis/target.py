"""Redis for the engine contract: redis-py by itself."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from redis.backoff import NoBackoff
from redis.retry import Retry

import redis
from rotators.testing import Target

if TYPE_CHECKING:
    from rotators.lab.redis import Redis

RIGHTS = ("+acl|getuser", "+acl|setuser", "+acl|save", "+config|rewrite")


class RedisTarget(Target):
    """Users of one server, that may change their own passwords, and an admin."""

    def __init__(self, server: Redis, *, rights: tuple[str, ...] = RIGHTS) -> None:
        self.server, self._rights = server, rights

    def account(self, username: str, password: str) -> dict[str, Any]:
        self.server.execute("ACL", "SETUSER", username, "on", f">{password}", "~app:*", "+@read", *self._rights)
        return self.server.secret(username, password)

    def admin(self) -> dict[str, Any]:
        return self.server.secret("lab_admin", self.server.superuser_password)

    def superuser(self, username: str, password: str) -> dict[str, Any]:
        self.server.execute("ACL", "SETUSER", username, "on", f">{password}", "~*", "+@all")
        return self.server.secret(username, password)

    def opens(self, value: dict[str, Any]) -> bool:
        try:
            login(self.server, value["username"], value["password"], port=value["port"])
        except redis.exceptions.AuthenticationError:
            return False
        return True

    def rejections(self) -> int:
        found = 0
        for entry in self.server.execute("ACL", "LOG", "1000"):
            said = entry if isinstance(entry, dict) else dict(zip(entry[::2], entry[1::2], strict=True))
            text = {key if isinstance(key, str) else key.decode(): each for key, each in said.items()}
            found += int(text["count"]) if text["reason"] in {b"auth", "auth"} else 0
        return found

    def log(self) -> str:
        slow = self.server.execute("SLOWLOG", "GET", "100000")
        return f"{slow} {self.server.log.read_text(errors='replace')}"


def login(server: Redis, username: str, password: str, *, port: int | None = None) -> str:
    """Log in, and return who we are."""
    client = redis.Redis(
        host=server.host,
        port=port or server.port,
        username=username,
        password=password,
        ssl=server.tls,
        ssl_cert_reqs="none",
        ssl_check_hostname=False,
        single_connection_client=True,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
    )
    with client:
        client.connection.connect()  # type: ignore[union-attr] # it has one of its own
    return username


def unique(name: str = "app") -> str:
    return f"{name}_{uuid.uuid4().hex[:10]}"
