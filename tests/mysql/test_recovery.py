"""Whatever opens, and in which order it is tried; what is undone; and cuts of the connection at each piece of traffic."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators import ChangeRefused, CredentialRejected, RotatorsError, SecretError, TargetUnreachable
from rotators.testing import rotate
from rotators.testing.proxy import Proxy
from tests.mysql.stage import PENDING, SINGLE, Meddling, failing, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mariadb import MariaDB
    from rotators.lab.mysql import MySQL
    from rotators.lab.mysqld import Mysqld
    from tests.mysql_world import MySQLWorld

    Make = Callable[..., MySQLWorld]

WAYS = ["plain", "itself", "admin"]
UNDONE = "AWSCURRENT was put back and opens again"


def empowered(app: MySQLWorld, by: str) -> MySQLWorld:
    """Give who makes the change the right to keep two passwords."""
    if by == "admin":
        app.with_admin()
    if by == "itself":
        app.execute(f"GRANT CREATE USER ON *.* TO {app.name}")
    return app


def denied(lines: list[str]) -> int:
    return sum("Access denied" in line and "Connect" in line for line in lines)


def abandoned(app: MySQLWorld, token: str) -> None:
    app.service.client().update_secret_version_stage(
        SecretId=app.arn, VersionStage="AWSPENDING", RemoveFromVersionId=token
    )


def stored(app: MySQLWorld, host: str | None = None) -> list[tuple[Any, ...]]:
    """What the server compares a password with."""
    where = f"User = '{app.username}' AND Host = '{host or app.host}'"
    if app.server.engine == "mariadb":
        return app.execute(
            "SELECT JSON_VALUE(Priv, '$.authentication_string'), JSON_VALUE(Priv, '$.plugin'), "
            "NULLIF(JSON_QUERY(Priv, '$.auth_or'), '[{}]') "
            f"FROM mysql.global_priv WHERE {where}"
        )
    return app.execute(f"SELECT HEX(authentication_string), plugin FROM mysql.user WHERE {where}")


@pytest.mark.parametrize("by", WAYS)
def test_pending_is_set_already(mysql_family: Mysqld, mysql_world: Make, by: str) -> None:
    """A retry after a crash between the change and the answer makes no second change (law 4)."""
    app = empowered(mysql_world(mysql_family, tags=SINGLE), by)
    token = app.pending(password=PENDING)
    app.step("setSecret", token)
    before = stored(app)
    with app.log() as lines:
        app.step("setSecret", token)
    assert stored(app) == before
    assert not any("Query" in line and "SET PASSWORD" in line for line in lines)
    assert denied(lines) == (1 if by == "plain" else 0)
    run(app, token)
    assert app.opens()


@pytest.mark.parametrize("by", WAYS)
def test_previous_opens(mysql_family: Mysqld, mysql_world: Make, by: str) -> None:
    """Somebody restored the database from a backup."""
    app = empowered(mysql_world(mysql_family, tags=SINGLE), by)
    before = app.value()["password"]
    for _ in range(2):
        assert rotate(app.service, app.arn).succeeded
    app.set_password(before)
    app.put_current({**app.value(), "password": before})
    assert rotate(app.service, app.arn).succeeded
    app.set_password(before)
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


@pytest.mark.parametrize("attempts", [1, 3])
def test_an_abandoned_rotation_heals(mysql_family: Mysqld, mysql_world: Make, attempts: int) -> None:
    """setSecret got through, then the rotation was given up: the live password without a label any more."""
    app = mysql_world(mysql_family)
    token = app.pending()
    app.step("createSecret", token)
    app.step("setSecret", token)
    assert not app.opens()
    abandoned(app, token)
    for _ in range(attempts - 1):  # later attempts stored a value and never got to set it
        abandoned(app, app.pending(password=f"never-set-{uuid.uuid4()}"))
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


def test_nothing_opens(mysql_family: Mysqld, mysql_world: Make) -> None:
    """The tries are bounded, and the error names each."""
    app = mysql_world(mysql_family)
    for number in range(15):
        abandoned(app, app.pending(password=f"never-set-{number}"))
    token = app.pending()
    app.step("createSecret", token)
    app.set_password("changed-by-hand")
    with app.log() as lines, pytest.raises(CredentialRejected) as caught:
        app.step("setSecret", token)
    assert denied(lines) == 2 + 10
    for words in ("AWSCURRENT", "AWSPENDING", "without a label", "masterarn"):
        assert words in str(caught.value)
    assert app.admits("changed-by-hand")


def test_the_admin_heals_the_one_account_that_was_changed(mysql_family: Mysqld, mysql_world: Make) -> None:
    """Two of a user's, of which one was changed by hand: both get the new password, and a third of another password none."""
    app = mysql_world(mysql_family, tags=SINGLE, host="127.0.0.%")
    app.with_admin()
    password = app.value()["password"]
    user = app.username
    app.execute(
        f"CREATE USER `{user}`@`%` IDENTIFIED BY '{password}'",
        f"CREATE USER `{user}`@`192.168.%` IDENTIFIED BY 'another'",
    )
    other = stored(app, "192.168.%")
    app.set_password("changed-by-hand")
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()
    assert stored(app, "192.168.%") == other
    app.execute(f"DROP USER {app.name}")
    assert app.opens()


