"""The commands of docs/try-it-locally.md: each is one that the command line takes; tests/cli and tests/sam_local run them."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from rotators.cli import event, lab, main
from tests.docs.test_docs import ROOT

if TYPE_CHECKING:
    import argparse

PAGE = (ROOT / "docs/try-it-locally.md").read_text()
TYPED = [
    *re.findall(r"^\$ \.venv/bin/rotators (.*)$", PAGE, re.MULTILINE),
    *re.findall(r"`rotators ((?:lab|event) .*?)`", PAGE),
]


@pytest.mark.parametrize("line", TYPED)
def test_every_command_is_taken(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[argparse.Namespace] = []

    def run(arguments: Any) -> int:
        taken.append(arguments)
        return 0

    for command in (lab, event):
        monkeypatch.setattr(command, "run", run)
    assert main(shlex.split(line)) == 0
    assert taken


def test_there_are_some() -> None:
    assert {line.split()[0] for line in TYPED} == {"lab", "event"}
    for option in ("--state", "--secret", "--handler", "--lambda-url", "--listen", "--port"):
        assert any(option in line for line in TYPED), option
