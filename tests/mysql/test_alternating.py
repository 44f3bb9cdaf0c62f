"""A pair of users on both servers: what opens, what either may do, and what a rotation leaves as it is."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators import ChangeRefused
from rotators.testing import resume, rotate
from tests.mysql.stock import Stock

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mariadb import MariaDB
    from rotators.lab.mysqld import Mysqld
    from tests.mysql.couple import Couple

    Make = Callable[..., Couple]

PLUGINS = [
    ("mariadb", "mysql_native_password"),
    ("mariadb", "ed25519"),
    ("mysql", "caching_sha2_password"),
    ("mysql", "sha256_password"),
]
NAMES = [
    "it's",
    'say "x"',
    "back`tick",
    "per%cent_",
    "back\\slash",
    "a TO b",
    "x ON *.*",
    "größe",
    "使用者",
    "x@y",
    "a_clone_b",
]


@pytest.mark.parametrize(("family", "plugin"), PLUGINS)
def test_four_rotations(family: str, plugin: str, couple: Make, request: pytest.FixtureRequest) -> None:
    app = couple(request.getfixturevalue(family), plugin=plugin, extra={"keep": [1, None]})
    values = [app.value()]
    refused = app.refusals()
    for turn in range(4):
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        values.append(app.value())
        assert values[-1]["username"] == app.username + ("" if turn % 2 else "_clone")
        assert list(values[-1]) == list(values[0])
        assert app.equal()
    assert app.refusals() == refused
    assert [app.opens(value) for value in values] == [False, False, False, True, True]
    rows = app.execute(f"SELECT plugin FROM mysql.user WHERE User LIKE '{app.username}%'")
    assert rows == [(plugin,), (plugin,)]


def test_drift_in_both_directions(mysql_family: Mysqld, couple: Make) -> None:
    """What the base is given and loses, the clone is given and loses, and so does what somebody gave to the clone alone."""
    app = couple(mysql_family)
    stock = Stock(app.server)
    admin = f"`{app.admin['username']}`@`%`"
    app.grant(
        "PROXY ON ''@'' TO ? WITH GRANT OPTION",
        *(f"{stock.names['r']}{n} TO ? WITH ADMIN OPTION" for n in (1, 2, 3)),
        to=admin,
    )
    chance = random.Random(7)
    rotate(app.service, app.arn)
    for turn in range(4):
        stock.clear(app.name)
        stock.give(app.name, *chance.sample(stock.rights, 9), f"UPDATE ON `{app.dbname}`.* TO ?")
        if turn % 2:
            stock.give(app.clone, *chance.sample(stock.rights, 3))
        assert not app.equal()
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert app.equal()
        assert app.opens()
        assert app.opens("AWSPREVIOUS")


def test_a_user_at_a_pattern_of_hosts_and_no_database(mysql_family: Mysqld, couple: Make) -> None:
    """AWS's template makes such a user's clone without a right, and the retry promotes it."""
    app = couple(mysql_family, host="127.%")
    app.put_current({key: value for key, value in app.value().items() if key != "dbname"})
    app.grant("SELECT, INSERT ON *.* TO ?")
    for _ in range(2):
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert app.hosts() == ["127.%"]
        assert app.equal()
        assert "GRANT SELECT, INSERT ON *.* TO ?" in app.grants(app.clone)


@pytest.mark.parametrize("name", NAMES)
def test_any_name(mysql_family: Mysqld, couple: Make, name: str) -> None:
    app = couple(mysql_family)
    app.rename(f"{name}{app.username[-6:]}")
    for _ in range(3):
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert app.opens()
        assert app.equal()


@pytest.mark.parametrize(("family", "longest"), [("mysql", 32), ("mariadb", 80)])
def test_the_longest_name(family: str, longest: int, couple: Make, request: pytest.FixtureRequest) -> None:
    app = couple(request.getfixturevalue(family))
    app.rename(app.username.ljust(longest - 6, "x"))
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()
    assert len(app.value()["username"]) == longest


def test_a_name_that_is_too_long_for_the_server(mysql: Mysqld, couple: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that bounds it says more than the server has room for."""
    monkeypatch.setenv("USERNAME_CHARACTER_LIMIT", "40")
    app = couple(mysql)
    app.rename(app.username.ljust(27, "x"))
    assert "too long a name" in str(rotate(app.service, app.arn).error)
    assert app.opens()