def test_an_account_that_is_for_nobody_here(mysql_family: Mysqld, mysql_world: Make) -> None:
    """None of the user's accounts lets us in: no account is touched, and the error says which there are."""
    app = mysql_world(mysql_family, tags=SINGLE, host="10.%")
    app.with_admin()
    app.set_password("changed-by-hand")
    before = stored(app)
    error = failing(app, app.pending(password=PENDING))
    assert isinstance(error, ChangeRefused)
    assert "is for this client" in str(error)
    assert "10.%" in str(error)
    assert stored(app) == before


SUPERUSERS = [
    ("GRANT SUPER ON *.* TO {name}", "is a superuser"),
    ("GRANT SELECT ON *.* TO {name} WITH GRANT OPTION", "may grant everything"),
    ("GRANT SYSTEM_USER ON *.* TO {name}", "is a superuser"),
    ("ALTER USER {name} ACCOUNT LOCK", "is locked"),
]


@pytest.mark.parametrize("what, said", SUPERUSERS)
def test_the_admin_takes_over_no_superuser(mysql_family: Mysqld, mysql_world: Make, what: str, said: str) -> None:
    """Whoever may write the secret could name any user in it (law 11)."""
    if "SYSTEM_USER" in what and mysql_family.engine == "mariadb":
        return
    app = mysql_world(mysql_family, tags=SINGLE)
    app.with_admin()
    app.execute(what.format(name=app.name))
    app.set_password("changed-by-hand")
    before = stored(app)
    error = failing(app, app.pending(password=PENDING))
    assert isinstance(error, ChangeRefused)
    assert said in str(error)
    assert stored(app) == before


@pytest.mark.parametrize("changes", [{"host": "elsewhere.invalid"}, {"port": 1}, {"ssl": False}])
def test_an_admin_of_another_server_is_not_used(
    mysql_family: Mysqld, mysql_world: Make, changes: dict[str, Any]
) -> None:
    app = mysql_world(mysql_family, tags=SINGLE)
    app.with_admin(**changes)
    before = stored(app)
    error = failing(app, app.pending(password=PENDING))
    assert isinstance(error, SecretError)
    assert "not used" in str(error)
    assert stored(app) == before


@pytest.mark.parametrize("changes", [{"host": "localhost"}, {"port": 1}, {"dbname": "mysql"}, {"username": "root"}])
@pytest.mark.parametrize("step", ["setSecret", "testSecret", "finishSecret"])
def test_a_pending_value_for_something_else_is_never_used(
    mysql_family: Mysqld, mysql_world: Make, step: str, changes: dict[str, Any]
) -> None:
    """Law 5: not for a login, not at a step run by itself."""
    app = mysql_world(mysql_family)
    token = app.pending(password=PENDING, **changes)
    with app.log() as lines:
        error = failing(app, token, step)
    assert isinstance(error, SecretError)
    assert f"'{next(iter(changes))}' differ" in str(error)
    assert [line for line in lines if "Connect" in line or "Query" in line] == []


