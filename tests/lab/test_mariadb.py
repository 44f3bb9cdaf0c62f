"""The private MariaDB server: what MySQL has not. What both have is in test_mysqld.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rotators.lab import LabError
from rotators.lab.mariadb import MariaDB
from tests.servers import account

if TYPE_CHECKING:
    from pathlib import Path


def test_ed25519_is_loaded(mariadb: MariaDB) -> None:
    secret = account(mariadb, plugin="ed25519")
    created = mariadb.execute(f"SHOW CREATE USER '{secret['username']}'@'%'")[0][0]
    assert "IDENTIFIED VIA ed25519 USING" in created


def test_more_plugins_can_be_loaded_beside_it(mariadb_template: Path) -> None:
    with MariaDB.start(template=mariadb_template, settings={"plugin_load_add": "simple_password_check"}) as server:
        loaded = server.execute("SELECT plugin_name FROM information_schema.plugins WHERE plugin_library IS NOT NULL")
        assert {"ed25519", "simple_password_check"} <= {name for (name,) in loaded}


def test_a_plugin_that_is_not_there_stops_nothing(mariadb_template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MariaDB, "quick", {**MariaDB.quick, "plugin_load_add": "no_such_plugin"})
    with MariaDB.start(template=mariadb_template) as server:
        assert "no_such_plugin" in server.log.read_text()
        account(server)


def test_a_machine_without_a_server_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("rotators.lab.mysqld_installation._PLACES", str(tmp_path))
    with pytest.raises(LabError, match=r"apt-get install -y --no-install-recommends mariadb-server"):
        MariaDB.find()
