"""`sam local invoke` of examples/custom, in a container."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests.cli.project import Project
from tests.deploy.sam import ROOT, environment
from tests.examples.test_build import STEPS, served

if TYPE_CHECKING:
    from pathlib import Path


def test_the_four_steps_in_a_container(gateway: str, application: Path, sam: Path, tmp_path: Path) -> None:
    project = Project.written(tmp_path / "relay", "relay")
    with served(project, "--listen", gateway) as variables:
        for step in STEPS:
            told = subprocess.run(
                [sam, "local", "invoke", "RelayRotation", "-t", application / "custom/build/template.yaml", "--skip-pull-image",
                 "-e", ROOT / f"examples/custom/events/{step}.json", "-n", project.directory / "local.json"],
                check=False, capture_output=True, text=True, cwd=project.directory, env=environment(),
            )  # fmt: skip
            said = told.stdout + told.stderr
            assert told.returncode == 0, said
            assert f"{step} succeeded" in said
            assert "errorType" not in told.stdout
    assert json.loads((project.directory / "local.json").read_text())["RelayRotation"] == variables
