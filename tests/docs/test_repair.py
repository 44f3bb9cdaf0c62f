"""docs/repair.md: its commands run, its picture of the output is what comes out, its table is what the scenarios are."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

from rotators import telemetry
from rotators.cli import main
from rotators.testing import Endpoint
from tests.deploy.sam import ROOT
from tests.diagnosis.states import SCENARIOS, begun

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.world import World

TEXT = (ROOT / "docs/repair.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if re.match(r"\| `s\d\d-", line)
]


def block(kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def test_its_commands_mend_a_half_done_rotation(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app: Any = begun(world(), "createSecret", "setSecret")
    account = app.service.account
    account.find(app.arn).name = "shop/app"
    account._arns["shop/app"] = app.arn
    handler = app.handler

    def silent(event: Any, context: Any) -> None:
        with telemetry.noting():
            handler(event, context)

    app.handler = silent
    commands = re.findall(r"^\$ (rotators .*)$", block("console"), re.MULTILINE)
    assert len(commands) == 3
    capsys.readouterr()
    with Endpoint(app.service) as url:
        monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", url)
        codes, outs = [], []
        for command in commands:
            codes.append(main(shlex.split(command)[1:]))
            outs.append(capsys.readouterr().out)
    assert codes == [1, 1, 0]
    told = [line.split("  ")[0] for line in outs[0].splitlines()]
    shown = [line.split("  ")[0] for line in block("text").splitlines()]
    assert shown == [name for name in told if name != "note"]
    for name in ("why", "logins"):
        (line,) = re.findall(rf"^{name} .*$", block("text"), re.MULTILINE)
        assert line in outs[0]
    assert app.opens()


def test_the_commands_of_the_guide_are_these() -> None:
    guide = (ROOT / "docs/operating.md").read_text()
    named = re.findall(r"^\$ (rotators (?:diagnose|repair) .*)$", guide, re.MULTILINE)
    assert [line.replace(" ID", " shop/app") for line in named] == re.findall(
        r"^\$ (.*)$", block("console"), re.MULTILINE
    )


def test_its_table_is_what_is_tested() -> None:
    rows = {row[0].strip("`"): row for row in ROWS}
    assert set(rows) == {scenario.id for scenario in SCENARIOS} | {"s07-five-at-once"}
    assert len(rows) == len(ROWS)
    for scenario in SCENARIOS:
        _, text, state, does = rows[scenario.id]
        assert text
        assert state == scenario.state
        if scenario.does:
            assert does == ", ".join(scenario.does)
        else:
            operation = re.findall(r"`(.*)`", does)
            assert does.startswith("nothing")
            assert operation == re.findall(r"aws secretsmanager ([\w-]+)", scenario.command or "")


def test_every_scenario_with_something_to_say_is_there() -> None:
    numbers = {int(row[0][2:4]) for row in ROWS}
    assert numbers >= {2, 3, 5, 6, 7, 8, 9, 10, 11, 13, 17, 20, 21, 22, 27, 28, 29, 31, 35, 36, 37, 38}


def test_every_act_is_explained() -> None:
    acts = {act for scenario in SCENARIOS for act in scenario.does}
    explained = set(re.findall(r"^\| ([a-z ]+) \| [A-Zna]", TEXT, re.MULTILINE))
    assert acts <= explained
    assert json.dumps(sorted(acts)) == json.dumps(["drop", "finish", "move", "put back", "rotate"])
