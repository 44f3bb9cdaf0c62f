"""examples/custom is what `rotators new relay` writes, and its own tests pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.cli import new
from rotators.cli.project_name import ProjectName
from tests.cli.project import Project
from tests.deploy.sam import ROOT

if TYPE_CHECKING:
    import pytest

CUSTOM = Project(ROOT / "examples" / "custom", "relay", "password")


def test_the_example_is_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """From this checkout: a requirement on the directory that the package is in."""
    monkeypatch.setattr(new, "requirement", lambda _, extra="": "../.." + (f"[{extra}]" if extra else ""))
    written = new.rendered(ProjectName.of("relay"), kind="password", runtime="python3.13", directory=CUSTOM.directory)
    again = "write it anew: rm -r examples/custom; rotators new relay --directory examples/custom --runtime python3.13"
    assert CUSTOM.files() == written, again


def test_its_tests_pass() -> None:
    told = CUSTOM.tests("-n", "3")
    assert told.returncode == 0, told.stdout
    assert " passed" in told.stdout
