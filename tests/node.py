"""Node.js, with the packages pinned in requirements/node: for what an application in JavaScript sees."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
MODULES = ROOT / ".tools/node/node_modules"


class Node:
    """Runs modules (.mjs) with the pinned packages at hand."""

    def __init__(self, program: str, directory: Path) -> None:
        self._program, self._directory = program, directory
        (directory / "node_modules").symlink_to(MODULES)

    def start(self, script: Path, *arguments: str, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start a copy of `script`: an `import` looks for packages beside the file that it stands in."""
        copy = shutil.copy(script, self._directory)
        return subprocess.Popen(
            [self._program, copy, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(self._directory), **environment},
        )

    def run(self, script: Path, *arguments: str, environment: Mapping[str, str], seconds: float = 60) -> str:
        """Run it to its end, and return what it printed."""
        with self.start(script, *arguments, environment=environment) as process:
            try:
                output, errors = process.communicate(timeout=seconds)
            finally:
                process.kill()
        assert process.returncode == 0, errors or output
        return output


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Skipped where there is no Node.js: nothing of ours needs one."""
    program = shutil.which("node")
    if program is None or not MODULES.exists():
        reason = "no Node.js 20 or newer with the packages of requirements/node: `.ci/setup node` says why"
        if program is not None and shutil.which("npm") and os.environ.get("ROTATORS_REQUIRE_SERVERS"):
            pytest.fail(reason)
        pytest.skip(reason)
    directory = tmp_path / "node"
    directory.mkdir()
    return Node(program, directory)
