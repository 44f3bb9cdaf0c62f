"""The line that installs the rotators which wrote the project, from where that one came."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from rotators.cli import requirement as module
from rotators.cli.requirement import requirement


class Installed:
    """As pip or uv leave it (PEP 610)."""

    version = "1.2.3"

    def __init__(self, came: dict[str, Any] | None) -> None:
        self.came = came

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.came is None else json.dumps(self.came)


@pytest.mark.parametrize(
    "came, directory, plain, testing",
    [
        (None, "relay", "rotators==1.2.3", "rotators[testing]==1.2.3"),
        ({"url": "file:///src/rotators", "dir_info": {"editable": True}}, "/src/relay", "../rotators", "../rotators[testing]"),
        ({"url": "file:///src/rotators", "dir_info": {}}, "/src/rotators/examples/custom", "../..", "../..[testing]"),
        ({"url": "file:///src/rotators", "dir_info": {}}, "/src", "./rotators", "./rotators[testing]"),
        (
            {"url": "file:///my%20src/rotators", "dir_info": {}},
            "/relay",
            "rotators @ file:///my%20src/rotators",
            "rotators[testing] @ file:///my%20src/rotators",
        ),
        (
            {"url": "file:///tmp/rotators-1.2.3-py3-none-any.whl", "archive_info": {}},
            "/relay",
            "rotators @ file:///tmp/rotators-1.2.3-py3-none-any.whl",
            "rotators[testing] @ file:///tmp/rotators-1.2.3-py3-none-any.whl",
        ),
        (
            {"url": "https://example.com/r.git", "vcs_info": {"vcs": "git", "commit_id": "0ff"}},
            "/relay",
            "rotators @ git+https://example.com/r.git@0ff",
            "rotators[testing] @ git+https://example.com/r.git@0ff",
        ),
    ],
)  # fmt: skip
def test_by_where_it_came_from(
    monkeypatch: pytest.MonkeyPatch, came: dict[str, Any] | None, directory: str, plain: str, testing: str
) -> None:
    monkeypatch.setattr(module, "distribution", lambda _: Installed(came))
    assert requirement(Path(directory)) == plain
    assert requirement(Path(directory), extra="testing") == testing


def test_not_installed_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(module, "distribution", missing)
    assert requirement(Path()) == "rotators"
    assert requirement(Path(), extra="testing") == "rotators[testing]"