@pytest.mark.parametrize("by", WAYS)
def test_a_change_that_does_not_take_is_undone(mysql_family: Mysqld, mysql_world: Make, by: str) -> None:
    """Law 10, for real: the account is locked when the second login comes, and open again when AWSCURRENT is proven."""
    app = empowered(mysql_world(mysql_family, tags=SINGLE), by)
    before = stored(app)
    logins = {"plain": 2, "itself": 2, "admin": 3}[by]  # where an admin does it, current has opened first (law 5)
    meddling: dict[int, Callable[[], object]] = {
        logins: lambda: app.execute(f"ALTER USER {app.name} ACCOUNT LOCK"),
        logins + 1: lambda: app.execute(f"ALTER USER {app.name} ACCOUNT UNLOCK"),
    }
    with through(app, meddling):
        error = failing(app, redirected(app))
    assert isinstance(error, ChangeRefused), error
    assert "refused at login" in str(error)
    assert "is locked" in str(error)
    assert UNDONE in str(error)
    assert app.opens()
    assert not app.admits(PENDING)
    assert stored(app) == before or (app.server.engine == "mysql" and by != "admin")  # another salt
    back_to_the_server(app)
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


class through:  # noqa: N801 - reads as a word in a with statement
    """A proxy before the server that somebody meddles at; the secrets name it."""

    def __init__(self, app: MySQLWorld, meddling: dict[int, Callable[[], object]]) -> None:
        self._app = app
        self._proxy = Meddling("127.0.0.1", app.server.port, meddling)

    def __enter__(self) -> Proxy:
        point(self._app, self._proxy.port)
        return self._proxy.__enter__()

    def __exit__(self, *args: object) -> None:
        self._proxy.__exit__(*args)


def point(app: MySQLWorld, port: int) -> None:
    """Make the secret, and the admin's, name a port."""
    app.put_current({**app.value(), "port": port})
    arn = app.value().get("masterarn")
    if arn:
        admin = app.service.client()
        value = admin.get_secret_value(SecretId=arn)["SecretString"]
        admin.put_secret_value(SecretId=arn, SecretString=json.dumps({**json.loads(value), "port": port}))


def redirected(app: MySQLWorld) -> str:
    return app.pending(password=PENDING)


def back_to_the_server(app: MySQLWorld) -> None:
    point(app, app.server.port)


SHADOWS = [
    ("CREATE USER `{user}`@`127.0.0.1` IDENTIFIED BY 'another'", "DROP USER `{user}`@`127.0.0.1`"),
    ("ALTER USER {name} REQUIRE X509", "ALTER USER {name} REQUIRE NONE"),
    ("CREATE USER ''@`127.0.0.1` IDENTIFIED BY 'another'", "DROP USER ''@`127.0.0.1`"),
]


@pytest.mark.parametrize("made, mended", SHADOWS)
@pytest.mark.parametrize("by", WAYS)
def test_an_account_that_changes_between_two_logins(
    mysql_family: Mysqld, mysql_world: Make, made: str, mended: str, by: str
) -> None:
    """Another row that comes first, a certificate demanded, no room for a second session: undone, and the retry heals."""
    app = empowered(mysql_world(mysql_family, tags=SINGLE), by)
    names = {"user": app.username, "name": app.name}
    logins = 3 if by == "admin" else 2
    undo = {logins + 1: lambda: app.execute(mended.format(**names))}
    try:
        with through(app, {logins: lambda: app.execute(made.format(**names)), **undo}) as proxy:
            try:
                app.step("setSecret", redirected(app))
            except RotatorsError as error:
                assert isinstance(error, (ChangeRefused, TargetUnreachable))
                assert UNDONE in str(error)
                assert app.opens()
            else:
                assert by == "admin"  # whose own session is none of the user's
                assert app.opens("AWSPENDING")
            assert proxy.connections >= logins
    finally:
        app.execute(mended.format(**names).replace("DROP USER", "DROP USER IF EXISTS"))
    back_to_the_server(app)
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


@pytest.mark.parametrize("by", ["plain", "itself"])
def test_a_change_that_can_not_be_proven_is_undone(mysql_family: Mysqld, mysql_world: Make, by: str) -> None:
    """A user with room for one session: the session that changes the password takes it."""
    app = empowered(mysql_world(mysql_family, options="WITH MAX_USER_CONNECTIONS 1"), by)
    error = failing(app, redirected(app))
    assert isinstance(error, TargetUnreachable)
    assert "could not be proven" in str(error)
    assert "MAX_USER_CONNECTIONS" in str(error)
    assert "put back" in str(error)
    assert app.opens()
    assert not app.admits(PENDING)


