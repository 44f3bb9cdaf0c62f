"""Whose secrets a command is about: what is wrong with that is one sentence and exit code 2, soon, for every command."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from argparse import Namespace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import EndpointConnectionError

from rotators.cli import main
from rotators.cli.account import Account
from rotators.testing import Endpoint, SecretsManager

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS = ("status", "report --json", "check app", "diagnose app", "repair app", "rotate app", "rotate --prefix app")
CANARY = "hunter2-Canary"
URL = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own account."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_SECRETS_MANAGER"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture
def nobody() -> Iterator[str]:
    """A URL at which a connection is refused: the port is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that is refused, and return its sentence."""
    capsys.readouterr()
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert not told.out
    assert told.err.count("\n") == 1
    assert CANARY not in told.err
    return told.err


@pytest.mark.parametrize("command", COMMANDS)
def test_nobody_answers(command: str, nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    said = refused(capsys, *command.split(), "--endpoint-url", nobody)
    assert f"nobody answers at {nobody}: see --region and --endpoint-url" in said
    assert time.monotonic() - began < 15  # it was 23 to 74 s


def test_who_answered_once_is_asked_again_and_again(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that rotates for an hour outlives what an operator who mistyped a URL should not wait for."""
    waited: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waited.append, time=time.time))
    with Endpoint(SecretsManager()) as url:
        options = {"profile": None, "region": ["us-east-1"], "endpoint_url": url}
        client = Account(Namespace(**options)).client("secretsmanager")
        client.list_secrets()
    with pytest.raises(EndpointConnectionError):
        client.list_secrets()
    assert len(waited) == 10


@pytest.mark.parametrize("command", [command for command in COMMANDS if not command.startswith("rotate")])
def test_ctrl_c(command: str) -> None:
    """While nobody knows whether an answer comes; `rotate` has its own."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        run = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from rotators.cli import main; exit(main())"
        words = [sys.executable, "-c", run, *command.split(), "--endpoint-url", url]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                connection, _ = silent.accept()
                with connection:
                    connection.recv(1)
                    process.send_signal(signal.SIGINT)
                    out, err = process.communicate(timeout=20)
            finally:
                process.kill()
    assert (process.returncode, out) == (130, "")
    assert err == "\nrotators: interrupted; a rotation that was begun goes on in AWS\n"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--region", "no region"), "'no region' doesn't match a supported format: see --region"),
        (("--endpoint-url", "nonsense"), "Invalid endpoint: nonsense: see --region, --profile and --endpoint-url"),
        (("--profile", "none"), "there is no profile none"),
    ],
    ids=["region", "url", "profile"],
)
def test_what_is_none(options: tuple[str, ...], said: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in refused(capsys, *command.split(), *options)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_credentials(command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no credentials: give --profile, or set" in refused(capsys, *command.split(), "--endpoint-url", URL)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CANARY)
    assert "missing: AWS_SECRET_ACCESS_KEY" in refused(capsys, *command.split(), "--endpoint-url", URL)


def test_no_region(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    assert "no region: give --region" in refused(capsys, "status")
