"""
Builds what the tests here run, where there is a network: `python -m tests.sam_local.build DIRECTORY`.

The containers' own network namespace has none.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.deploy.sam import PYTHON, ROOT, environment, find_sam
from tests.examples.test_build import build as build_custom

FUNCTIONS = ("PostgresRotation", "MySQLRotation")


def build(sam: Path, place: Path) -> None:
    """Build two functions of our template for this Python, as it is without that `Runtime`, and examples/custom."""
    for name in ("Makefile", "template.yaml"):
        text = (ROOT / name).read_text()
        (place / name).write_text(re.sub(r"Runtime: python\S+", f"Runtime: python{PYTHON}", text))
    for name in (".ci", "src", "requirements", "pyproject.toml", "README.md", "LICENSE", ".tools"):
        if not (place / name).exists():
            (place / name).symlink_to(ROOT / name)
    for function in FUNCTIONS:
        told = subprocess.run(
            [sam, "build", function, "--build-in-source", "-b", place / function],
            check=False, capture_output=True, text=True, cwd=place, env=environment(PYV=PYTHON),
        )  # fmt: skip
        assert told.returncode == 0, told.stdout + told.stderr
    custom = place / "custom"
    custom.mkdir(exist_ok=True)
    build_custom(sam, custom)


if __name__ == "__main__":
    found = find_sam()
    assert found, "no SAM CLI: .ci/setup sam"
    directory = Path(sys.argv[1]).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    build(found, directory)
