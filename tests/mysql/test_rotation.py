"""A whole single-user rotation on both servers: what opens, when, and what the server's logs saw of it."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from rotators.engines.mysql.verifiers import verifier
from rotators.testing import resume, rotate

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mariadb import MariaDB
    from rotators.lab.mysql import MySQL
    from rotators.lab.mysqld import Mysqld
    from tests.mysql_world import MySQLWorld

    Make = Callable[..., MySQLWorld]

SINGLE = {"rotators:strategy": "single"}
PLUGINS = [
    ("mariadb", "mysql_native_password"),
    ("mariadb", "ed25519"),
    ("mysql", "caching_sha2_password"),
    ("mysql", "sha256_password"),
]
PASSWORDS = [
    "".join(chr(c) for c in range(32, 127)),
    "密码パスワード비밀",
    "🔑🗝️ emoji",
    "'",
    '"',
    "\\",
    "\\' OR 1=1 --",
    " spaces at both ends ",
    "`%s` %(x)s %",
    "x" * 200,
    "*" + "A" * 40,
    "$A$005$" + "x" * 63,
]
WITHOUT = "stopped opening at once"


def test_three_rotations(mysql_family: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(mysql_family, extra={"keep": [1, 2.5, None]}, port_note="5432")
    keys = list(app.value())
    for _ in range(3):
        before = app.value()
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        after = app.value()
        assert app.opens()
        assert not app.admits(before["password"])
        assert list(after) == keys
        assert {k: v for k, v in after.items() if k != "password"} == {
            k: v for k, v in before.items() if k != "password"
        }


@pytest.mark.parametrize(("family", "plugin"), PLUGINS)
def test_the_plugin_stays(
    family: str, plugin: str, mysql_world: Make, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """And so do its TLS demand, its limits, its expiry and its lock policy."""
    server = request.getfixturevalue(family)
    options = "REQUIRE SSL WITH MAX_USER_CONNECTIONS 9 MAX_QUERIES_PER_HOUR 90000 PASSWORD EXPIRE INTERVAL 77 DAY"
    app = mysql_world(server, plugin=plugin, options=options)
    before = _traits(app.created())
    for _ in range(2):
        assert rotate(app.service, app.arn).succeeded
        assert app.opens()
    assert _traits(app.created()) == before
    assert plugin in app.created() or plugin == "mysql_native_password"
    assert WITHOUT in caplog.text


def _traits(created: str) -> str:
    return created[created.index(" REQUIRE ") :]


@pytest.mark.parametrize(("family", "plugin"), PLUGINS)
def test_two_passwords_by_the_admin(
    family: str, plugin: str, mysql_world: Make, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """The old one dies at the next rotation, and no login of anybody's is refused meanwhile."""
    app = mysql_world(request.getfixturevalue(family), plugin=plugin, tags=SINGLE)
    app.with_admin()
    history = [app.value()["password"]]
    for _ in range(4):
        assert rotate(app.service, app.arn).succeeded
        history.append(app.value()["password"])
        assert [app.admits(password) for password in history[-3:]] == [False, True, True][-len(history[-3:]) :]
    assert WITHOUT not in caplog.text


def test_two_passwords_by_oneself(mysql_family: Mysqld, mysql_world: Make, caplog: pytest.LogCaptureFixture) -> None:
    app = mysql_world(mysql_family)
    right = "CREATE USER" if mysql_family.engine == "mariadb" else "APPLICATION_PASSWORD_ADMIN"
    app.execute(f"GRANT {right} ON *.* TO {app.name}")
    history = [app.value()["password"]]
    for _ in range(3):
        with app.log() as lines:
            assert rotate(app.service, app.arn).succeeded
        assert [line for line in lines if "Access denied" in line] == []
        history.append(app.value()["password"])
        assert [app.admits(password) for password in history[-3:]] == [False, True, True][-len(history[-3:]) :]
    assert WITHOUT not in caplog.text


def test_without_rights_it_says_which_grant_would_help(
    mysql_family: Mysqld, mysql_world: Make, caplog: pytest.LogCaptureFixture
) -> None:
    app = mysql_world(mysql_family)
    assert rotate(app.service, app.arn).succeeded
    said = caplog.text
    assert "GRANT CREATE USER" in said or "GRANT APPLICATION_PASSWORD_ADMIN" in said
    assert "masterarn" in said


