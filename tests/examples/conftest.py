"""SAM, and what it makes of a project's template."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.conftest import _EXPAND as EXPAND
from tests.deploy.conftest import sam
from tests.deploy.sam import environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["sam"]


@pytest.fixture(scope="session")
def expand(sam: Path) -> Callable[[Path], dict[str, Any]]:
    """Make the template that CloudFormation sees of one of SAM's."""

    known: dict[str, str] = {}  # by the template's text

    def made(template: Path) -> dict[str, Any]:
        python = sam.with_name("python")
        if not python.exists():
            pytest.skip(f"no Python beside {sam} to ask for its translator")
        text = template.read_text()
        if text not in known:
            told = subprocess.run(
                [python, "-c", EXPAND, template], check=True, capture_output=True, text=True, env=environment()
            )
            known[text] = told.stdout
        expanded: dict[str, Any] = json.loads(known[text])
        return expanded

    return made
