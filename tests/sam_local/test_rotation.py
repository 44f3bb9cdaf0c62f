"""The four steps of a rotation through `sam local invoke` and `sam local start-lambda`: the container, its image, its limits."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pymysql
import pytest

from rotators.lab.ports import free_port
from tests.deploy.sam import ROOT, environment
from tests.sam_local.laboratory import laboratory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]
EVENT = json.loads((ROOT / "events/createSecret.json").read_text())
ENGINES = pytest.mark.parametrize(
    ("function", "engine"), [("PostgresRotation", "postgres"), ("MySQLRotation", "mariadb")]
)


def logs_in(secret: dict[str, Any]) -> bool:
    """Whether the database lets in who has this."""
    try:
        if secret["engine"] == "postgres":
            psycopg.connect(
                host=secret["host"], port=secret["port"], user=secret["username"], password=secret["password"],
                dbname="postgres", sslmode="disable",
            ).close()  # fmt: skip
        else:
            with closing(
                pymysql.connect(
                    host=secret["host"], port=secret["port"], user=secret["username"], password=secret["password"]
                )
            ):
                pass
    except (psycopg.OperationalError, pymysql.OperationalError):
        return False
    return True


@ENGINES
def test_the_sample_events(
    gateway: str, application: Path, sam: Path, tmp_path: Path, function: str, engine: str
) -> None:
    with laboratory(tmp_path, gateway, "--engine", engine) as lab:
        old, said = lab.value(EVENT["SecretId"]), ""
        assert logs_in(old)
        for step in STEPS:
            told = subprocess.run(
                [sam, "local", "invoke", function, "-t", application / function / "template.yaml", "--skip-pull-image",
                 "-e", ROOT / f"events/{step}.json", "--env-vars", lab.variables],
                check=False, capture_output=True, text=True, env=environment(), cwd=tmp_path,
            )  # fmt: skip
            said += told.stdout + told.stderr
            assert told.returncode == 0, said
            assert told.stdout.strip().splitlines()[-1] == "null", said
            assert f"{step} succeeded" in said
        new = lab.value(EVENT["SecretId"])

        assert new["password"] != old["password"]
        assert lab.value(EVENT["SecretId"], "AWSPREVIOUS") == old
        assert logs_in(new)
        assert not logs_in(old)
    assert new["password"] not in said
    assert old["password"] not in said
    assert EVENT["ClientRequestToken"] in said


@contextmanager
def started(sam: Path, template: Path, port: int, variables: Path, directory: Path) -> Iterator[None]:
    """Run `sam local start-lambda`; its containers go with it."""
    with (directory / "start-lambda").open("w") as output:
        process = subprocess.Popen(
            [sam, "local", "start-lambda", "-t", template, "--port", str(port), "--env-vars", variables,
             "--skip-pull-image", "--warm-containers", "LAZY"],
            stdout=output, stderr=subprocess.STDOUT, env=environment(), cwd=directory,
        )  # fmt: skip
    try:
        for _ in range(300):
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (directory / "start-lambda").read_text()
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(60)


@ENGINES
def test_rotate_secret_at_start_lambda(
    gateway: str, application: Path, sam: Path, tmp_path: Path, function: str, engine: str
) -> None:
    port = free_port("127.0.0.1")
    remote = ["--lambda-url", f"http://127.0.0.1:{port}", "--function", function]
    with laboratory(tmp_path, gateway, "--engine", engine, *remote) as lab:
        template = application / function / "template.yaml"
        with started(sam, template, port, lab.variables, tmp_path):
            passwords = [lab.value("shop/app")]
            for _ in range(2):  # the second time in the same container
                lab.client.rotate_secret(SecretId="shop/app")
                for step in STEPS:
                    assert "done" in lab.read_until(f"  {step}  ")
                passwords.append(lab.value("shop/app"))
            assert [logs_in(secret) for secret in passwords] == [False, False, True]
    said = (tmp_path / "start-lambda").read_text()
    assert not [secret["password"] for secret in passwords if secret["password"] in said]
