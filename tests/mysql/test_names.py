"""Accounts are user and host: odd names, odd hosts, several rows of a user, and which of them lets us in."""

from __future__ import annotations

import ssl
import uuid
from typing import TYPE_CHECKING, Any

import pymysql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymysql.constants import CR

from rotators.engines.mysql import hosts as entries
from rotators.engines.mysql.accounts import Account, _parsed
from rotators.engines.mysql.plugins import NOT_OURS, PLUGINS
from rotators.testing import rotate
from tests.mysql.stage import SINGLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mariadb import MariaDB
    from rotators.lab.mysqld import Mysqld
    from tests.mysql_world import MySQLWorld

    Make = Callable[..., MySQLWorld]

#: Each gets something behind it that nobody else has. Of 32 characters is the longest that both servers take.
NAMES = [
    "a'b", 'a"b', "a`b", "a``b", "a\\b", "a\\'b", "a%b", "a_b", "a@b", "a@10.%", "a b", "a  b", "größe", "密码", "A;b--", "a/*b*/",
    "{}%s%(x)s", "SELECT", "x" * 24,
]  # fmt: skip
HOSTS = ["%", "127.0.0.1", "127.%", "127.0.0._", "127.0.0.0/255.255.255.0", "127.0.0.0/255.0.0.0"]


def rename(app: MySQLWorld, username: str) -> None:
    """Give the account another name, and the secret too."""
    app.execute(f"RENAME USER {app.name} TO {quoted(username)}@`{app.host}`")
    app.username = username
    app.put_current({**app.value(), "username": username})


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


@pytest.mark.parametrize("name", NAMES)
def test_any_name(mysql_family: Mysqld, mysql_world: Make, name: str) -> None:
    """By the user itself, with rights and without, and by an admin; another user of nearly that name stays as it was."""
    app = mysql_world(mysql_family, tags=SINGLE)
    other = mysql_world(mysql_family)
    unique = uuid.uuid4().hex[:7]
    rename(app, f"{name}_{unique}")
    rename(other, f"{name.swapcase()}{unique}_")
    for by in ("itself", "rights", "admin"):
        if by == "rights":
            app.execute(f"GRANT CREATE USER ON *.* TO {quoted(app.username)}@`%`")
        if by == "admin":
            app.with_admin()
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert app.opens()
    assert other.opens()


def test_the_longest_names(mysql_family: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(mysql_family, tags=SINGLE)
    longest = 80 if mysql_family.engine == "mariadb" else 32
    rename(app, uuid.uuid4().hex.ljust(longest, "x"))
    for _ in range(2):
        assert rotate(app.service, app.arn).succeeded
        assert app.opens()
        app.with_admin(password=f"admin-{uuid.uuid4().hex}")


@pytest.mark.parametrize("host", HOSTS)
def test_any_host(mysql_family: Mysqld, mysql_world: Make, host: str) -> None:
    """By the user itself, and by an admin, who heals it too."""
    app = mysql_world(mysql_family, tags=SINGLE, host=host)
    assert rotate(app.service, app.arn).succeeded
    app.with_admin()
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()
    app.set_password("changed-by-hand")
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()
    assert not app.admits("changed-by-hand")


def test_a_host_that_is_a_name(odd_mariadb: MariaDB, mysql_world: Make) -> None:
    """A server that looks names up says who comes by a name, and takes accounts of the name and of the address alike."""
    assert odd_mariadb.execute("SELECT @@skip_name_resolve") == [(0,)]
    app = mysql_world(odd_mariadb, tags=SINGLE, host="LOCALHOST")
    app.with_admin()
    password = app.value()["password"]
    app.execute(
        f"CREATE USER `{app.username}`@`127.0.0.%` IDENTIFIED BY '{password}'",
        f"CREATE USER `{app.username}`@`%.example` IDENTIFIED BY 'another'",
        f"CREATE USER `{app.username}`@`::1` IDENTIFIED BY '{password}'",
    )
    with app.session(password) as session, session.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER()")
        assert cursor.fetchone() == (f"{app.username}@localhost",)
    app.host = "localhost"
    app.set_password("changed-by-hand")
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()
    for host in ("localhost", "127.0.0.%"):
        assert app.opens()
        app.execute(f"DROP USER `{app.username}`@`{host}`")


PATTERNS = [
    "127.0.0.1", "127.0.0.%", "127.%", "%", "127.0.0._", "1%", "127.0.0.0/255.255.255.0", "127.0.0.0/255.0.0.0",
    "127.0.0.0/24", "127.0.0.0/8", "_27.0.0.1", "%.1", "12_.0.0.1", "127.%.0.1", "localhost", "local%", "10.%", "::1",
    "example.com", "%.0.0.1", "_________", "%%", "127.0.0.%%", "%127.0.0.1", "10.0.0.0/255.0.0.0", "127.0.0\\_1", "1_7.%",
]  # fmt: skip


@pytest.mark.parametrize("resolving", [False, True])
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hosts=st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=4, unique=True))
def test_which_account_lets_us_in(request: pytest.FixtureRequest, resolving: bool, hosts: list[str]) -> None:
    """Asked of the servers themselves: the account that `serving` says is the one of CURRENT_USER()."""
    for engine in ("mariadb", "mysql"):
        server: Mysqld = request.getfixturevalue(f"odd_{engine}" if resolving else engine)
        user = f"serving_{uuid.uuid4().hex[:12]}"
        for host in hosts:
            server.execute(f"CREATE USER '{user}'@'{host}' IDENTIFIED BY 'same'".replace("\\", "\\\\"))
        stored = [row[0] for row in server.execute(f"SELECT Host FROM mysql.user WHERE User = '{user}'")]
        found = [Account(user, host, ()) for host in stored]
        client, served = who_came(server, user)
        mariadb = engine == "mariadb"
        said = entries.serving(found, client, address="127.0.0.1", mariadb=mariadb)
        order = entries._mariadb_order if mariadb else entries._mysql_order
        if served is None or said is None:
            assert said is None
            assert served is None
        else:  # of two that are as specific as each other either may come first
            assert order(said.host) == order(served), (engine, stored, served, said)
        server.execute(*(f"DROP USER '{user}'@'{host}'".replace("\\", "\\\\") for host in stored))


