"""Docker with an image of Lambda's, as `.ci/container` provides it; `make sam-local` runs what is here."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.deploy.conftest import sam
from tests.deploy.sam import PYTHON, ROOT, environment
from tests.sam_local.build import build

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["sam"]

ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
IMAGE = f"public.ecr.aws/lambda/python:{PYTHON}-{ARCHITECTURE}"


def docker(*command: str) -> str:
    """What the docker client says; nothing where there is no client, or nobody answers it."""
    if shutil.which("docker") is None:
        return ""
    told = subprocess.run(
        ["docker", *command], check=False, capture_output=True, text=True, env=environment(), timeout=20
    )
    return told.stdout.strip() if told.returncode == 0 else ""


@pytest.fixture(scope="session")
def gateway() -> str:
    """The address at which a container finds this machine."""
    found = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    missing = "Docker" if not found else "" if docker("image", "inspect", IMAGE) else f"image {IMAGE}"
    if found and not missing:
        try:
            socket.create_server((found, 0)).close()
        except OSError:  # Docker of another machine, or of another network namespace
            missing = f"address {found}, at which Docker's containers look for it"
    if missing and os.environ.get("ROTATORS_REQUIRE_CONTAINERS") == "1":
        pytest.fail(f"this machine has no {missing}")
    if missing:
        pytest.skip(
            f"NO `sam local invoke` HERE: this machine has no {missing}. `make sam-local` brings it; what `sam build` made is "
            "run under Lambda's runtime client by tests/deploy and tests/examples, without a container"
        )
    return found


@pytest.fixture(scope="session")
def application(gateway: str, sam: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `build` has built our functions and the example, before the network was left, or now."""
    if ready := os.environ.get("ROTATORS_SAM_BUILT"):
        return ROOT / ready
    place = tmp_path_factory.mktemp("application")
    build(sam, place)
    return place
