"""RotateSecret of the lab on the artifact itself, under Lambda's own runtime behind `--lambda-url`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from rotators.lab.ports import free_port
from tests.cli.running_lab import STEPS, lab, opens
from tests.deploy.runtime import Function
from tests.deploy.sample import runtime

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a Lambda artifact holds Linux libraries")


def test_the_runtime_emulator_rotates(artifact: Path, sam: Path, tmp_path: Path) -> None:
    port = free_port("127.0.0.1")
    log = tmp_path / "function.log"
    with (
        Function(
            sam,
            artifact,
            provided=runtime(tmp_path),
            handler="rotators.handlers.database.handler",
            variables={"SECRETS_MANAGER_ENDPOINT": f"http://127.0.0.1:{port}"},
            log=log,
        ) as function,
        lab(tmp_path, "--port", str(port), "--lambda-url", function.url, "--function", "function") as running,
    ):
        client = running.client()
        old = json.loads(client.get_secret_value(SecretId="shop/app")["SecretString"])
        client.rotate_secret(SecretId="shop/app")
        assert running.steps() == [(step, "done") for step in STEPS]
        new = json.loads(client.get_secret_value(SecretId="shop/app")["SecretString"])
        assert opens(new)
        assert not opens(old)
    assert '"finishSecret"' in log.read_text()
    assert new["password"] not in log.read_text() + running.said