DEMANDS = [
    "REQUIRE SSL",
    "REQUIRE NONE WITH MAX_QUERIES_PER_HOUR 90000 MAX_UPDATES_PER_HOUR 8000 MAX_CONNECTIONS_PER_HOUR 7000 MAX_USER_CONNECTIONS 60",
    "PASSWORD EXPIRE INTERVAL 77 DAY",
    "PASSWORD EXPIRE NEVER",
]
OF_MYSQL = [
    "REQUIRE SSL PASSWORD HISTORY 3 PASSWORD REUSE INTERVAL 9 DAY PASSWORD REQUIRE CURRENT OPTIONAL",
    "FAILED_LOGIN_ATTEMPTS 4 PASSWORD_LOCK_TIME UNBOUNDED",
    "FAILED_LOGIN_ATTEMPTS 0 PASSWORD_LOCK_TIME 0 PASSWORD REQUIRE CURRENT",
]
OF_MARIADB = ["REQUIRE SSL WITH MAX_STATEMENT_TIME 7.5"]


def test_demands_limits_and_policies(mysql_family: Mysqld, couple: Make) -> None:
    """Those of the base, as they are at each rotation; what people note on an account stays."""
    app = couple(mysql_family)
    mysql = app.server.engine == "mysql"
    rotate(app.service, app.arn)
    if mysql:
        app.execute(f"ALTER USER {app.name} COMMENT 'base''s'", f"ALTER USER {app.clone} COMMENT 'clone''s'")
    for demand in [*DEMANDS, *(OF_MYSQL if mysql else OF_MARIADB), *DEMANDS[::-1]]:
        app.execute(f"ALTER USER {app.name} {demand}")
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert app.demands(app.clone) == app.demands(app.name)
        assert app.opens()
    if mysql:
        assert '"comment": "clone' in app.stored(app.clone)
        assert app.stored(app.name).endswith("""ATTRIBUTE '{"comment": "base\\'s"}'""")


def test_a_certificate_that_clients_must_show(mysql_family: Mysqld, couple: Make) -> None:
    """Of an account that we don't come in by."""
    app = couple(mysql_family)
    other = app.at("10.%")
    subject = "/CN=it''s \"x\" \\ AND y/O=ö"
    app.execute(
        f"CREATE USER {other} IDENTIFIED BY '{app.value()['password']}' REQUIRE ISSUER '/CN=ca' AND SUBJECT '{subject.replace(chr(92), chr(92) * 2)}' "
        "AND CIPHER 'AES128-SHA'"
    )
    assert rotate(app.service, app.arn).succeeded
    assert app.demands(app.at("10.%", clone=True)) == app.demands(other)
    if app.server.engine == "mysql":
        rows = app.execute(
            f"SELECT DISTINCT x509_subject, x509_issuer, ssl_cipher FROM mysql.user WHERE Host = '10.%' AND User LIKE '{app.username}%'"
        )
        assert len(rows) == 1


def test_hosts(mysql_family: Mysqld, couple: Make, caplog: pytest.LogCaptureFixture) -> None:
    """The clone has the hosts of the base that the secret's value opens; where the base is gone, the clone is locked."""
    app = couple(mysql_family)
    password = app.value()["password"]
    app.execute(
        f"CREATE USER {app.at('10.%')} IDENTIFIED BY '{password}'",
        f"CREATE USER {app.at('192.168.1.7')} IDENTIFIED BY 'another-Canary'",
    )
    app.grant("PROCESS ON *.* TO ?", to=app.at("10.%"))
    assert rotate(app.service, app.arn).succeeded
    assert app.hosts() == ["%", "10.%"]
    assert app.grants(app.at("10.%", clone=True)) == {"GRANT PROCESS ON *.* TO ?"}
    assert rotate(app.service, app.arn).succeeded
    app.execute(f"DROP USER {app.at('10.%')}")
    for _ in range(5):
        assert rotate(app.service, app.arn).succeeded
        assert app.opens()
    assert "ACCOUNT LOCK" in app.stored(app.at("10.%", clone=True))
    assert "ACCOUNT LOCK" not in app.stored(app.clone).replace("ACCOUNT UNLOCK", "")
    assert "was locked" in caplog.text
    assert rotate(app.service, app.arn).succeeded
    app.execute(f"CREATE USER {app.at('10.%')} IDENTIFIED BY '{app.value()['password']}'")
    assert rotate(app.service, app.arn).succeeded
    assert "ACCOUNT LOCK" not in app.stored(app.at("10.%", clone=True)).replace("ACCOUNT UNLOCK", "")


