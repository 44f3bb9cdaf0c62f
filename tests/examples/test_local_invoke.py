"""`sam local invoke` of examples/custom in a container, where this machine has Docker and an image of Lambda's."""

from __future__ import annotations

import json
import platform
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.project import Project
from tests.deploy.sam import PYTHON, ROOT, environment
from tests.examples.test_build import STEPS, built, served

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["built"]

IMAGE = f"public.ecr.aws/lambda/python:{PYTHON}-{'arm64' if platform.machine() in {'aarch64', 'arm64'} else 'x86_64'}"


def docker(*command: str) -> str:
    """What the docker client says; nothing where there is no client, or nobody answers it."""
    if shutil.which("docker") is None:
        return ""
    told = subprocess.run(
        ["docker", *command], check=False, capture_output=True, text=True, env=environment(), timeout=20
    )
    return told.stdout.strip() if told.returncode == 0 else ""


@pytest.fixture
def gateway() -> str:
    """The address at which a container finds this machine."""
    found = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    missing = "Docker" if not found else "" if docker("image", "inspect", IMAGE) else f"image {IMAGE}"
    if found and not missing:
        try:
            socket.create_server((found, 0)).close()
        except OSError:  # Docker of another machine, or of another network namespace
            missing = f"address {found}, at which Docker's containers look for it"
    if missing:
        pytest.skip(
            f"NO `sam local invoke` HERE: this machine has no {missing}. What `sam build` made is run by test_build under "
            "Lambda's runtime client, without a container"
        )
    return found


def test_the_four_steps_in_a_container(gateway: str, built: Path, sam: Path, tmp_path: Path) -> None:
    project = Project.written(tmp_path / "relay", "relay")
    with served(project, "--listen", gateway) as variables:
        for step in STEPS:
            told = subprocess.run(
                [sam, "local", "invoke", "RelayRotation", "-t", built.parent / "template.yaml", "--skip-pull-image",
                 "-e", ROOT / f"examples/custom/events/{step}.json", "-n", project.directory / "local.json"],
                check=False, capture_output=True, text=True, cwd=project.directory, env=environment(),
            )  # fmt: skip
            said = told.stdout + told.stderr
            assert told.returncode == 0, said
            assert f"{step} succeeded" in said
            assert "errorType" not in told.stdout
    assert json.loads((project.directory / "local.json").read_text())["RelayRotation"] == variables