def test_the_undo_where_a_socket_stands_beside(mariadb: MariaDB, mysql_world: Make) -> None:
    """MariaDB says of SET PASSWORD there that it does not apply, and has done it."""
    app = mysql_world(mariadb)
    app.execute(
        f"ALTER USER {app.name} IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('{app.value()['password']}')"
    )
    before = stored(app)
    lock = {2: lambda: app.execute(f"ALTER USER {app.name} ACCOUNT LOCK")}
    with through(app, {**lock, 3: lambda: app.execute(f"ALTER USER {app.name} ACCOUNT UNLOCK")}):
        error = failing(app, redirected(app))
    assert UNDONE in str(error)
    assert stored(app) == before
    back_to_the_server(app)
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


@pytest.mark.parametrize("by", ["itself", "plain"])
def test_an_older_password_first_and_the_change_does_not_take(mysql: MySQL, mysql_world: Make, by: str) -> None:
    """AWSCURRENT opens as the second password, an abandoned attempt's is the first: that change is undone too (law 10)."""
    app = empowered(mysql_world(mysql), by)
    current = app.value()["password"]
    app.execute(f"ALTER USER {app.name} IDENTIFIED BY 'an-abandoned-one' RETAIN CURRENT PASSWORD")
    lock = {
        3: lambda: app.execute(f"ALTER USER {app.name} ACCOUNT LOCK")
    }  # the second asks whether pending is set already
    with through(app, {**lock, 4: lambda: app.execute(f"ALTER USER {app.name} ACCOUNT UNLOCK")}):
        error = failing(app, redirected(app))
    assert UNDONE in str(error)
    assert app.admits(current)
    assert not app.admits(PENDING)


def test_a_namesake_that_may_not_be_changed_is_left_alone(mysql_family: Mysqld, mysql_world: Make, caplog: Any) -> None:
    """The user may look at the accounts and change its own alone: the statement for itself is not said in another's place."""
    app = mysql_world(mysql_family, host="127.0.0.%")
    table = "mysql.global_priv" if mysql_family.engine == "mariadb" else "mysql.user"
    identified = (
        "VIA ed25519 USING PASSWORD('{}')" if mysql_family.engine == "mariadb" else "WITH sha256_password BY '{}'"
    )
    app.execute(
        f"GRANT SELECT ON {table} TO {app.name}",
        f"CREATE USER `{app.username}`@`10.%` IDENTIFIED {identified.format(app.value()['password'])}",
    )
    before = stored(app, "10.%")
    for _ in range(2):
        assert rotate(app.service, app.arn).succeeded
        assert app.opens()
    assert stored(app, "10.%") == before
    assert f"`{app.username}`@`10.%` keeps its password" in caplog.text


@pytest.mark.parametrize("by", WAYS)
def test_the_connection_is_cut(mysql_family: Mysqld, mysql_world: Make, by: str) -> None:
    """
    Real dropped connections, TLS and all. The step fails with one of ours, and the retry heals (laws 3 and 8).

    When the step has returned, AWSCURRENT opens, unless it is the only password and the cut fell between the change and its
    proof; then pending does. A third of the pieces here; the engine's contract cuts at each.
    """
    app = empowered(mysql_world(mysql_family, tags=SINGLE), by)
    with Proxy("127.0.0.1", mysql_family.port) as proxy:
        point(app, proxy.port)
        piece, over = WAYS.index(by), False
        while not over:
            piece += 3
            token = app.pending()
            app.step("createSecret", token)
            proxy.passed, proxy.cut_after = 0, piece
            try:
                app.step("setSecret", token)
            except RotatorsError as error:
                assert isinstance(error, (TargetUnreachable, ChangeRefused)), error
                assert error.retryable, error
                assert not isinstance(error, CredentialRejected)
            else:
                assert app.opens("AWSPENDING")
                over = proxy.passed < piece
            opens = [label for label in ("AWSCURRENT", "AWSPENDING") if app.opens(label)]
            assert opens
            assert by == "plain" or "AWSCURRENT" in opens
            proxy.cut_after = None
            app.step("setSecret", token)
            assert app.opens("AWSPENDING"), f"cut after {piece}"
            assert by == "plain" or app.opens()
            app.put_current(app.value("AWSPENDING"))
    assert piece > 10
