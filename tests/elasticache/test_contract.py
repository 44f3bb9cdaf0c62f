"""The contract of any rotator, crash at every call included: with a host to log in at, and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rotators.testing import rotate
from rotators.testing.contract import RotatorContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.elasticache.held import Held


class TestElastiCache(RotatorContract):
    """Proven by logins at a real server."""

    gapless = True

    @pytest.fixture
    def subject(self, held: Callable[..., Held]) -> Held:
        return held()


class TestMemoryDBWithoutAHost(RotatorContract):
    """Proven by the tag. The user was rotated once: before, nothing of ours is known of it."""

    gapless = True

    @pytest.fixture
    def subject(self, held: Callable[..., Held]) -> Held:
        made = held("memorydb", host=False)
        assert rotate(made.service, made.arn).succeeded
        return made
