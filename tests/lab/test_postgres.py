"""The private PostgreSQL server behind the tests and the demo."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rotators.lab import LabError
from rotators.lab.account import Account
from rotators.lab.certificates import Authority
from rotators.lab.installation import Installation, open_directory, wheel_bins
from rotators.lab.postgres import Postgres

pytest_plugins = ["tests.servers"]

strict = bool(os.environ.get("ROTATORS_REQUIRE_SERVERS"))
needs_tls = pytest.mark.skipif(
    not strict and not Installation.find().tls, reason="this PostgreSQL was built without TLS"
)
needs_wheel = pytest.mark.skipif(not list(wheel_bins()), reason="the wheel of the extra lab is not installed")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change to another account")


def login(server: Postgres, username: str, password: str, **more: Any) -> psycopg.Connection:
    trust: dict[str, Any] = (
        {"sslmode": "verify-full", "sslrootcert": str(server.ca_bundle)} if server.tls else {"sslmode": "disable"}
    )
    keys: dict[str, Any] = {"host": server.host, "port": server.port, "dbname": "postgres", "connect_timeout": 10}
    return psycopg.connect(**(keys | trust | {"user": username, "password": password} | more))


def test_a_role_logs_in_over_tls_with_a_verified_name(postgres_server: Postgres) -> None:
    postgres_server.execute("CREATE ROLE lab_login LOGIN PASSWORD 'right'")
    for host in ("127.0.0.1", "localhost"):
        with login(postgres_server, "lab_login", "right", host=host) as connection:
            row = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
            assert row == (postgres_server.tls,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        login(postgres_server, "lab_login", "wrong")


@needs_tls
def test_plaintext_is_refused(postgres_server: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        login(postgres_server, postgres_server.superuser, postgres_server.superuser_password, sslmode="disable")


@needs_tls
def test_another_authority_and_another_name_are_told_apart(postgres_server: Postgres, tmp_path: Path) -> None:
    who = (postgres_server.superuser, postgres_server.superuser_password)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        login(postgres_server, *who, sslrootcert=str(Authority(tmp_path).bundle))
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        login(postgres_server, *who, host="elsewhere.example", hostaddr="127.0.0.1")


def test_the_secret_is_what_opens_it(postgres_server: Postgres) -> None:
    secret = postgres_server.secret("lab_login", "p", "db", masterarn="arn:x")
    expected = {"engine": "postgres", "host": "127.0.0.1", "port": postgres_server.port}
    assert secret.items() >= (expected | {"username": "lab_login", "password": "p", "dbname": "db"}).items()
    assert secret["masterarn"] == "arn:x"
    assert ("ssl" in secret) is not postgres_server.tls


def test_its_words_are_its_own(postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    assert postgres_server.superuser_password not in repr(postgres_server)
    assert postgres_server.execute("SELECT 1", "SELECT 'two', 3") == [("two", 3)]


def test_a_restart_keeps_the_data_and_the_port(postgres_template: Path) -> None:
    with Postgres.start(template=postgres_template) as server:
        port = server.port
        server.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        server.restart()
        assert server.port == port
        assert server.execute("SELECT answer FROM kept") == [(42,)]


def test_nothing_is_left_after_stop(postgres_template: Path) -> None:
    server = Postgres.start(template=postgres_template)
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    server.stop()
    server.stop()
    assert not server.directory.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_does_not_outlive_its_owner_that_was_killed(tmp_path: Path, postgres_template: Path) -> None:
    told = tmp_path / "told"
    script = (
        "import pathlib, sys, time\n"
        "from rotators.lab.postgres import Postgres\n"
        "server = Postgres.start(template=pathlib.Path(sys.argv[1]))\n"
        "pid = (server.data / 'postmaster.pid').read_text().split()[0]\n"
        "pathlib.Path(sys.argv[2] + '.new').write_text(f'{pid} {server.directory}')\n"
        "pathlib.Path(sys.argv[2] + '.new').rename(sys.argv[2])\n"
        "time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(postgres_template), str(told)])
    try:
        _until(told.exists)
    finally:
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    pid, directory = told.read_text().split()
    _until(lambda: not Path(f"/proc/{pid}").exists() and not Path(directory).exists())


def test_a_kept_directory_is_free_when_the_server_in_it_has_ended(postgres_template: Path) -> None:
    """Its owner was killed, and the watchdog stops it: whoever comes next waits, and finds everything."""
    home = Path(tempfile.mkdtemp(prefix="rotators-test-", dir=open_directory()))
    home.chmod(0o755)
    script = (
        "import pathlib, sys, time\n"
        "from rotators.lab.postgres import Postgres\n"
        "home, template = map(pathlib.Path, sys.argv[1:])\n"
        "server = Postgres.start(home / 'kept', template=template, settings={'synchronous_commit': 'on'})\n"
        "server.execute('CREATE TABLE kept AS SELECT 42 AS answer')\n"
        "print(server.pid, server.port, flush=True)\n"
        "time.sleep(60)\n"
    )
    try:
        with subprocess.Popen(
            [sys.executable, "-c", script, str(home), str(postgres_template)], stdout=subprocess.PIPE, text=True
        ) as owner:
            assert owner.stdout is not None
            pid, port = map(int, owner.stdout.readline().split())
            os.kill(pid, signal.SIGSTOP)  # so it can't end before we have looked
            owner.send_signal(signal.SIGKILL)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("rotators.lab.place._PATIENCE", 0.2)
            with pytest.raises(LabError, match="in use by another server"):
                Postgres.start(home / "kept")
        os.kill(pid, signal.SIGCONT)
        with Postgres.start(home / "kept", port=port) as server:
            assert server.port == port
            assert server.execute("SELECT answer FROM kept") == [(42,)]
        taken = pytest.raises(LabError, match=f"127.0.0.1:{port}, where PostgreSQL is to listen, is taken")
        with socket.create_server(("127.0.0.1", port)), taken:
            Postgres.start(home / "kept", port=port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        shutil.rmtree(home)


def test_settings_and_hba_are_obeyed(postgres_template: Path) -> None:
    with Postgres.start(
        template=postgres_template,
        tls=False,
        settings={"max_connections": "7", "application_name": "it's"},
        hba="host all lab_md5 all md5",
    ) as server:
        assert not server.tls
        assert server.ca_bundle is None
        assert server.secret("a", "b")["ssl"] is False
        assert server.execute("SHOW max_connections") == [("7",)]
        assert server.execute("SHOW log_connections") != [("off",)]
        server.execute("SET password_encryption = md5", "CREATE ROLE lab_md5 LOGIN PASSWORD 'm'")
        login(server, "lab_md5", "m").close()
        with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
            login(server, server.superuser, server.superuser_password)


def test_a_standby_follows_and_is_read_only(postgres_template: Path) -> None:
    with Postgres.start(template=postgres_template) as primary, Postgres.standby_of(primary) as standby:
        assert standby.port != primary.port
        primary.execute("CREATE ROLE lab_replicated LOGIN PASSWORD 'r'")
        _until(lambda: bool(standby.execute("SELECT 1 FROM pg_roles WHERE rolname = 'lab_replicated'")))
        login(standby, "lab_replicated", "r").close()
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            standby.execute("ALTER ROLE lab_replicated PASSWORD 'x'")


def test_a_server_that_does_not_start_says_why(postgres_template: Path) -> None:
    with pytest.raises(LabError, match=r'unrecognized configuration parameter "no_such_setting"'):
        Postgres.start(template=postgres_template, settings={"no_such_setting": "1"})


@needs_root
def test_a_directory_its_account_cannot_enter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="cannot enter"):
        Postgres.start(tmp_path / "server")


@needs_root
def test_as_root_it_runs_as_somebody_without_rights(postgres_server: Postgres) -> None:
    pid = (postgres_server.data / "postmaster.pid").read_text().split()[0]
    assert Path(f"/proc/{pid}").stat().st_uid == Account.for_servers().uid != 0


@needs_root
def test_it_starts_for_somebody_who_is_not_root(tmp_path: Path) -> None:
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
            with Postgres.start() as server:
                status = 0 if server.execute("SELECT 1") == [(1,)] and server.data.stat().st_uid == 65534 else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    home.rmdir()  # empty: nothing was left


def test_the_directory_in_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROTATORS_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(LabError, match=f"ROTATORS_POSTGRES_BIN is {tmp_path}"):
        Installation.find()


def test_a_machine_without_a_server_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ROTATORS_POSTGRES_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("rotators.lab.installation._PACKAGES", (f"{tmp_path}/*/bin",))
    monkeypatch.setattr("rotators.lab.installation._WHEEL", "no_such_wheel")
    with pytest.raises(LabError, match=r"apt-get install -y postgresql(.|\n)*pip install 'rotators\[lab\]'"):
        Installation.find()


@needs_wheel
def test_the_wheel_is_used_where_the_system_has_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ROTATORS_POSTGRES_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("rotators.lab.installation._PACKAGES", ())
    installation = Installation.find()
    assert not installation.tls
    assert installation.major == max(Installation.at(directory).major for directory in wheel_bins())
    with pytest.raises(LabError, match="built without TLS"):
        Postgres.start(tls=True)
    with Postgres.start() as server:
        assert server.secret("a", "b")["ssl"] is False
        server.execute("CREATE ROLE app LOGIN PASSWORD 'p'")
        login(server, "app", "p").close()


@needs_root
@needs_wheel
def test_the_wheel_works_from_below_a_private_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = next(wheel_bins()).parent
    package = tmp_path / "venv" / installed.parent.name  # tmp_path is mode 700
    shutil.copytree(installed, package / installed.name, ignore=shutil.ignore_patterns("include"))
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    shutil.copytree(libraries, package.with_name(libraries.name))
    monkeypatch.setenv("ROTATORS_POSTGRES_BIN", str(package / installed.name / "bin"))
    assert not Account.for_servers().reaches(package)
    with Postgres.start() as server:
        assert tmp_path not in server.installation.bin.parents
        assert server.execute("SELECT 1") == [(1,)]


def _until(condition: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
