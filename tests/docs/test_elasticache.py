"""docs/elasticache.md: its secrets rotate, and its policy allows each call that is made, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rotators import Secret
from rotators.engines import engine
from rotators.engines.elasticache import ElastiCache
from rotators.engines.elasticache.user import TAG
from rotators.testing import rotate
from tests.elasticache.conftest import cache, held
from tests.redis.conftest import redis_server, trusting

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.elasticache.held import Held

__all__ = ["cache", "held", "redis_server", "trusting"]

PAGE = (Path(__file__).parents[2] / "docs/elasticache.md").read_text()
BARE, HOSTED, POLICY = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
ALLOWED = {each["Action"][0].partition(":")[0]: (set(each["Action"]), each["Resource"]) for each in POLICY["Statement"]}


@pytest.mark.parametrize("value", [BARE, HOSTED], ids=["without a host", "with a host"])
@pytest.mark.parametrize("spelling", ["user_arn", "userArn"])
def test_the_secrets_are_ones(value: dict[str, str], spelling: str) -> None:
    changed = {spelling if key == "user_arn" else key: each for key, each in value.items()}
    found = ElastiCache().resource(Secret(changed))
    assert (found["user_arn"], found.get("port")) == (value["user_arn"], "6379" if "host" in value else None)
    service = value["user_arn"].split(":")[2]
    assert engine(service).resource(Secret({**changed, "engine": service})) == found
    assert ALLOWED[service][1] == value["user_arn"]


@pytest.mark.parametrize("host", [True, False], ids=["host", "no host"])
@pytest.mark.parametrize("kind", ["elasticache", "memorydb"])
def test_the_policy_allows_what_is_done_and_no_more(held: Callable[..., Held], kind: str, host: bool) -> None:
    app = held(kind, host=host)
    for _ in range(2):
        assert rotate(app.service, app.arn).succeeded
    assert {f"{service}:{action}" for service, action, _ in app.cache.asked} == ALLOWED[kind][0]


def test_the_tag() -> None:
    assert f"`{TAG}`" in PAGE
