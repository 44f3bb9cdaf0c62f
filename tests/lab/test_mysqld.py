"""The private MariaDB and MySQL servers behind the tests: what both must do."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from rotators.lab import LabError, ports, server
from rotators.lab.account import Account
from rotators.lab.certificates import Authority
from rotators.lab.mariadb import MariaDB
from rotators.lab.mysql import MySQL
from tests.servers import account, available

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mysqld import Mysqld
    from tests.servers import Template

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change to another account")

ACCESS_DENIED = 1045
INSECURE_TRANSPORT = 3159


def login(server: Mysqld, secret: dict[str, Any], **more: Any) -> Any:
    keys = {"host": secret["host"], "port": secret["port"], "user": secret["username"], "password": secret["password"]}
    trust: dict[str, Any] = (
        {"ssl": {"ca": str(server.ca_bundle), "check_hostname": True}} if server.tls else {"ssl_disabled": True}
    )
    return pymysql.connect(**(keys | {"database": secret.get("dbname"), "connect_timeout": 10} | trust | more))


def code(raised: pytest.ExceptionInfo[pymysql.Error]) -> int:
    number: int = raised.value.args[0]
    return number


@pytest.fixture(params=[MariaDB, MySQL])
def kind(request: pytest.FixtureRequest) -> type[Mysqld]:
    """Each of the two in turn, as a class."""
    return available(request.param)


@pytest.fixture
def start(kind: type[Mysqld], template: Template) -> Callable[..., Any]:
    """Start a server of a test's own, which the test stops."""
    return partial(kind.start, template=template(kind))


def test_a_user_logs_in_over_tls_with_a_verified_name(mysql_family: Mysqld) -> None:
    secret = account(mysql_family)
    for host in ("127.0.0.1", "localhost"):
        with login(mysql_family, secret, host=host) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
            assert cursor.fetchone()[1].startswith("TLSv1.")
    with pytest.raises(pymysql.OperationalError) as raised:
        login(mysql_family, secret, password="wrong")
    assert code(raised) == ACCESS_DENIED


def test_plaintext_is_refused(mysql_family: Mysqld) -> None:
    with pytest.raises(pymysql.OperationalError) as raised:
        login(mysql_family, account(mysql_family), ssl=None, ssl_disabled=True)
    # MariaDB's answer is the one for a wrong password.
    assert code(raised) == (ACCESS_DENIED if mysql_family.engine == "mariadb" else INSECURE_TRANSPORT)


def test_another_authority_and_another_name_are_told_apart(mysql_family: Mysqld, tmp_path: Path) -> None:
    secret = account(mysql_family)
    with pytest.raises(pymysql.OperationalError, match="certificate verify failed: (unable to get|self-signed)"):
        login(mysql_family, secret, ssl={"ca": str(Authority(tmp_path).bundle), "check_hostname": True})
    elsewhere = login(mysql_family, secret, host="elsewhere.example", defer_connect=True)
    with pytest.raises(pymysql.OperationalError, match="Hostname mismatch"):
        elsewhere.connect(socket.create_connection((mysql_family.host, mysql_family.port)))


def test_an_account_has_its_own_database_and_no_other(mysql_family: Mysqld) -> None:
    secret, other = account(mysql_family, masterarn="arn:x"), account(mysql_family, rights="SELECT")
    assert secret["engine"] == mysql_family.engine
    assert secret["masterarn"] == "arn:x"
    assert "ssl" not in secret
    with login(mysql_family, secret) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE mine (a INT)")
        with pytest.raises(pymysql.OperationalError, match="denied"):
            cursor.execute(f"CREATE TABLE `{other['dbname']}`.theirs (a INT)")
    with (
        login(mysql_family, other) as connection,
        connection.cursor() as cursor,
        pytest.raises(pymysql.OperationalError, match="denied"),
    ):
        cursor.execute("CREATE TABLE mine (a INT)")


def test_an_account_is_what_was_asked_for(mysql_family: Mysqld) -> None:
    plugin = "ed25519" if mysql_family.engine == "mariadb" else "sha256_password"
    odd = 'it\'s \\ "odd"'
    secret = account(mysql_family, password=odd, host="127.0.0.0/255.0.0.0")
    assert secret["password"] == odd
    login(mysql_family, secret).close()
    with pytest.raises(pymysql.OperationalError, match="locked"):
        login(mysql_family, account(mysql_family, options="ACCOUNT LOCK"))
    secret = account(mysql_family, host="192.0.2.1", plugin=plugin)
    with pytest.raises(pymysql.OperationalError) as raised:
        login(mysql_family, secret)
    assert code(raised) == ACCESS_DENIED
    kept = mysql_family.execute(f"SELECT plugin, host FROM mysql.user WHERE user = '{secret['username']}'")
    assert kept == [(plugin, "192.0.2.1")]


def test_the_superuser_comes_in_over_tcp_and_may_grant_all(mysql_family: Mysqld) -> None:
    secret = mysql_family.secret(mysql_family.superuser, mysql_family.superuser_password)
    assert "dbname" not in secret
    with login(mysql_family, secret) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW GRANTS")
        grants = [row[0] for row in cursor.fetchall()]
        assert any("ON *.* TO" in grant and grant.endswith("WITH GRANT OPTION") for grant in grants)
    # No other account can come in: the one that all data directories are made with has no password.
    accounts = mysql_family.execute("SELECT user, host FROM mysql.user WHERE user IN ('root', '')")
    assert list(accounts) == [("root", "%")]


