"""A user of one of the services, and the secret that is rotated."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rotators import EngineRotator, SecretStore
from rotators.engines.elasticache import ElastiCache
from rotators.testing.proxy import Proxy
from tests.redis.target import RedisTarget, unique
from tests.world import Stored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.testing import SecretsManager
    from tests.elasticache.stand_in import Cache, User


class Held(Stored):
    """
    Args:
        kind: the service.
        host: whether the secret names the server, which is behind a proxy that can fail.
        more: what else stands in the value, or what stands in it otherwise.
    """

    def __init__(
        self, service: SecretsManager, cache: Cache, kind: str = "elasticache", *, host: bool = True, **more: Any
    ) -> None:
        self.cache = cache
        assert cache.server is not None
        self.server = cache.server
        name, first = f"app-{unique('u')[2:]}", f"first-Canary-{uuid.uuid4().hex}"
        self.user: User = cache.user(kind, name, first)
        self.proxy = Proxy(self.server.host, self.server.port).__enter__()
        value = {"user_arn": self.user.arn, "username": name, "password": first, "note": 1}
        if host:
            value |= {"host": self.server.host, "port": self.proxy.port}
        super().__init__(service, ElastiCache(), {**value, **more}, {})
        self.context = None
        cache.asked.clear()

    def new_sandbox(self) -> None:
        self.handler = EngineRotator(ElastiCache(), store=SecretStore(self.service.client()))

    def opens(self, value: dict[str, Any]) -> bool:
        """Log in by redis-py itself, at the server."""
        return RedisTarget(self.server).opens({**value, "port": self.server.port})

    def passwords(self, *labels: str) -> set[str]:
        return {self.value(label)["password"] for label in labels}

    def elsewhere(self, value: dict[str, Any]) -> dict[str, Any]:
        other = self.cache.user(self.user.service, "somebody-else", "a-password-of-somebody")
        return {**value, "user_arn": other.arn, "username": other.name}

    @contextmanager
    def outage(self) -> Iterator[None]:
        before = self.proxy.cut_after
        self.cache.down, self.proxy.cut_after = True, 0
        yield
        self.cache.down, self.proxy.cut_after = False, before

    def rejections(self) -> int:
        return RedisTarget(self.server).rejections()
