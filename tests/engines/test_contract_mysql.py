"""MariaDB and MySQL under the engine contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rotators.engines.mysql import MySQL as MySQLEngine
from rotators.testing import EngineContract
from rotators.testing.two_passwords_contract import TwoPasswords
from tests.engines import CUTS
from tests.engines.mysql_target import MysqldTarget

if TYPE_CHECKING:
    from rotators.lab.mariadb import MariaDB
    from rotators.lab.mysql import MySQL


class TestMariaDB(EngineContract):
    """Two passwords by the admin."""

    engine = MySQLEngine()
    cuts = CUTS
    keeps_two_passwords = ("admin",)
    alternates = True
    longest_name = 128

    @pytest.fixture
    def target(self, mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch) -> MysqldTarget:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(mariadb.ca_bundle))
        return MysqldTarget(mariadb)


class TestMariaDBWithRights(TwoPasswords):
    """Two passwords by a user itself that may change users."""

    engine = MySQLEngine()
    cuts = CUTS
    keeps_two_passwords = ("itself",)

    @pytest.fixture
    def target(self, mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch) -> MysqldTarget:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(mariadb.ca_bundle))
        return MysqldTarget(mariadb, rights="CREATE USER ON *.*")


class TestMySQL(EngineContract):
    """Two passwords by the admin."""

    engine = MySQLEngine()
    cuts = CUTS
    keeps_two_passwords = ("admin",)
    alternates = True
    longest_name = 32

    @pytest.fixture
    def target(self, mysql: MySQL, monkeypatch: pytest.MonkeyPatch) -> MysqldTarget:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(mysql.ca_bundle))
        return MysqldTarget(mysql)


class TestMySQLWithRights(TwoPasswords):
    """Two passwords by a user itself that may keep them."""

    engine = MySQLEngine()
    cuts = CUTS
    keeps_two_passwords = ("itself",)

    @pytest.fixture
    def target(self, mysql: MySQL, monkeypatch: pytest.MonkeyPatch) -> MysqldTarget:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(mysql.ca_bundle))
        return MysqldTarget(mysql, rights="APPLICATION_PASSWORD_ADMIN ON *.*")