def test_the_general_log_has_what_clients_send_and_no_password_of_ours(mysql_family: Mysqld) -> None:
    secret = account(mysql_family, password="set-by-the-superuser")
    with login(mysql_family, secret) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 'sent by a client'")
    with pytest.raises(pymysql.OperationalError):
        login(mysql_family, secret, password="wrong")
    written = mysql_family.general_log.read_text()
    assert "SELECT 'sent by a client'" in written
    assert f"Access denied for user '{secret['username']}'@'127.0.0.1'" in written
    assert "set-by-the-superuser" not in written
    assert mysql_family.superuser_password not in written


def test_its_words_are_its_own(mysql_family: Mysqld) -> None:
    assert mysql_family.superuser_password not in repr(mysql_family)
    assert mysql_family.execute("SELECT 1", "SELECT 'two', 3") == [("two", 3)]
    assert mysql_family.execute("SELECT DATABASE()", dbname="mysql") == [("mysql",)]


def test_a_restart_keeps_the_data_and_the_port(start: Callable[..., Any]) -> None:
    with start() as server:
        port, secret = server.port, account(server)
        server.execute("CREATE TABLE kept AS SELECT 42 AS answer", dbname=secret["dbname"])
        server.restart()
        assert server.port == port
        assert server.execute("SELECT answer FROM kept", dbname=secret["dbname"]) == [(42,)]
        login(server, secret).close()


def test_nothing_is_left_after_stop(start: Callable[..., Any]) -> None:
    server = start()
    pid, sockets = server.pid, server.socket.parent
    os.kill(pid, 0)
    assert server.socket.exists()
    server.stop()
    server.stop()
    assert not server.directory.exists()
    assert not sockets.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_does_not_outlive_its_owner_that_was_killed(tmp_path: Path, kind: type[Mysqld], template: Template) -> None:
    told = tmp_path / "told"
    script = (
        "import pathlib, sys, time\n"
        "from rotators.lab.mariadb import MariaDB\n"
        "from rotators.lab.mysql import MySQL\n"
        "kind = {'MariaDB': MariaDB, 'MySQL': MySQL}[sys.argv[3]]\n"
        "server = kind.start(template=pathlib.Path(sys.argv[1]))\n"
        "pathlib.Path(sys.argv[2] + '.new').write_text(f'{server.pid} {server.directory}')\n"
        "pathlib.Path(sys.argv[2] + '.new').rename(sys.argv[2])\n"
        "time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(template(kind)), str(told), kind.product])
    try:
        _until(told.exists)
    finally:
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    pid, directory = told.read_text().split()
    _until(lambda: not Path(f"/proc/{pid}").exists() and not Path(directory).exists())


def test_settings_are_obeyed_and_tls_is_not_forced(start: Callable[..., Any]) -> None:
    with start(tls=False, settings={"max_connections": "17"}) as server:
        assert not server.tls
        assert server.ca_bundle is None
        assert server.execute("SELECT @@max_connections") == [(17,)]
        secret = account(server)
        assert secret["ssl"] is False
        login(server, secret).close()
        with pytest.raises(pymysql.OperationalError, match="SSL"):
            login(server, secret, ssl_disabled=False, ssl={"check_hostname": False})


def test_plaintext_beside_tls(start: Callable[..., Any]) -> None:
    with start(require_secure_transport=False) as server:
        secret = account(server)
        login(server, secret).close()
        login(server, secret, ssl=None, ssl_disabled=True).close()


def test_a_port_that_somebody_took_is_left_to_them(start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        offered = [taken.getsockname()[1], ports.free_port("127.0.0.1")]
        monkeypatch.setattr(server, "free_port", lambda _: offered.pop(0))
        with start() as started:
            assert not offered
            assert started.port != taken.getsockname()[1]
            login(started, account(started)).close()


def test_a_server_that_does_not_start_says_why(start: Callable[..., Any]) -> None:
    with pytest.raises(LabError, match=r"no.such.setting"):
        start(settings={"no_such_setting": "1"})


def test_a_given_directory_is_kept(start: Callable[..., Any]) -> None:
    directory = Path(tempfile.mkdtemp(dir="/tmp"))
    directory.chmod(0o755)
    try:
        with start(directory / "server") as started:
            assert started.data == directory / "server" / "data"
        assert started.data.is_dir()
        assert not (directory / "server" / "first.sql").exists()  # it held the superuser's password
    finally:
        shutil.rmtree(directory)


@needs_root
def test_as_root_it_runs_as_somebody_without_rights(mysql_family: Mysqld) -> None:
    assert Path(f"/proc/{mysql_family.pid}").stat().st_uid == Account.for_servers().uid != 0


@needs_root
def test_our_directory_for_temporary_files_need_not_be_its_own(
    kind: type[Mysqld], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # mode 700
    with kind.start() as started:
        assert tmp_path not in started.directory.parents
        assert started.execute("SELECT 1") == [(1,)]


@needs_root
def test_it_starts_for_somebody_who_is_not_root(kind: type[Mysqld]) -> None:
    """The same code in a process of another account: what it finds and makes is its own."""
    home = Path(tempfile.mkdtemp(dir="/tmp"))
    os.chown(home, 65534, 65534)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of threads; this child touches none
        child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            tempfile.tempdir = str(home)
            with kind.start() as started:
                status = 0 if started.execute("SELECT 1") == [(1,)] and started.data.stat().st_uid == 65534 else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    home.rmdir()  # empty: nothing was left


def _until(condition: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
