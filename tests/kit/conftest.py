"""The relay, for each test of the kit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kit.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def relay() -> Iterator[Relay]:
    made = Relay()
    yield made
    made.close()