@pytest.mark.parametrize("by", ["admin", "itself"])
def test_set_secret_twice_does_not_kill_the_password_in_use(mysql_family: Mysqld, mysql_world: Make, by: str) -> None:
    """RETAIN said twice would make both passwords the new one (law 4)."""
    app = mysql_world(mysql_family, tags=SINGLE)
    if by == "admin":
        app.with_admin()
    else:
        app.execute(f"GRANT CREATE USER ON *.* TO {app.name}")
    token = app.pending()
    app.step("createSecret", token)
    for _ in range(3):
        app.step("setSecret", token)
        assert app.opens("AWSCURRENT")
        assert app.opens("AWSPENDING")
    app.step("testSecret", token)
    app.step("finishSecret", token)
    assert app.opens("AWSPREVIOUS")
    assert app.opens()


@pytest.mark.parametrize("by", ["admin", "itself"])
def test_an_abandoned_attempt_does_not_push_out_the_password_in_use(
    mysql_family: Mysqld, mysql_world: Make, by: str
) -> None:
    app = mysql_world(mysql_family, tags=SINGLE)
    if by == "admin":
        app.with_admin()
    else:
        app.execute(f"GRANT CREATE USER ON *.* TO {app.name}")
    for _ in range(3):
        token = app.pending()
        app.step("createSecret", token)
        app.step("setSecret", token)
        abandoned = app.value("AWSPENDING")["password"]
        app.service.client().update_secret_version_stage(
            SecretId=app.arn, VersionStage="AWSPENDING", RemoveFromVersionId=token
        )
        assert app.opens()
        assert app.admits(abandoned)
    with app.log() as lines:
        assert rotate(app.service, app.arn).succeeded
    assert app.opens("AWSPREVIOUS")
    assert app.opens()
    assert not app.admits(abandoned)
    assert [line for line in lines if "Access denied" in line] == [] or by == "itself"


@pytest.mark.parametrize("by", ["admin", "itself", "plain"])
def test_no_login_fails_while_it_rotates(mysql_family: Mysqld, mysql_world: Make, by: str) -> None:
    """A client that logs in with AWSCURRENT all the time; with one password alone, it must have been refused."""
    app = mysql_world(mysql_family, tags=SINGLE)
    if by == "admin":
        app.with_admin()
    if by == "itself":
        app.execute(f"GRANT CREATE USER ON *.* TO {app.name}")
    refused, tried, ended = 0, 0, threading.Event()

    def client() -> None:
        nonlocal refused, tried
        while not ended.is_set():
            tried += 1
            refused += not app.opens()
            time.sleep(0.001)

    thread = threading.Thread(target=client)
    thread.start()
    for _ in range(3):
        assert rotate(app.service, app.arn).succeeded
    ended.set()
    thread.join()
    assert tried > 10
    assert (refused > 0) == (by == "plain")