def test_a_lock_on_one_of_the_bases_accounts(mysql_family: Mysqld, couple: Make) -> None:
    app = couple(mysql_family)
    other = app.at("10.%")
    app.execute(f"CREATE USER {other} IDENTIFIED BY '{app.value()['password']}' ACCOUNT LOCK")
    assert rotate(app.service, app.arn).succeeded
    assert "ACCOUNT LOCK" in app.stored(app.at("10.%", clone=True))
    assert app.opens()


def test_no_login_is_refused_while_it_rotates(mysql_family: Mysqld, couple: Make) -> None:
    """Neither of who uses AWSCURRENT, nor on a session of AWSPREVIOUS that goes on working."""
    app = couple(mysql_family)
    app.execute(f"CREATE TABLE `{app.dbname}`.t (a INT)")
    rotate(app.service, app.arn)
    value = app.value()
    ended, failures, tried = threading.Event(), [], 0

    def logins() -> None:
        nonlocal tried
        while not ended.is_set():
            tried += 1
            if not app.opens():
                failures.append("login")
            time.sleep(0.001)

    def work() -> None:
        with app.session(value["password"], username=value["username"]) as session, session.cursor() as cursor:
            while not ended.is_set():
                try:
                    cursor.execute(f"INSERT INTO `{app.dbname}`.t VALUES (1)")
                except Exception as error:
                    failures.append(repr(error))
                    return
                time.sleep(0.001)

    threads = [threading.Thread(target=logins), threading.Thread(target=work)]
    for thread in threads:
        thread.start()
    app.grant(f"SELECT ON `{app.dbname}`.t TO ?")
    for _ in range(4):
        assert rotate(app.service, app.arn).succeeded
    ended.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert tried > 10


def test_all_privileges_are_narrowed_without_a_gap(mysql_family: Mysqld, couple: Make) -> None:
    app = couple(mysql_family)
    app.execute(f"CREATE TABLE `{app.dbname}`.t (a INT)")
    rotate(app.service, app.arn)
    app.execute(f"REVOKE DROP, ALTER, EVENT ON `{app.dbname}`.* FROM {app.name}")
    with app.log() as lines:
        assert rotate(app.service, app.arn).succeeded
    assert app.equal()
    assert not any("REVOKE ALL" in line for line in lines)


@pytest.mark.parametrize("rotations", [2, 3])
def test_two_passwords_that_mysql_kept(mysql: Mysqld, couple: Make, rotations: int) -> None:
    """The older password of the one that is not in use is two rotations old, and ends; so for the clone and for the base."""
    app = couple(mysql)
    for _ in range(rotations):
        rotate(app.service, app.arn)
    old = app.value("AWSPREVIOUS")
    account = app.clone if old["username"].endswith("_clone") else app.name
    app.execute(f"ALTER USER {account} IDENTIFIED BY 'third-Canary-8d1' RETAIN CURRENT PASSWORD")
    assert app.opens(old)
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()
    assert not app.opens(old)
    assert not app.opens({**old, "password": "third-Canary-8d1"})


def test_what_is_left_of_a_routine_does_not_stop_a_rotation(mysql_family: Mysqld, couple: Make) -> None:
    app = couple(mysql_family)
    extra = f"x{app.dbname}"
    app.execute(
        f"CREATE DATABASE `{extra}`",
        f"CREATE FUNCTION `{extra}`.f() RETURNS INT DETERMINISTIC RETURN 1",
        f"CREATE TABLE `{extra}`.t (a INT, b INT)",
    )
    app.grant(f"EXECUTE ON FUNCTION `{extra}`.f TO ?", f"SELECT (b) ON `{extra}`.t TO ?")
    app.execute(f"DROP DATABASE `{extra}`")
    assert len(app.grants(app.name)) == 4
    for _ in range(4):
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
    assert app.opens()


