"""`rotators lab`: what it prints can be typed, and what it serves rotates."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from rotators.cli import main
from rotators.testing import LambdaContext
from tests.cli.running_lab import STEPS, lab
from tests.deploy.sam import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def opens(value: dict[str, Any]) -> bool:
    from rotators import CredentialRejected, Secret
    from rotators.engines import engine

    try:
        engine(value["engine"]).test(Secret(value))
    except CredentialRejected:
        return False
    return True


@pytest.mark.parametrize("engine", ["postgres", "mariadb"])
def test_rotate_secret_rotates(tmp_path: Path, engine: str) -> None:
    with lab(tmp_path, "--engine", engine, "--log", "handler.log") as running:
        client = running.client()
        old = json.loads(client.get_secret_value(SecretId="shop/app")["SecretString"])
        client.rotate_secret(SecretId="shop/app")
        assert running.steps() == [(step, "done") for step in STEPS]
        new = json.loads(client.get_secret_value(SecretId="shop/app")["SecretString"])
        assert opens(new)
        assert not opens(old)
        previous = client.get_secret_value(SecretId="shop/app", VersionStage="AWSPREVIOUS")["SecretString"]
        assert json.loads(previous) == old
    told = running.said + (tmp_path / "handler.log").read_text()
    assert old["password"] not in told
    assert new["password"] not in told


def test_the_sample_events_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the handler itself, with what it writes for `sam local invoke --env-vars`."""
    from rotators.handlers.database import handler

    with lab(tmp_path) as running:
        assert (
            re.findall(r"sam local invoke DatabaseRotation -e events/(\w+)\.json --env-vars lab\.json", running.said)
            == STEPS
        )
        for name, value in json.loads((tmp_path / "lab.json").read_text())["Parameters"].items():
            monkeypatch.setenv(name, value)
        for step in STEPS:
            event = json.loads((ROOT / f"events/{step}.json").read_text())
            handler(event, LambdaContext())
        labels = running.client().describe_secret(SecretId=event["SecretId"])["VersionIdsToStages"]
        assert "AWSCURRENT" in labels[event["ClientRequestToken"]]


def test_a_database_of_ones_own_and_a_function_elsewhere(tmp_path: Path) -> None:
    """The secret is the given one, and each step goes where --lambda-url says; what it answers is what RotateSecret sees."""
    asked: list[tuple[str, str]] = []

    class Invoke(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, event["Step"]))
            failed = {"errorType": "Broken", "errorMessage": "no such luck"}
            body = json.dumps(failed if event["Step"] == "setSecret" else None).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    (tmp_path / "secret.json").write_text(
        '{"engine": "postgres", "host": "db.invalid", "username": "u", "password": "p"}'
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), Invoke) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        with lab(tmp_path, "--secret", "secret.json", "--lambda-url", url, "--function", "PostgresRotation") as running:
            client = running.client()
            value = json.loads(client.get_secret_value(SecretId="shop/app")["SecretString"])
            assert value["host"] == "db.invalid"
            client.rotate_secret(SecretId="shop/app")
            assert running.steps() == [("createSecret", "done"), ("setSecret", "Broken: no such luck")]
        server.shutdown()
    assert {path for path, _ in asked} == {"/2015-03-31/functions/PostgresRotation/invocations"}


def test_a_port_that_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process is the test runner's
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["lab", "--port", str(port), "--log", "log"]) == 2
    assert f"rotators lab: 127.0.0.1:{port} can't be listened on" in capsys.readouterr().err
    assert not (tmp_path / "lab.json").exists()


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_secret_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # this process is the test runner's
    (tmp_path / "secret.json").write_text(text)
    assert main(["lab", "--secret", "secret.json"]) == 2
    assert "secret.json is no JSON object" in capsys.readouterr().err
