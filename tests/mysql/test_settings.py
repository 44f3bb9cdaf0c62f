"""Settings of a server that would break a session which trusts them: each is set, and both ways to rotate go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rotators import ChangeRefused, ConfigurationError
from rotators.engines.mysql.login import _context
from rotators.testing import rotate
from tests.mysql.conftest import setting
from tests.mysql.stage import PENDING, SINGLE, failing, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mariadb import MariaDB
    from rotators.lab.mysqld import Mysqld
    from tests.mysql_world import MySQLWorld

    Make = Callable[..., MySQLWorld]

BOTH: list[dict[str, str | float]] = [
    {"sql_mode": "ANSI,TRADITIONAL,PAD_CHAR_TO_FULL_LENGTH"},
    {"sql_mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE,IGNORE_SPACE"},
    {
        "character_set_server": "latin1",
        "collation_server": "latin1_german1_ci",
        "character_set_client": "latin1",
        "character_set_connection": "latin1",
        "character_set_results": "latin1",
        "init_connect": "SET NAMES latin1",
    },
    {
        "wait_timeout": 1,
        "interactive_timeout": 1,
        "lock_wait_timeout": 1,
        "max_allowed_packet": 1024,
        "net_buffer_length": 1024,
        "autocommit": 0,
        "completion_type": "RELEASE",
        "tx_isolation": "SERIALIZABLE",
        "sql_quote_show_create": 0,
        "sql_select_limit": 1,
        "max_error_count": 0,
    },
    {"init_connect": "START TRANSACTION", "completion_type": "CHAIN"},
    {"init_connect": "SET sql_mode = 'ANSI_QUOTES', autocommit = 0"},
]
MARIADB: list[dict[str, str | float]] = [
    {"sql_mode": "ORACLE"},
    {"sql_mode": "MSSQL,EMPTY_STRING_IS_NULL"},
    {"old_passwords": 1, "secure_auth": 0},
    {"tx_read_only": 1, "max_statement_time": 0.05, "strict_password_validation": 1, "default_password_lifetime": 1},
]
MYSQL: list[dict[str, str | float]] = [
    {"transaction_read_only": 1, "max_execution_time": 1, "print_identified_with_as_hex": 1, "partial_revokes": 1},
    {"password_require_current": 1, "password_reuse_interval": 1, "default_password_lifetime": 1},
    {"check_proxy_users": 1, "sha256_password_proxy_users": 1},
]


def survives(server: Mysqld, make: Make, values: dict[str, str | float]) -> None:
    """Rotate by the user itself, by its own rights, and by an admin, with a password that quoting must not touch."""
    if server.engine == "mysql":
        values = {"transaction_isolation" if name == "tx_isolation" else name: value for name, value in values.items()}
    app = make(server, tags=SINGLE)
    for by in ("itself", "rights", "admin"):
        if by == "rights":
            app.execute(f"GRANT CREATE USER ON *.* TO {app.name}")
        if by == "admin":
            app.with_admin()
        with setting(server, **values):
            run(app, app.pending(password=f"{by}-a\\'b\"c`d-é漢🔑"))
            assert app.opens()
            outcome = rotate(app.service, app.arn)
            assert outcome.succeeded, outcome.error
    assert app.opens()


@pytest.mark.parametrize("values", BOTH)
def test_whatever_the_server_is_set_to(odd: Mysqld, mysql_world: Make, values: dict[str, str | float]) -> None:
    survives(odd, mysql_world, values)


@pytest.mark.parametrize("values", MARIADB)
def test_whatever_mariadb_is_set_to(odd_mariadb: MariaDB, mysql_world: Make, values: dict[str, str | float]) -> None:
    survives(odd_mariadb, mysql_world, values)


@pytest.mark.parametrize("values", MYSQL)
def test_whatever_mysql_is_set_to(odd_mysql: Mysqld, mysql_world: Make, values: dict[str, str | float]) -> None:
    survives(odd_mysql, mysql_world, values)


def test_a_policy_that_no_longer_allows_the_plugin(odd_mysql: Mysqld, mysql_world: Make) -> None:
    """A user may not change its own password then, and an admin may."""
    app = mysql_world(odd_mysql, tags=SINGLE)
    with setting(odd_mysql, authentication_policy="sha256_password,,"):
        error = failing(app, app.pending(password=PENDING))
        assert isinstance(error, ChangeRefused)
        assert "authentication_policy" in str(error)
        app.with_admin()
        assert rotate(app.service, app.arn).succeeded
    assert app.opens()


def test_the_certificates_are_read_again_when_they_change(odd_mariadb: MariaDB) -> None:
    """A warm function keeps them; a new file under the same name is another."""
    assert odd_mariadb.ca_bundle is not None
    bundle = str(odd_mariadb.ca_bundle)
    assert _context(bundle, 1) is _context(bundle, 1)
    assert _context(bundle, 2) is not _context(bundle, 1)
    assert _context(bundle, 1).check_hostname
    assert _context(bundle, 1).verify_mode.name == "CERT_REQUIRED"
    assert _context(bundle, 1).minimum_version.name == "TLSv1_2"
    with pytest.raises(ConfigurationError):
        _context("/nowhere/at/all.pem", 1)
