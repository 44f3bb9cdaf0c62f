"""Servers of three versions, and pairs of roles on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rotators.lab.installation import Installation, wheel_bins
from rotators.lab.postgres import Postgres
from tests.postgres.pair import PairWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rotators.testing import SecretsManager

WHEELS = sorted(wheel_bins())


@pytest.fixture(scope="session", params=[None, *WHEELS], ids=lambda path: path.parent.name if path else "system")
def any_server(request: pytest.FixtureRequest, postgres_template: Path) -> Iterator[Postgres]:
    """The system's server and the two of the wheel: what a role may grant changed with 16."""
    installation = Installation.at(request.param) if request.param else None
    with Postgres.start(
        installation=installation,
        template=postgres_template if installation is None else None,
        settings={"log_statement": "all", "max_connections": "50"},
    ) as server:
        yield server


@pytest.fixture
def pair(
    postgres_server: Postgres, service: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., PairWorld]:
    """Make a pair: `pair(superuser=True, server=…, username=…, any key of the secret=…)`."""

    def make(server: Postgres = postgres_server, **more: Any) -> PairWorld:
        if server.ca_bundle is not None:
            monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(server.ca_bundle))
        else:
            monkeypatch.delenv("ROTATORS_CA_BUNDLE", raising=False)
        return PairWorld(server, service, **more)

    return make
