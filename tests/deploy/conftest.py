"""The SAM CLI, and what its translator makes of the template."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.cloudformation import Stack
from tests.deploy.sam import PYTHON, ROOT, TEMPLATE, environment, find_sam

if TYPE_CHECKING:
    from pathlib import Path

_EXPAND = """
import json, sys
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

class NoManagedPolicies:
    load = staticmethod(dict)

with open(sys.argv[1]) as file:
    template = yaml_parse(file.read())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = "s3://bucket/key"
    if resource["Type"] == "AWS::Serverless::StateMachine":
        resource["Properties"]["DefinitionUri"] = "s3://bucket/key"
json.dump(transform(template, {}, NoManagedPolicies()), sys.stdout)
"""


@pytest.fixture(scope="session")
def sam() -> Path:
    """The SAM CLI's program."""
    found = find_sam()
    if found is not None:
        return found
    reason = "the SAM CLI is missing: `make test` installs it, and so does `.ci/setup sam`"
    if os.environ.get("ROTATORS_REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def expanded(sam: Path) -> dict[str, Any]:
    """The template as CloudFormation sees it: every short form of SAM written out."""
    python = sam.with_name("python")
    if not python.exists():
        pytest.skip(f"no Python beside {sam} to ask for its translator")
    told = subprocess.run(
        [python, "-c", _EXPAND, TEMPLATE], check=True, capture_output=True, text=True, env=environment()
    )
    template: dict[str, Any] = json.loads(told.stdout)
    return template


@pytest.fixture(scope="session")
def stack(expanded: dict[str, Any]) -> Stack:
    """What `sam deploy` makes when every question is answered with its default."""
    return Stack(expanded)


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One function as built for this machine's Python, once for all workers; the others' is the same (test_template)."""
    base = tmp_path_factory.getbasetemp()
    place = (base if worker_id == "master" else base.parent) / "artifact"
    place.mkdir(exist_ok=True)
    built = place / "build" / "DatabaseRotation"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            shutil.rmtree(built, ignore_errors=True)
            sam = find_sam()
            command = [str(sam), "build", built.name, "-b", str(built.parent)] if sam else ["make", "artifact"]
            told = subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                cwd=ROOT,
                env=environment(
                    PYV=PYTHON,
                    PLAT="aarch64-manylinux_2_28"
                    if platform.machine() in {"aarch64", "arm64"}
                    else "x86_64-manylinux2014",
                    ARTIFACTS_DIR=str(built),
                ),
            )
            assert told.returncode == 0, told.stdout + told.stderr
            (place / "done").touch()
    return built
