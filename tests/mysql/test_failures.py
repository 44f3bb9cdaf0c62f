"""Every failure a caller can meet says what it was and what to do: none of them says "unable to log in" (law 8)."""

from __future__ import annotations

import datetime as dt
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from rotators import ChangeRefused, ConfigurationError, CredentialRejected, SecretError
from rotators.lab.certificates import Authority
from rotators.lab.ports import free_port
from rotators.testing import rotate
from rotators.testing.proxy import Proxy
from tests.mysql.conftest import setting
from tests.mysql.stage import (
    PENDING,
    SINGLE,
    dripping,
    error_packet,
    failing,
    greeting,
    redirect,
    run,
    saying,
    unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rotators.lab.mariadb import MariaDB
    from rotators.lab.mysql import MySQL
    from rotators.lab.mysqld import Mysqld
    from tests.mysql_world import MySQLWorld

    Make = Callable[..., MySQLWorld]


@contextmanager
def certified(server: Mysqld, *names: str, **more: Any) -> Iterator[None]:
    """Give the server another certificate of its own authority for as long as the block lasts."""
    assert server.authority is not None
    assert server.certificate is not None
    certificate, key = server.certificate
    before = certificate.read_bytes(), key.read_bytes()
    issued = server.authority._authority.issue_cert(*names, **more)
    reload = "FLUSH SSL" if server.engine == "mariadb" else "ALTER INSTANCE RELOAD TLS"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    server.execute(reload)
    try:
        yield
    finally:
        certificate.write_bytes(before[0])
        key.write_bytes(before[1])
        server.execute(reload)


def test_failures_have_each_its_message(
    odd: Mysqld, mysql_world: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issue's list in one place: no two read alike."""
    app = mysql_world(odd)
    said: list[str] = []
    said.append(unreachable(app, redirect(app, port=free_port("127.0.0.1")), "refused", "nothing listens there"))
    with Proxy("127.0.0.1", odd.port, silent=True) as silent:
        token = redirect(app, port=silent.port)
        said.append(unreachable(app, token, "timeout", "accepted no login in time", timeout=2))
    with Proxy("127.0.0.1", odd.port, cut_after=2) as dying:
        token = redirect(app, port=dying.port)
        said.append(unreachable(app, token, "dropped", "was cut during login"))
    token = redirect(app, host="no-such-host.invalid", port=odd.port)
    said.append(unreachable(app, token, "dns", "DNS does not know the host"))
    token = redirect(app, host="127.0.0.1")
    with monkeypatch.context() as patch:
        patch.setenv("ROTATORS_CA_BUNDLE", str(Authority(tmp_path / "other").bundle))
        said.append(unreachable(app, token, "tls", "not signed by a CA in", "ROTATORS_CA_BUNDLE"))
    with certified(odd, "db.example.com"):
        said.append(unreachable(app, token, "tls", "is for another host name"))
    if odd.engine == "mysql":
        said.append(refused(app, redirect(app, ssl=False), "over TLS only"))
    else:  # which says of them what it says of a wrong password
        said.append(refused(app, redirect(app, ssl=False), '"ssl" is false in the secret', kind=CredentialRejected))
    app.execute(f"ALTER USER {app.name} WITH MAX_USER_CONNECTIONS 1")
    token = redirect(app, ssl=True)
    with app.session(app.value()["password"]):
        said.append(unreachable(app, token, "busy", "has used up a limit of its own", "MAX_USER_CONNECTIONS"))
    app.execute(f"ALTER USER {app.name} WITH MAX_USER_CONNECTIONS 0")
    with setting(odd, max_connections=10), ExitStack() as sessions:
        for _ in range(10):
            sessions.enter_context(app.session(app.value()["password"]))
        said.append(unreachable(app, token, "busy", "too many connections", "max_connections"))
    said.append(refused(app, redirect(app, dbname="no_such_db"), "may not use the database that 'dbname' names"))
    app.execute(f"GRANT SELECT ON *.* TO {app.name}")
    said.append(refused(app, redirect(app), "'dbname' in the secret names a database that"))
    said.append(unreachable_greeting(app, error_packet(1129), "denied", "has blocked this client's address"))
    said.append(unreachable_greeting(app, error_packet(1053), "starting", "is shutting down"))
    assert len(set(said)) == len(said)
    token = redirect(app, dbname=app.dbname, port=odd.port)
    run(app, token)
    assert app.opens()


def test_a_certificate_whose_time_is_not_now(odd_mariadb: MariaDB, mysql_world: Make) -> None:
    """MySQL itself loads none of the kind."""
    app = mysql_world(odd_mariadb)
    days = dt.timedelta(days=9)
    long_ago, tomorrow = dt.datetime(2001, 1, 1, tzinfo=dt.UTC), dt.datetime.now(dt.UTC) + days
    for begin, said in ((long_ago, "has expired"), (tomorrow, "not valid yet")):
        with certified(odd_mariadb, "127.0.0.1", not_before=begin, not_after=begin + days):
            unreachable(app, redirect(app), "tls", said)


def refused(app: MySQLWorld, token: str, *said: str, kind: type[Exception] = SecretError) -> str:
    error = failing(app, token)
    assert isinstance(error, kind), error
    for words in said:
        assert words in str(error)
    return str(error)


def unreachable_greeting(app: MySQLWorld, answer: bytes, cause: str, *said: str) -> str:
    """What a server says before it knows who comes."""
    with saying(answer) as fake:
        return unreachable(app, redirect(app, port=fake.port), cause, *said)


def test_a_server_that_lets_nobody_in_from_here(plain_mariadb: MariaDB, mysql_world: Make) -> None:
    app = mysql_world(plain_mariadb, host="10.%")
    hosts = [row[0] for row in app.execute("SELECT Host FROM mysql.user WHERE User = 'root'")]
    others = app.execute("SELECT User, Host FROM mysql.user WHERE Host = '%' AND User <> 'root'")
    for user, host in others:
        app.execute(f"DROP USER `{user}`@`{host}`")
    app.execute("RENAME USER 'root'@'%' TO 'root'@'localhost'")
    try:
        unreachable(app, app.pending(password=PENDING), "denied", "lets no user in from this client's address")
    finally:
        app.execute("RENAME USER 'root'@'localhost' TO 'root'@'%'")
    assert hosts == ["%"]


def test_a_server_without_tls(plain_mariadb: MariaDB, mysql_world: Make, caplog: pytest.LogCaptureFixture) -> None:
    """No plaintext unless the secret says so."""
    app = mysql_world(plain_mariadb, ssl=None)
    unreachable(app, app.pending(password=PENDING), "tls", "TLS switched off", '"ssl": false')
    app.put_current({**app.value(), "ssl": False})
    assert rotate(app.service, app.arn).succeeded
    assert '"ssl" is false in the secret' in caplog.text
    assert app.opens()


def test_what_is_said_before_tls_refuses_nobody(odd: Mysqld, mysql_world: Make) -> None:
    """Anybody on the way may say it, and a server that does not know the user yet can't: the next is not tried (law 8)."""
    app = mysql_world(odd)
    for number in (1045, 3118, 1049, 1044):
        unreachable_greeting(app, error_packet(number, state="#28000"), "tls", "before the connection was encrypted")


def test_a_server_that_takes_tls_alone(odd_mysql: MySQL, mysql_world: Make) -> None:
    """As MySQL 8 says it of a user whose plugin needs no TLS."""
    app = mysql_world(odd_mysql, ssl=False)
    with saying(greeting(), error_packet(3159, sequence=2)) as fake:
        unreachable(app, redirect(app, port=fake.port), "denied", "takes encrypted connections only")


def test_tls_taken_out_on_the_way(odd: Mysqld, mysql_world: Make) -> None:
    """A greeting that offers no TLS gets no login, whatever the release of the driver."""
    app = mysql_world(odd)
    with saying(greeting(tls=False), error_packet(1045, sequence=2)) as fake:
        unreachable(app, redirect(app, port=fake.port), "tls", "TLS switched off")
        assert fake.heard == b""


REJECTED = [
    ("ACCOUNT LOCK", "is locked", ""),
    ("REQUIRE X509", "a certificate for it", ""),
    ("IDENTIFIED BY 'changed-by-hand'", "refused the password", ""),
    ("IDENTIFIED VIA unix_socket", "takes no password", "mariadb"),
    ("IDENTIFIED WITH auth_socket", "takes no password", "mysql"),
    ("PASSWORD EXPIRE", "has expired", ""),
    ("IDENTIFIED BY ''", "refused the password", ""),
]


@pytest.mark.parametrize("what, said, engine", REJECTED)
def test_a_login_that_the_server_refuses(odd: Mysqld, mysql_world: Make, what: str, said: str, engine: str) -> None:
    if engine not in {"", odd.engine}:
        return
    if "auth_socket" in what:
        with_plugin(odd, "auth_socket")
    app = mysql_world(odd)
    app.execute(f"ALTER USER {app.name} {what}")
    refused(app, app.pending(password=PENDING), said, kind=CredentialRejected)


def with_plugin(server: Mysqld, name: str) -> None:
    if not server.execute(f"SELECT 1 FROM information_schema.plugins WHERE PLUGIN_NAME = '{name}'"):
        server.execute(f"INSTALL PLUGIN {name} SONAME '{name}.so'")


def test_an_expired_password_that_the_server_still_lets_in(odd_mariadb: MariaDB, mysql_world: Make) -> None:
    """MariaDB's way: the session may say nothing but SET PASSWORD."""
    app = mysql_world(odd_mariadb)
    app.execute(f"ALTER USER {app.name} PASSWORD EXPIRE")
    for value in (0, 1):
        with setting(odd_mariadb, disconnect_on_expired_password=value):
            refused(app, redirect(app), "has expired", kind=CredentialRejected)


def test_too_many_failed_logins(odd: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(odd)
    if odd.engine == "mysql":
        app.execute(f"ALTER USER {app.name} FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME 1")
        said = "ACCOUNT UNLOCK"
    with setting(odd, **({"max_password_errors": 2} if odd.engine == "mariadb" else {})):
        if odd.engine == "mariadb":
            said = "FLUSH PRIVILEGES"
        for _ in range(3):
            with pytest.raises(Exception, match="denied|blocked"):
                app.session("wrong")
        refused(app, app.pending(password=PENDING), "blocked after too many", said, kind=CredentialRejected)


def test_a_rotation_counts_as_no_failed_login(odd: Mysqld, mysql_world: Make) -> None:
    """The first failed one would lock the account."""
    app = mysql_world(odd)
    limit = {"max_password_errors": 1} if odd.engine == "mariadb" else {}
    if odd.engine == "mysql":
        app.execute(f"ALTER USER {app.name} FAILED_LOGIN_ATTEMPTS 1 PASSWORD_LOCK_TIME UNBOUNDED")
    with setting(odd, **limit):
        for _ in range(3):
            outcome = rotate(app.service, app.arn)
            assert outcome.succeeded, outcome.error
        assert app.opens()


def test_a_user_that_is_not_there(odd: Mysqld, mysql_world: Make) -> None:
    """Nor is a role of that name one."""
    app = mysql_world(odd, tags=SINGLE)
    app.execute("CREATE ROLE IF NOT EXISTS nobody_at_all")
    for username in ("nobody_at_all", "nobody_else"):  # asked for as one that there is, with any of their plugins
        error = failing(app, redirect(app, username=username))
        assert "such user" in str(error) or "such a user" in str(error)
    app.with_admin()
    refused(app, redirect(app, username="nobody_else"), "has no user 'nobody_else'", kind=ChangeRefused)
    said = "has no user" if odd.engine == "mariadb" else "is locked"
    refused(app, redirect(app, username="nobody_at_all"), said, kind=ChangeRefused)


@pytest.mark.parametrize("step", ["setSecret", "testSecret", "finishSecret"])
def test_a_plugin_that_holds_no_password(odd_mariadb: MariaDB, mysql_world: Make, step: str) -> None:
    """PAM asks by a plugin that a server may not use for more than a password."""
    app = mysql_world(odd_mariadb)
    app.execute(f"ALTER USER {app.name} IDENTIFIED VIA pam")
    unreachable(app, app.pending(password=PENDING), "denied", "PAM", "nothing was sent", step=step)


def test_what_the_admin_can_not_rotate(odd: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(odd, tags=SINGLE)
    app.with_admin()
    other = "VIA unix_socket" if odd.engine == "mariadb" else "WITH auth_socket"
    if odd.engine == "mysql":
        with_plugin(odd, "auth_socket")
    app.execute(f"ALTER USER {app.name} IDENTIFIED {other}")
    refused(app, app.pending(password=PENDING), "holds no password that could be rotated", kind=ChangeRefused)


@pytest.mark.parametrize("plugin", ["caching_sha2_password", "sha256_password"])
@pytest.mark.parametrize("remembered", [True, False])
def test_a_password_that_may_go_over_tls_only(
    odd_mysql: MySQL, mysql_world: Make, plugin: str, remembered: bool
) -> None:
    """Nor by a key that the server sends, as whoever stands in for it has one too; remembered by the server or not."""
    app = mysql_world(odd_mysql, plugin=plugin)
    if remembered:
        assert app.opens()
    with setting(odd_mysql, require_secure_transport=0):
        token = redirect(app, ssl=False)
        refused(app, token, "over TLS only", 'remove "ssl": false')
    run(app, redirect(app, ssl=None))
    assert app.opens()


@pytest.mark.parametrize("by", ["itself", "admin"])
def test_a_read_only_server(odd: Mysqld, mysql_world: Make, by: str) -> None:
    """An admin may write there, and would make the replica another than its primary."""
    app = mysql_world(odd, tags=SINGLE)
    if by == "admin":
        app.with_admin()
    names = ["read_only"] + (["super_read_only"] if odd.engine == "mysql" else [])
    for name in names:
        stored = app.created()
        with setting(odd, **({"read_only": 0} if name == "super_read_only" else {}), **{name: 1}):
            error = failing(app, redirect(app))
        assert isinstance(error, ChangeRefused)
        assert error.retryable
        assert "is read-only" in str(error)
        assert "writer endpoint" in str(error)
        assert app.created() == stored
    assert app.opens()


def test_a_server_in_offline_mode(odd_mysql: MySQL, mysql_world: Make) -> None:
    app = mysql_world(odd_mysql)
    with setting(odd_mysql, offline_mode=1):
        unreachable(app, app.pending(password=PENDING), "denied", "offline mode")


@pytest.mark.parametrize("by", ["itself", "admin"])
def test_a_password_refused_by_policy(odd: Mysqld, mysql_world: Make, by: str) -> None:
    """On MariaDB a policy wants the password itself, which would stand in the logs: that is refused, by us, and said."""
    app = mysql_world(odd, tags=SINGLE)
    if by == "admin":
        app.with_admin()
    token = app.pending(password="weak")
    mariadb = odd.engine == "mariadb"
    name = "simple_password_check" if mariadb else "file://component_validate_password"
    app.execute(f"INSTALL SONAME '{name}'" if mariadb else f"INSTALL COMPONENT '{name}'")
    try:
        error = failing(app, token)
    finally:
        app.execute(f"UNINSTALL SONAME '{name}'" if mariadb else f"UNINSTALL COMPONENT '{name}'")
    assert isinstance(error, ChangeRefused)
    assert ("strict_password_validation" if mariadb else "password policy") in str(error)
    assert mariadb or "AWSPENDING" in str(error)
    assert app.opens()


def test_a_password_that_was_had_before(odd_mysql: MySQL, mysql_world: Make) -> None:
    app = mysql_world(odd_mysql, options="PASSWORD HISTORY 5")
    before = app.value()["password"]
    assert rotate(app.service, app.arn).succeeded
    error = failing(app, app.pending(password=before))
    assert isinstance(error, ChangeRefused)
    assert "password policy" in str(error)
    assert app.opens()


@pytest.mark.parametrize("right", ["", "APPLICATION_PASSWORD_ADMIN", "CREATE USER"])
def test_who_must_name_the_current_password_does(odd_mysql: MySQL, mysql_world: Make, right: str) -> None:
    app = mysql_world(odd_mysql, options="PASSWORD REQUIRE CURRENT")
    if right:
        app.execute(f"GRANT {right} ON *.* TO {app.name}")
    for _ in range(3):
        assert rotate(app.service, app.arn).succeeded
    assert app.opens()


def test_an_admin_without_the_right(odd: Mysqld, mysql_world: Make) -> None:
    app, weak = mysql_world(odd, tags=SINGLE), mysql_world(odd)
    table = "mysql.global_priv" if odd.engine == "mariadb" else "mysql.user"
    token = redirect(app, masterarn=weak.arn)
    refused(app, token, f"GRANT SELECT ON {table}", kind=ChangeRefused)
    app.execute(f"GRANT SELECT ON {table} TO {weak.name}")
    refused(app, token, "may not change the password", "GRANT CREATE USER", kind=ChangeRefused)
    assert app.opens()


def test_an_admin_may_not_change_a_system_user(odd_mysql: MySQL, mysql_world: Make) -> None:
    app = mysql_world(odd_mysql, tags=SINGLE)
    username = app.with_admin()["username"]
    app.execute(f"GRANT SYSTEM_USER ON *.* TO {app.name}", f"REVOKE SYSTEM_USER ON *.* FROM '{username}'@'%'")
    refused(app, app.pending(password=PENDING), "has the right SYSTEM_USER", kind=ChangeRefused)
    assert app.opens()


def test_ed25519_needs_a_package(odd_mariadb: MariaDB, mysql_world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    app = mysql_world(odd_mariadb, plugin="ed25519")
    monkeypatch.setattr("pymysql._auth._nacl_bindings", False)
    monkeypatch.setitem(__import__("sys").modules, "nacl", None)
    error = failing(app, app.pending(password=PENDING))
    assert isinstance(error, ConfigurationError)
    assert "PyNaCl" in str(error)


def test_a_broken_init_connect(odd: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(odd)
    with setting(odd, init_connect="SELECT nothing FROM nowhere"):
        unreachable(app, app.pending(password=PENDING), "denied", "init_connect")


def test_a_bundle_that_is_no_bundle(
    odd: Mysqld, mysql_world: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = mysql_world(odd)
    token = app.pending(password=PENDING)
    (tmp_path / "empty.pem").write_text("no certificate")
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n")
    for name in ("missing.pem", "", "empty.pem", "broken.pem"):
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(tmp_path / name))
        error = failing(app, token)
        assert isinstance(error, ConfigurationError)
        assert "ROTATORS_CA_BUNDLE" in str(error)


def test_dripping_is_a_timeout(odd: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(odd)
    with dripping() as fake:
        unreachable(app, redirect(app, port=fake.port), "timeout", "accepted no login in time", timeout=1.5)
