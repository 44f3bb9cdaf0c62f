"""MariaDB and MySQL, one user, under the contract: by itself without rights, by itself with them, by an admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from rotators.testing.contract import RotatorContract
from tests.mysql_subjects import ADMIN, ITSELF, PLAIN, MySQLSubject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.testing import SecretsManager


class _OneUser(RotatorContract):
    """Every law, on a real server."""

    server: ClassVar[str]
    by: ClassVar[str]

    @pytest.fixture
    def subject(
        self, service: SecretsManager, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[MySQLSubject]:
        server = request.getfixturevalue(self.server)
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(server.ca_bundle))
        with MySQLSubject(server, service, self.by) as subject:
            yield subject


class TestMariaDBPlain(_OneUser):
    server, by = "mariadb", PLAIN


class TestMariaDBItself(_OneUser):
    server, by = "mariadb", ITSELF


class TestMariaDBAdmin(_OneUser):
    server, by = "mariadb", ADMIN


class TestMySQLPlain(_OneUser):
    server, by = "mysql", PLAIN


class TestMySQLItself(_OneUser):
    server, by = "mysql", ITSELF


class TestMySQLAdmin(_OneUser):
    server, by = "mysql", ADMIN
