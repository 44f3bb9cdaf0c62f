from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rotators import calls, waiting
from rotators.engines.elasticache import user
from tests.elasticache.held import Held
from tests.elasticache.stand_in import Cache
from tests.redis.conftest import redis_server, trusting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.lab.redis import Redis
    from rotators.testing import SecretsManager

__all__ = ["redis_server", "trusting"]


@pytest.fixture
def cache(redis_server: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cache]:
    """Both services, as the environment names them."""
    monkeypatch.setattr(user, "PAUSES", (0.01,))
    monkeypatch.setattr(waiting, "SETTLE", 1.0)
    monkeypatch.setattr(calls, "PAUSES", (0.01, 0.01, 0.01, None))
    monkeypatch.delenv("USER_NAME", raising=False)
    with Cache(redis_server) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ELASTICACHE", made.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_MEMORYDB", made.url)
        yield made


@pytest.fixture
def held(service: SecretsManager, cache: Cache) -> Iterator[Callable[..., Held]]:
    """Make a user and its secret."""
    made: list[Held] = []

    def make(kind: str = "elasticache", **more: Any) -> Held:
        made.append(Held(service, cache, kind, **more))
        return made[-1]

    yield make
    for each in made:
        each.proxy.__exit__()
