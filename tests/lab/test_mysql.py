"""The private MySQL server: what MariaDB has not, and where it is found. What both have is in test_mysqld.py."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rotators.lab import LabError
from rotators.lab.account import Account
from rotators.lab.mariadb import MariaDB
from rotators.lab.mysql import MySQL
from tests.lab.test_mysqld import login, needs_root
from tests.servers import account

if TYPE_CHECKING:
    from collections.abc import Iterator

unpacked = os.environ.get("ROTATORS_MYSQL")
needs_unpacked = pytest.mark.skipif(not unpacked, reason="no unpacked MySQL: see `.ci/setup mysql`")


@pytest.fixture
def bin_directory() -> Iterator[Path]:
    """A directory whose programs the server's account can run."""
    directory = Path(tempfile.mkdtemp(dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def says(program: Path, version: str) -> None:
    program.write_text(f"#!/bin/sh\necho '{program} {version}'\n")
    program.chmod(0o755)


def test_a_user_may_have_two_passwords(mysql: MySQL) -> None:
    secret: dict[str, Any] = account(mysql)
    user = f"'{secret['username']}'@'%'"
    assert mysql.execute(f"SELECT plugin FROM mysql.user WHERE user = '{secret['username']}'") == [
        ("caching_sha2_password",)
    ]
    mysql.execute(f"ALTER USER {user} IDENTIFIED BY 'two' RETAIN CURRENT PASSWORD")
    login(mysql, secret).close()
    login(mysql, secret, password="two").close()


def test_components_can_be_installed(mysql_template: Path) -> None:
    with MySQL.start(template=mysql_template) as server:
        server.execute("INSTALL COMPONENT 'file://component_validate_password'")
        assert server.execute("SELECT @@validate_password.policy") == [("MEDIUM",)]


def test_the_two_are_told_apart(bin_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROTATORS_MYSQL", raising=False)
    monkeypatch.setenv("PATH", str(bin_directory))
    monkeypatch.setattr("rotators.lab.mysqld_installation._PLACES", str(bin_directory))
    says(bin_directory / "mysqld", "Ver 8.4.5 for Linux on x86_64 (MySQL Community Server - GPL)")
    says(bin_directory / "mariadb-install-db", "")
    assert (MySQL.find().version, MySQL.find().server) == ("8.4.5", (str(bin_directory / "mysqld"),))
    with pytest.raises(LabError, match="no MariaDB server"):
        MariaDB.find()


def test_a_mysqld_that_is_mariadb_is_none(bin_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROTATORS_MYSQL", raising=False)
    monkeypatch.setenv("PATH", str(bin_directory))
    monkeypatch.setattr("rotators.lab.mysqld_installation._PLACES", str(bin_directory))
    says(bin_directory / "mysqld", "Ver 10.11.19-MariaDB for Linux")
    says(bin_directory / "mysql_install_db", "")
    with pytest.raises(LabError, match=r"no MySQL server(.|\n)*\.ci/setup mysql(.|\n)*ROTATORS_MYSQL"):
        MySQL.find()
    assert MariaDB.find().version == "10.11.19"


@pytest.mark.parametrize("there", [True, False])
def test_the_directory_in_the_environment_comes_first(
    monkeypatch: pytest.MonkeyPatch, bin_directory: Path, *, there: bool
) -> None:
    if there:
        says(bin_directory / "run", "Ver 10.11.19-MariaDB for Linux")
    monkeypatch.setenv("ROTATORS_MYSQL", str(bin_directory))
    with pytest.raises(LabError, match=f"ROTATORS_MYSQL is {bin_directory}"):
        MySQL.find()


@needs_root
@needs_unpacked
def test_it_works_from_below_a_private_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mysql_template: Path
) -> None:
    tree = shutil.copytree(unpacked or "", tmp_path / "mysql", symlinks=True)  # tmp_path is mode 700
    monkeypatch.setenv("ROTATORS_MYSQL", str(tree))
    assert not Account.for_servers().reaches(tree)
    with MySQL.start(template=mysql_template) as server:
        assert not any(str(tmp_path) in word for word in server.installation.command())
        assert server.execute("SELECT 1") == [(1,)]