def test_a_password_changed_by_hand_is_healed_by_the_admin(mysql_family: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(mysql_family, tags=SINGLE)
    app.with_admin()
    app.set_password("somebody-elses")
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()
    assert not app.admits("somebody-elses")


@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password(mysql_family: Mysqld, mysql_world: Make, password: str) -> None:
    """Set as pending, used as current, and put aside; by the user itself and by an admin."""
    app = mysql_world(mysql_family, tags=SINGLE)
    for by in ("itself", "admin"):
        token = app.pending(password=password)
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            app.step(step, token)
        assert app.admits(password)
        assert rotate(app.service, app.arn).succeeded
        assert app.opens()
        if by == "itself":
            app.with_admin()


def test_every_account_that_the_password_opens_and_none_other(mysql_family: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(mysql_family, tags=SINGLE, host="127.0.0.1")
    app.with_admin()
    same, other = f"`{app.username}`@`10.%`", f"`{app.username}`@`192.168.1.7`"
    password = app.value()["password"]
    app.execute(f"CREATE USER {same} IDENTIFIED BY '{password}'", f"CREATE USER {other} IDENTIFIED BY 'another'")
    before = app.created("192.168.1.7")
    stored = {host: app.created(host) for host in ("127.0.0.1", "10.%")}
    assert rotate(app.service, app.arn).succeeded
    assert app.created("192.168.1.7") == before
    assert app.created("10.%") != stored["10.%"]
    assert app.opens()
    app.execute(f"RENAME USER {same} TO `{app.username}`@`127.%`", f"DROP USER {app.name}")
    assert app.opens()


def test_oneself_without_rights_leaves_other_accounts_alone(mysql_family: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(mysql_family, host="127.0.0.%")
    app.execute(f"CREATE USER `{app.username}`@`10.%` IDENTIFIED BY 'another'")
    before = app.created("10.%")
    assert rotate(app.service, app.arn).succeeded
    assert app.created("10.%") == before
    assert app.opens()


def test_a_normal_rotation_causes_no_failed_login(mysql_family: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(mysql_family)
    with app.log() as lines:
        assert rotate(app.service, app.arn).succeeded
    assert sum("Connect" in line and app.username in line for line in lines) == 4
    assert [line for line in lines if "denied" in line] == []


@pytest.mark.parametrize("by", ["admin", "itself", "plain"])
def test_no_password_in_the_servers_logs(mysql_family: Mysqld, mysql_world: Make, by: str) -> None:
    app = mysql_world(mysql_family, tags=SINGLE)
    secrets = [app.value()["password"]]
    if by == "admin":
        secrets.append(app.with_admin()["password"])
    if by == "itself":
        app.execute(f"GRANT CREATE USER ON *.* TO {app.name}")
    with app.log() as lines:
        for _ in range(2):
            assert rotate(app.service, app.arn).succeeded
            secrets.append(app.value()["password"])
    assert any("Query" in line for line in lines)
    assert [line for line in lines if any(secret in line for secret in secrets)] == []


def test_a_general_log_that_hides_nothing_is_refused(mysql: MySQL, mysql_world: Make) -> None:
    app = mysql_world(mysql)
    app.execute("SET GLOBAL log_raw = ON")
    try:
        outcome = rotate(app.service, app.arn)
    finally:
        app.execute("SET GLOBAL log_raw = OFF")
    assert "log_raw" in str(outcome.error)
    assert app.opens()


@pytest.mark.parametrize("mode", ["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI,NO_BACKSLASH_ESCAPES", ""])
def test_any_sql_mode(mysql_family: Mysqld, mysql_world: Make, mode: str) -> None:
    app = mysql_world(mysql_family, tags=SINGLE)
    app.with_admin()
    before = app.execute("SELECT @@GLOBAL.sql_mode")[0][0]
    app.execute(f"SET GLOBAL sql_mode = '{mode}'")
    try:
        token = app.pending(password="a\\'b\"c`d")
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            app.step(step, token)
        assert rotate(app.service, app.arn).succeeded
    finally:
        app.execute(f"SET GLOBAL sql_mode = '{before}'")
    assert app.opens()


@pytest.mark.parametrize("secret_says", ["mysql", "mariadb", "aurora-mysql"])
def test_the_server_says_what_it_is(mysql_family: Mysqld, mysql_world: Make, secret_says: str) -> None:
    app = mysql_world(mysql_family, engine=secret_says)
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


def test_a_socket_beside_the_password_stays(mariadb: MariaDB, mysql_world: Make) -> None:
    app = mysql_world(mariadb, tags=SINGLE)
    app.execute(f"ALTER USER {app.name} IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('one')")
    app.put_current({**app.value(), "password": "one"})
    app.with_admin()
    for _ in range(2):
        assert rotate(app.service, app.arn).succeeded
        assert app.opens()
        assert app.opens("AWSPREVIOUS")
        assert "VIA unix_socket OR" in app.created()


def test_a_dual_account_without_rights_keeps_what_can_be_kept(mariadb: MariaDB, mysql_world: Make) -> None:
    """SET PASSWORD changes the first of two passwords: where the second is AWSCURRENT's, nobody is shut out."""
    app = mysql_world(mariadb)
    old, current = (verifier("mysql_native_password", word) for word in ("older", app.value()["password"]))
    app.execute(
        f"ALTER USER {app.name} IDENTIFIED VIA mysql_native_password USING '{old}' OR mysql_native_password USING '{current}'"
    )
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()
    assert app.opens("AWSPREVIOUS")
    assert not app.admits("older")


def test_five_at_once(mysql_family: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(mysql_family)
    token = app.pending()
    app.step("createSecret", token)
    errors: list[Any] = []

    def run() -> None:
        try:
            app.step("setSecret", token)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [error for error in errors if not error.retryable] == []
    assert resume(app.service, app.arn).succeeded
    assert app.opens()


def test_a_tampered_value_that_opens_is_refused(mysql_family: Mysqld, mysql_world: Make) -> None:
    app, other = mysql_world(mysql_family), mysql_world(mysql_family)
    token = app.pending(**{k: other.value()[k] for k in ("username", "password")})
    for step in ("setSecret", "testSecret", "finishSecret"):
        with pytest.raises(Exception, match="'username' differ"):
            app.step(step, token)
    assert json.dumps(app.value())
    assert app.opens()
