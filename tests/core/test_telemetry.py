"""What is seen of a step from outside: its metrics, and its event where somebody asks for it."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from rotators import RotatorsError
from rotators.testing import rotation_event
from tests.core.test_guards import Stage

if TYPE_CHECKING:
    from rotators.testing import SecretsManager

TOKEN = "leak-c4n4ry-rotation-token-0123456789"


def metrics(printed: str) -> dict[str, tuple[str, float, str]]:
    """Each metric of what was printed: its unit, its value and its step. No other dimension: a metric costs by the name."""
    found = {}
    for line in (json.loads(line) for line in printed.splitlines() if '"_aws"' in line):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        (metric,) = directive["Metrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == ("Rotators", [["step"]])
        found[metric["Name"]] = (metric["Unit"], line[metric["Name"]][0], line["step"])
    return found


@pytest.mark.parametrize("outcome", ["Succeeded", "Refused", "Failed"])
def test_a_step_counts_as_what_became_of_it(
    service: SecretsManager, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    stage = Stage(service)
    if outcome != "Refused":
        service.put_placeholder(stage.arn, stage.token)
    if outcome == "Failed":
        monkeypatch.setattr(type(stage.rotator), "create", lambda *_: int("a stranger's error"))
    try:
        stage.rotator(rotation_event("createSecret", stage.arn, stage.token))
    except RotatorsError:
        assert outcome != "Succeeded"
    found = metrics(capsys.readouterr().out)

    assert found.keys() == {f"RotationStep{outcome}", "RotationStepDuration"}
    assert found[f"RotationStep{outcome}"] == ("Count", 1.0, "createSecret")
    unit, milliseconds, step = found["RotationStepDuration"]
    assert (unit, step) == ("Milliseconds", "createSecret")
    assert milliseconds > 0


@pytest.mark.parametrize("asked", ["true", "1", "false", ""])
def test_the_event_is_written_where_it_is_asked_for_and_never_its_token(
    service: SecretsManager, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", asked)
    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)
    service.account.strict_rotation_token = False
    stage.rotator(rotation_event("createSecret", stage.arn, stage.token, TOKEN) | {"note": TOKEN})
    written: list[Any] = [record.msg for record in caplog.records if isinstance(record.msg, dict)]

    event = {"Step": "createSecret", "SecretId": stage.arn, "ClientRequestToken": stage.token, "RotationToken": "***"}
    assert written == ([event] if asked in {"true", "1"} else [])
    assert TOKEN not in caplog.text
