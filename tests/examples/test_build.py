"""`sam build` of examples/custom, and its artifact under Lambda's own runtime, against what local.py serves."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import urllib3

from tests.cli.project import KINDS, Project
from tests.deploy.runtime import Function, provide
from tests.deploy.sam import PYTHON, ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Lambda's runtime is Linux")

CUSTOM = ROOT / "examples" / "custom"
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


def build(sam: Path, place: Path) -> None:
    """Build the example for this machine's Python, which is the one that its builder finds."""
    text = (CUSTOM / "template.yaml").read_text()
    text = re.sub(r"Runtime: python\S+", f"Runtime: python{PYTHON}", text)
    (place / "template.yaml").write_text(text.replace("CodeUri: function/", f"CodeUri: {CUSTOM / 'function'}"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    told = subprocess.run(
        [sam, "build", "-t", place / "template.yaml", "-b", place / "build"],
        check=False, capture_output=True, text=True, cwd=CUSTOM, env=environment(PATH=path),
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.fixture(scope="session")
def built(sam: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The example's function; built once for all workers."""
    base = tmp_path_factory.getbasetemp()
    place = (base if worker_id == "master" else base.parent) / "custom"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            build(sam, place)
            (place / "done").touch()
    return place / "build" / "RelayRotation"


@contextmanager
def served(project: Project, *arguments: str) -> Iterator[dict[str, str]]:
    """Run its local.py; yields the function's variables, and sees what it prints when it ends."""
    with subprocess.Popen(
        [sys.executable, "local.py", *arguments],
        cwd=project.directory,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            said = ""
            while not said.endswith("Ctrl+C ends it.\n"):
                line = process.stdout.readline()
                assert line, f"local.py ended: {said}"
                said += line
            assert re.findall(r"-e events/(\w+)\.json", said) == STEPS
            ((_, variables),) = json.loads((project.directory / "local.json").read_text()).items()
            yield variables
            process.send_signal(signal.SIGINT)
            assert "'AWSCURRENT', 'AWSPENDING'" in process.stdout.read()
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_it_holds_the_rotator_and_what_it_needs(built: Path) -> None:
    names = {path.name for path in built.iterdir()}
    assert names >= {"relay.py", "rotators", "urllib3", "aws_lambda_powertools"}
    assert not names & {"test_relay.py", "relay_stand_in.py", "local.py", "boto3", "botocore", "pytest", "events"}
    assert (built / "rotators/cli/project/common/template.yaml.in").exists(), (
        "the wheel has what `rotators new` writes from"
    )
    assert (built / "relay.py").read_text() == (CUSTOM / "function/relay.py").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_events_rotate(built: Path, sam: Path, tmp_path: Path, kind: str) -> None:
    """Of each kind of project: what is built of it differs in one module."""
    project = Project.written(tmp_path / "relay", "relay", kind)
    artifact, provided = tmp_path / "artifact", tmp_path / "runtime"
    artifact.mkdir()
    provided.mkdir()
    for path in built.iterdir():
        (artifact / path.name).symlink_to(path)
    (artifact / "relay.py").unlink()
    shutil.copy(project.rotator, artifact)

    with served(project) as variables:
        client = boto3.client(
            "secretsmanager", endpoint_url=variables["SECRETS_MANAGER_ENDPOINT"], region_name="us-east-1"
        )
        arn = json.loads((project.directory / "events/createSecret.json").read_text())["SecretId"]
        old = client.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"]
        with Function(
            sam,
            artifact,
            provided=provide(provided),
            handler="relay.handler",
            variables=variables,
            log=tmp_path / "log",
        ) as function:
            for step in STEPS:
                answer = function.invoke(json.loads((project.directory / f"events/{step}.json").read_text()))
                assert answer is None, (tmp_path / "log").read_text()
        new = client.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"]
        assert new != old
        assert opens(new, variables)
        assert opens(old, variables) == (kind == "key"), "a provider's key lives until the rotation after the next"


def opens(text: str, variables: dict[str, str]) -> bool:
    """Ask the stand-in, by another client than the rotator's."""
    value: dict[str, Any] = json.loads(text) if text.startswith("{") else {"url": variables["RELAY_URL"], "key": text}
    headers = {"authorization": f"Bearer {value.get('password') or value['key']}"}
    return urllib3.request("GET", value["url"], headers=headers).status == 200
