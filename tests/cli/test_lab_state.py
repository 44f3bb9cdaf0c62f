"""`rotators lab --state`: what a lab that was killed leaves behind, another one goes on with."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rotators.cli import main
from rotators.lab.account import Account
from rotators.lab.installation import open_directory
from tests.cli.running_lab import STEPS, lab, opens

if TYPE_CHECKING:
    from collections.abc import Iterator

# The database's password is another one, and nobody has been told: where it hurts most to be killed.
STUCK = """
import pathlib, time
from rotators.handlers.database import handler as rotate

def handler(event, context):
    rotate(event, context)
    if event["Step"] == "setSecret":
        pathlib.Path("stuck").touch()
        while pathlib.Path("stuck").exists():
            time.sleep(0.05)
"""


@pytest.fixture
def state() -> Iterator[Path]:
    """A directory that the account of the database can enter: pytest's own are closed to others."""
    directory = Path(tempfile.mkdtemp(prefix="rotators-test-", dir=open_directory()))
    directory.chmod(0o755)
    yield directory / "state"
    shutil.rmtree(directory)


def current(client: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(client.get_secret_value(SecretId="shop/app")["SecretString"])
    return value


def closed_to_others(directory: Path) -> list[str]:
    """What somebody else could read: nothing, where nobody gets into the directory."""
    mode = stat.S_IMODE(directory.stat().st_mode)
    assert mode == (0o710 if Account.for_servers().borrowed else 0o700)
    return [
        str(path)
        for path in [*directory.iterdir(), *(directory / "database").iterdir()]
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_a_lab_that_was_killed_is_gone_on_with(tmp_path: Path, state: Path, engine: str) -> None:
    arguments = ["--engine", engine, "--state", str(state)]
    with lab(tmp_path, *arguments, ends="killed") as running:
        client = running.client()
        client.create_secret(Name="mine", SecretBinary=b"\0\xff", Tags=[{"Key": "team", "Value": "shop"}])
        client.replicate_secret_to_regions(SecretId="mine", AddReplicaRegions=[{"Region": "eu-west-1"}])
        client.rotate_secret(SecretId="shop/app")
        assert running.steps() == [(step, "done") for step in STEPS]
        value, described = current(client), client.describe_secret(SecretId="mine")
        assert opens(value)
        assert closed_to_others(state) == []
        before = running.environment
    for path in state.rglob("*log*"):
        if path.is_file():
            assert value["password"].encode() not in path.read_bytes()

    with lab(tmp_path, *arguments, ends=f"kept in {state}") as running:
        assert f"Both are kept in {state}. It goes on with what was there." in running.said
        assert "cut short" not in running.said
        assert running.environment == before
        client = running.client()
        again = client.describe_secret(SecretId="mine")
        assert {**again, "ResponseMetadata": 0} == {**described, "ResponseMetadata": 0}
        assert client.get_secret_value(SecretId="mine")["SecretBinary"] == b"\0\xff"
        assert current(client) == value
        assert opens(value)
        client.rotate_secret(SecretId="shop/app")
        assert running.steps() == [(step, "done") for step in STEPS]
        assert opens(current(client))
        assert not opens(value)


def test_a_rotation_in_which_the_lab_was_killed_is_finished(tmp_path: Path, state: Path) -> None:
    (tmp_path / "slow.py").write_text(STUCK)
    stuck = tmp_path / "stuck"
    with lab(tmp_path, "--state", str(state), "--handler", "slow.handler", ends="killed") as running:
        client = running.client()
        version = client.rotate_secret(SecretId="shop/app")["VersionId"]
        while not stuck.exists():
            time.sleep(0.02)
        value = current(client)
        assert not opens(value)
    stuck.unlink()

    with lab(tmp_path, "--state", str(state), ends=f"kept in {state}") as running:
        assert "The rotation of shop/app was cut short: rotate-secret goes on with it." in running.said
        client = running.client()
        with pytest.raises(client.exceptions.InvalidRequestException, match="will be reattempted"):
            client.rotate_secret(SecretId="shop/app")
        assert running.steps() == [(step, "done") for step in STEPS]
        answer = client.get_secret_value(SecretId="shop/app")
        assert answer["VersionId"] == version
        assert opens(json.loads(answer["SecretString"]))


def test_a_lab_without_a_database_of_its_own(tmp_path: Path, state: Path) -> None:
    """The same command line again: what the file said at first is not what counts now."""
    (tmp_path / "secret.json").write_text('{"engine": "postgres", "host": "db.invalid", "username": "u"}')
    arguments = ["--secret", "secret.json", "--state", str(state), "--lambda-url", "http://127.0.0.1:9"]
    with lab(tmp_path, *arguments, ends=f"kept in {state}") as running:
        running.client().put_secret_value(SecretId="shop/app", SecretString='{"now": 1}')
    with lab(tmp_path, *arguments, ends=f"kept in {state}") as running:
        assert current(running.client()) == {"now": 1}
    assert not (state / "database").exists()


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that is said."""
    assert main(["lab", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    return line


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_what_is_no_state_is_refused_and_left_alone(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process is the test runner's
    (tmp_path / "secret.json").write_text("{}")
    given = ["--secret", "secret.json", "--lambda-url", "http://127.0.0.1:9", "--state", str(state)]

    with lab(tmp_path, *given, ends=f"kept in {state}"):
        assert "another process has it" in refused(capsys, *given)
    kept = contents(state)
    for other, why in (
        (["--engine", "mariadb"], "was made with --secret: say the same, or nothing"),
        (["--listen", "127.0.0.2"], "was made with --listen 127.0.0.1: say the same, or nothing"),
    ):
        assert why in refused(capsys, "--state", str(state), *other)
        assert contents(state) == kept

    with sqlite3.connect(state / "secrets") as database:
        database.execute("UPDATE secret SET record = '{}'")
    database.close()
    kept = contents(state)
    assert refused(capsys, *given).endswith("secrets can't be used: it is damaged (KeyError)")
    assert contents(state) == kept

    shutil.rmtree(state)
    state.mkdir()
    (state / "thesis.txt").write_text("mine")
    mode = state.stat().st_mode
    assert "it is not empty, and no lab left it: choose another" in refused(capsys, *given)
    assert (contents(state), state.stat().st_mode) == ({"thesis.txt": b"mine"}, mode)

    (state / "secrets").write_text("mine too")
    assert "holds no secrets of a lab" in refused(capsys, *given)
    assert contents(state) == {"thesis.txt": b"mine", "secrets": b"mine too"}

    assert "can't keep a lab's state: Not a directory" in refused(capsys, *given[:-1], str(state / "secrets" / "x"))
    assert "can't keep a lab's state: File exists" in refused(capsys, *given[:-1], str(state / "secrets"))


def test_a_directory_that_is_read_only(state: Path) -> None:
    """Root may write everywhere: a root looks on while somebody else tries."""
    told = state.with_name("told")
    told.touch()
    told.chmod(0o666)
    state.mkdir(mode=0o555)
    arguments = ["lab", "--state", str(state / "mine"), "--log", os.devnull]
    if os.geteuid() == 0:
        importlib.import_module("rotators.lab.laboratory")  # whose files that somebody may not be able to read
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of threads; this child touches none
            child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
                with told.open("w") as sys.stderr:
                    code = main(arguments)
            finally:
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    else:
        with told.open("w") as output:
            code = subprocess.call([sys.executable, "-m", "rotators", *arguments], stderr=output)
    assert (code, told.read_text()) == (
        2,
        f"rotators lab: {state / 'mine'} can't keep a lab's state: Permission denied\n",
    )


def test_a_lab_that_died_before_it_said_where_it_is(tmp_path: Path, state: Path) -> None:
    """Half a database and half its secrets: nobody was told of them, and they are made anew."""
    (state / "database" / "data").mkdir(parents=True)
    (state / "database" / "data" / "PG_VERSION").write_text("15\n")
    (state / "secrets").touch()
    with lab(tmp_path, "--state", str(state), ends=f"kept in {state}") as running:
        assert "goes on" not in running.said
        assert opens(current(running.client()))