def test_test_secret_names_what_differs(mysql_family: Mysqld, couple: Make) -> None:
    """Law 12; the next try of the same rotation makes them equal."""
    app = couple(mysql_family)
    app.execute(f"CREATE TABLE `{app.dbname}`.t (a INT)")
    for _ in range(2):
        token = app.pending()
        app.run(token, "createSecret", "setSecret")
        app.grant("PROCESS ON *.* TO ?")
        app.grant(f"UPDATE (a) ON `{app.dbname}`.t TO ?", to=app.clone)
        app.execute(f"ALTER USER {app.name} WITH MAX_USER_CONNECTIONS 55")
        with pytest.raises(ChangeRefused) as caught:
            app.step("testSecret", token)
        said = str(caught.value)
        assert f"{app.username}_clone' lacks PROCESS ON *.*" in said
        assert f"UPDATE (`a`) ON `{app.dbname}`.`t`" in said
        assert "MAX_USER_CONNECTIONS 55" in said
        assert not any(
            value in said for label in ("AWSCURRENT", "AWSPENDING") for value in [app.value(label)["password"]]
        )
        assert caught.value.retryable
        app.run(token, "setSecret", "testSecret", "finishSecret")
        assert app.opens()
        app.execute(f"REVOKE PROCESS ON *.* FROM {app.name}", f"ALTER USER {app.name} WITH MAX_USER_CONNECTIONS 0")


@pytest.mark.parametrize("mode", ["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ANSI,NO_BACKSLASH_ESCAPES", ""])
def test_any_sql_mode(mysql_family: Mysqld, couple: Make, mode: str) -> None:
    app = couple(mysql_family)
    app.rename("a\\'b\"c`d" + app.username[-6:])
    app.execute(f"CREATE TABLE `{app.dbname}`.t (a INT, b INT)")
    app.grant(f"SELECT (a), UPDATE (a, b) ON `{app.dbname}`.t TO ?")
    before = app.execute("SELECT @@GLOBAL.sql_mode")[0][0]
    app.execute(f"SET GLOBAL sql_mode = '{mode}', GLOBAL sql_quote_show_create = OFF")
    try:
        for _ in range(2):
            outcome = rotate(app.service, app.arn)
            assert outcome.succeeded, outcome.error
    finally:
        app.execute(f"SET GLOBAL sql_mode = '{before}', GLOBAL sql_quote_show_create = ON")
    assert app.opens()
    assert app.equal()


def test_no_password_in_the_servers_logs(mysql_family: Mysqld, couple: Make) -> None:
    """Not even where MySQL was told to write statements as they are."""
    app = couple(mysql_family)
    if app.server.engine == "mysql":
        app.execute("SET GLOBAL log_raw = ON")
    secrets = [app.value()["password"], app.admin["password"]]
    try:
        with app.log() as lines:
            for _ in range(3):
                assert rotate(app.service, app.arn).succeeded
                secrets.append(app.value()["password"])
    finally:
        if app.server.engine == "mysql":
            app.execute("SET GLOBAL log_raw = OFF")
    assert any("ALTER USER" in line for line in lines)
    assert [line for line in lines if any(secret in line for secret in secrets)] == []


def test_five_at_once(mysql_family: Mysqld, couple: Make) -> None:
    app = couple(mysql_family)
    for _ in range(2):
        token = app.pending()
        app.step("createSecret", token)
        errors: list[Any] = []

        def run(token: str = token, errors: list[Any] = errors) -> None:
            try:
                app.step("setSecret", token)
            except Exception as caught:
                errors.append(caught)

        threads = [threading.Thread(target=run) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [error for error in errors if not error.retryable] == []
        assert app.equal()
        assert resume(app.service, app.arn).succeeded
        assert app.opens()
    assert json.dumps(app.value())


def test_a_server_that_asks_a_user_it_does_not_have_by_another_plugin(odd_mariadb: MariaDB, couple: Make) -> None:
    """MariaDB hides who is missing behind the plugin of an account that it picks; the clone is missing at first."""
    others = [f"pam_{number}_{uuid.uuid4().hex[:8]}" for number in range(40)]
    odd_mariadb.execute(*(f"CREATE USER {other}@'%' IDENTIFIED VIA pam" for other in others))
    try:
        for _ in range(6):
            app = couple(odd_mariadb)
            outcome = rotate(app.service, app.arn)
            assert outcome.succeeded, outcome.error
            assert app.opens()
    finally:
        odd_mariadb.execute(*(f"DROP USER {other}@'%'" for other in others))