def who_came(server: Mysqld, user: str) -> tuple[str, str | None]:
    """Return our host as the server says it, and the host of the account that it let us in by."""
    context = ssl.create_default_context(cafile=str(server.ca_bundle))
    try:
        with pymysql.connect(
            host="127.0.0.1",
            port=server.port,
            user=user,
            password="same",
            ssl=context,
            auth_plugin_map=PLUGINS,  # type: ignore[arg-type] # by bytes or by str, says PyMySQL itself
        ) as session:
            cursor = session.cursor()
            cursor.execute("SELECT USER(), CURRENT_USER()")
            row: Any = cursor.fetchone()
    except pymysql.err.OperationalError as error:
        # MariaDB asks who has no account by the plugin of an account that it picks, one of another test's perhaps
        assert error.args[0] in {1045, 1698, CR.CR_AUTH_PLUGIN_CANNOT_LOAD} or NOT_OURS in str(error)
        looked_up = server.engine == "mariadb" and server.execute("SELECT @@skip_name_resolve") == [(0,)]
        return ("localhost" if looked_up else "127.0.0.1"), None
    return str(row[0]).rpartition("@")[2], str(row[1]).rpartition("@")[2]


def test_what_show_create_user_says(odd_mariadb: MariaDB) -> None:
    """Names, options and plugins that look like more ways in are none."""
    verifier = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7"
    cases = [
        ("", []),
        (f"IDENTIFIED BY PASSWORD '{verifier}'", [("mysql_native_password", verifier)]),
        ("IDENTIFIED VIA unix_socket", [("unix_socket", "")]),
        (
            f"IDENTIFIED VIA pam USING 'it''s OR ed25519' OR mysql_native_password USING '{verifier}'",
            [("pam", "it's OR ed25519"), ("mysql_native_password", verifier)],
        ),
        (
            f"IDENTIFIED BY PASSWORD '{verifier}' REQUIRE SUBJECT '/CN=A OR mysql_native_password USING ''x'''",
            [("mysql_native_password", verifier)],
        ),
    ]
    for name in ("plain", "x` IDENTIFIED VIA y OR z", "a`@`b", "it's"):
        quoted = f"`{name.replace('`', '``')}`@`%`"
        for options, expected in cases:
            odd_mariadb.execute(f"CREATE USER {quoted} {options}")
            ((said,),) = odd_mariadb.execute(f"SHOW CREATE USER {quoted}")
            assert [(entry.plugin, entry.stored.decode()) for entry in _parsed(said)] == expected, said
            odd_mariadb.execute(f"DROP USER {quoted}")
