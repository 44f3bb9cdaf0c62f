"""Worlds for the scenarios, each made when it is asked for: a server that no scenario of a worker needs is not started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.iam.conftest import held, iam  # noqa: F401 - fixtures
from tests.postgres.pair import PairWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.postgres import Postgres
    from rotators.testing import SecretsManager


@pytest.fixture
def pair(
    postgres_server: Postgres, service: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., PairWorld]:
    """Make a pair of roles on PostgreSQL, with an admin."""
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(postgres_server.ca_bundle))

    def make(**more: Any) -> PairWorld:
        return PairWorld(postgres_server, service, **more)

    return make
