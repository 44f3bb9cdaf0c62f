"""Projects that `rotators new` has written, and what may be run in one."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rotators.cli import main

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("password", "plain", "key")
LEFT_BY_RUNS = {".aws-sam", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", "__pycache__", "local.json"}


@dataclass
class Project:
    """One that was written, and is somebody's to change."""

    directory: Path
    name: str
    kind: str

    @classmethod
    def written(cls, directory: Path, name: str = "relay", kind: str = "password", *more: str) -> Project:
        assert main(["new", name, "--kind", kind, "--directory", str(directory), *more]) == 0
        return cls(directory, name, kind)

    @property
    def rotator(self) -> Path:
        return self.directory / "function" / f"{self.name.replace('-', '_')}.py"

    def change(self, old: str, new: str) -> None:
        """Change the rotator, which must have the text to change."""
        text = self.rotator.read_text()
        assert old in text, f"{self.rotator.name} has no {old!r} any more"
        self.rotator.write_text(text.replace(old, new))

    def files(self) -> dict[str, str]:
        return {
            path.relative_to(self.directory).as_posix(): path.read_text(encoding="utf-8")
            for path in self.directory.rglob("*")
            if path.is_file() and not LEFT_BY_RUNS & set(path.relative_to(self.directory).parts)
        }

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a module of this Python in it, as its owner does, without what our own test run has set."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))}
        return subprocess.run(
            [sys.executable, "-P", "-m", *command],
            cwd=self.directory,
            env={**ours, "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"},
            check=False,
            capture_output=True,
            text=True,
        )

    def tests(self, *more: str) -> subprocess.CompletedProcess[str]:
        return self.run("pytest", "-q", "-p", "no:cacheprovider", *more)
