"""PostgreSQL, single user, under the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rotators.testing.contract import RotatorContract

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.subjects import PostgresSubject


class TestPostgresSingleUser(RotatorContract):
    """Every law, on a real server."""

    @pytest.fixture
    def subject(self, postgres_subject: Callable[..., PostgresSubject]) -> PostgresSubject:
        return postgres_subject()
