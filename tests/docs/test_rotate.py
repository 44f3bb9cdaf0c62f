"""docs/operating.md, "Rotate many", and the README of examples/emergency-rotation: what they show is what comes."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from rotators.cli import main
from rotators.fleet.limits import Limits
from rotators.testing import Endpoint, SecretsManager
from tests.docs.test_docs import BLOCK, ROOT
from tests.fleet.crowd import Crowd

if TYPE_CHECKING:
    from pathlib import Path

SECTION = (ROOT / "docs/operating.md").read_text().partition("## Rotate many\n")[2].partition("\n## ")[0]


@pytest.fixture
def crowd() -> Crowd:
    made = Crowd(SecretsManager())
    made.make("shop/jobs", "orders")
    made.make("shop/app", "orders")
    made.make("shop/mail")
    made.service.client().cancel_rotate_secret(SecretId=made.make("shop/off"))
    made.target.failing = {"shop/mail"}
    return made


def test_the_commands_print_what_stands_there(
    crowd: Crowd, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def quick(**given: Any) -> Limits:
        return Limits(**given | {"timeout": 600.0, "first_look": 0.05, "longest_look": 0.1})

    clock = itertools.count(0.0, 0.5)  # every look at it is half a second later
    monkeypatch.setattr("rotators.cli.rotate.Limits", quick)
    monkeypatch.setattr(
        "rotators.fleet.campaign.time", SimpleNamespace(monotonic=lambda: next(clock), sleep=time.sleep)
    )
    monkeypatch.chdir(tmp_path)
    ((_, block),) = BLOCK.findall(SECTION)
    shown = re.split(r"^\$ rotators (.*)\n", block, flags=re.MULTILINE)[1:]
    assert len(shown) == 4
    with Endpoint(crowd) as url:
        for command, output in zip(shown[::2], shown[1::2], strict=True):
            capsys.readouterr()
            code = main([*shlex.split(command), "--endpoint-url", url, "--region", "eu-central-1"])
            assert capsys.readouterr().out == output
            assert code == (0 if "--plan" in command else 1)
    assert (tmp_path / "leak.jsonl").exists()


def test_every_option_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["rotate", "--help"])
    offered = capsys.readouterr().out
    named = set(re.findall(r"--[a-z-]+(?: \d+)?", SECTION))
    assert len(named) > 8
    for option in named:
        name, _, value = option.partition(" ")
        assert f"{name} " in offered, name
        assert not value or f"(default: {value})" in " ".join(offered.split()), option


def test_the_inputs_of_the_state_machine_are_taken() -> None:
    from tests.examples.test_emergency import TEXT

    readme = (ROOT / "examples/emergency-rotation/README.md").read_text()
    given = [json.loads(code) for language, code in BLOCK.findall(readme) if language == "json"]
    table = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", readme, re.MULTILINE))))
    assert table == set(re.findall(r"states\.input\.(\w+)", TEXT)) - {"arn"}
    assert len(given) == 2
    assert set().union(*given) <= table
