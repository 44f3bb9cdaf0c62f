"""`rotators event`: what it prints is what the sample events are."""

from __future__ import annotations

import json

import pytest

from rotators.cli import main
from rotators.machine import Step
from tests.deploy.sam import ROOT


@pytest.mark.parametrize("step", [step.value for step in Step])
def test_by_default_it_is_the_sample(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["event", step]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((ROOT / f"events/{step}.json").read_text())


def test_another_secret_version_and_a_rotation_token(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["event", "setSecret", "--secret-id", "arn:x", "--token", "t" * 32, "--rotation-token"]) == 0
    event = json.loads(capsys.readouterr().out)
    assert list(event) == ["Step", "SecretId", "ClientRequestToken", "RotationToken"]
    assert (event["SecretId"], event["ClientRequestToken"]) == ("arn:x", "t" * 32)
    assert len(event["RotationToken"]) == 36


def test_a_new_token_is_another_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        main(["event", "createSecret", "--token", "new"])
    first, second = (json.loads(text + "}") for text in capsys.readouterr().out.split("}")[:2])
    assert first["ClientRequestToken"] != second["ClientRequestToken"]


@pytest.mark.parametrize("token", ["short", "x" * 65])
def test_a_token_that_the_service_would_not_take(token: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["event", "createSecret", "--token", token]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert f"32 to 64 characters, and this one {len(token)}" in told.err


@pytest.mark.parametrize("secret_id", ["", " ", "shop/app", "arn:", "arn:aws:x y"])
def test_a_secret_that_the_service_would_not_name_so(secret_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["event", "createSecret", "--secret-id", secret_id]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert told.err.startswith(
        f"rotators event: Secrets Manager names a secret by its ARN, and {secret_id!r} is none: "
    )
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["rotateSecret"], ["createsecret"]])
def test_a_step_that_there_is_not(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["event", *arguments])
    assert ended.value.code == 2
    assert "STEP" in capsys.readouterr().err
