"""Servers for the tests that change a server's own settings, and write every log that it has."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from rotators.lab.mariadb import MariaDB
from rotators.lab.mysql import MySQL
from tests.mysql.couple import couple  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rotators.lab.mysqld import Mysqld

#: A password stands in none of them: the binary log, the slow log with every statement, and MySQL's history of statements.
LOGS = {
    "skip_name_resolve": "OFF",
    "log_bin": "binlog",
    "server_id": "7",
    "slow_query_log": "ON",
    "long_query_time": "0",
}


@pytest.fixture(scope="session")
def odd_mariadb(mariadb_template: Path) -> Iterator[MariaDB]:
    """A MariaDB to be changed, and set back."""
    # PAM's version 1 asks in the server itself; version 2 runs a program that only the user mysql may run.
    plugins = "auth_ed25519;auth_pam_v1"
    with MariaDB.start(template=mariadb_template, settings={**LOGS, "plugin_load_add": plugins}) as server:
        yield server


@pytest.fixture(scope="session")
def odd_mysql(mysql_template: Path) -> Iterator[MySQL]:
    """A MySQL to be changed, and set back."""
    with MySQL.start(template=mysql_template, settings={**LOGS, "performance_schema": "ON"}) as server:
        server.execute("UPDATE performance_schema.setup_consumers SET ENABLED = 'YES'")
        yield server


@pytest.fixture(params=["odd_mariadb", "odd_mysql"])
def odd(request: pytest.FixtureRequest) -> Mysqld:
    """Each of the two in turn."""
    server: Mysqld = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="session")
def plain_mariadb(mariadb_template: Path) -> Iterator[MariaDB]:
    """A MariaDB without TLS."""
    with MariaDB.start(template=mariadb_template, tls=False) as server:
        yield server


@contextmanager
def setting(server: Mysqld, **values: str | float) -> Iterator[None]:
    """Change settings of a server for as long as the block lasts."""
    before = {name: server.execute(f"SELECT @@GLOBAL.{name}")[0][0] for name in values}

    def put(to: dict[str, object]) -> None:
        for name, value in to.items():
            server.execute(
                f"SET GLOBAL {name} = {value!r}" if not isinstance(value, bytes) else f"SET GLOBAL {name} = ''"
            )

    put(dict(values))
    try:
        yield
    finally:
        put(before)
