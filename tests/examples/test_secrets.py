"""examples/secrets: each template is valid, and rotates its secret as it says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from rotators import Secret
from rotators.database_secret import DatabaseSecret
from rotators.passwords import EXCLUDED
from tests.deploy.cloudformation import Stack
from tests.deploy.sam import ROOT, complaints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRETS = ROOT / "examples/secrets"
NAMES = sorted(path.parent.name for path in SECRETS.glob("*/template.yaml"))
GIVEN = {
    "RotationLambdaARN": "arn:aws:lambda:us-east-1:123456789012:function:rotators-database",
    "RotationRoleARN": "arn:aws:iam::123456789012:role/rotation",
    "ApplicationRoleARN": "arn:aws:iam::123456789012:role/app",
    "Host": "db.example.com",
}


@pytest.fixture(params=NAMES)
def stack(request: pytest.FixtureRequest, expand: Callable[[Path], dict[str, Any]]) -> Stack:
    template = expand(SECRETS / request.param / "template.yaml")
    for name, parameter in template["Parameters"].items():
        assert parameter["Description"], name
        parameter.setdefault("Default", GIVEN.get(name, ""))
        assert re.match(parameter.get("AllowedPattern", ""), parameter["Default"])
    return Stack(template)


def test_every_one_is_in_the_readme() -> None:
    assert sorted(re.findall(r"\]\((.*?)/template\.yaml\)", (SECRETS / "README.md").read_text())) == NAMES
    assert len(NAMES) == 8


def test_sam_finds_nothing_to_complain_of(sam: Path, tmp_path: Path) -> None:
    """In any of them; and it looks, as it finds what is wrong in another, which stands in their midst."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((SECRETS / NAMES[0] / "template.yaml").read_text().replace("Type: AWS::", "Type: AWS::No", 1))
    found = complaints(
        sam, SECRETS / NAMES[0] / "template.yaml", wrong, *(SECRETS / name / "template.yaml" for name in NAMES[1:])
    )

    assert "E3006" in found.pop(str(wrong))
    assert found == {}


def test_it_is_rotated_in_a_window_and_not_at_a_deployment(stack: Stack) -> None:
    secrets = stack.of_type("AWS::SecretsManager::Secret")
    schedules = stack.of_type("AWS::SecretsManager::RotationSchedule").values()

    assert {schedule["SecretId"]["Ref"] for schedule in schedules} == secrets.keys()
    for schedule in schedules:
        assert schedule["RotationLambdaARN"] == GIVEN["RotationLambdaARN"]
        assert schedule["RotateImmediatelyOnUpdate"] is False
        assert re.fullmatch(r"cron\(0 \d+ \d+ \* \? \*\)", schedule["RotationRules"]["ScheduleExpression"])
        assert schedule["RotationRules"]["Duration"] == "3h"
    for name in secrets:
        assert stack.resources[name]["DeletionPolicy"] == "Retain"


def test_its_value_is_one_that_the_function_takes(stack: Stack) -> None:
    for properties in stack.of_type("AWS::SecretsManager::Secret").values():
        if "GenerateSecretString" not in properties:
            assert set(json.loads(properties["SecretString"])) == {"username", "access_key_id", "secret_access_key"}
            continue
        made = properties["GenerateSecretString"]
        value = json.loads(made["SecretStringTemplate"])
        view = DatabaseSecret.of(
            Secret(value | {made["GenerateStringKey"]: "drawn"}),
            engines=frozenset({value["engine"]}),
            port=0,
            dbname="",
        )
        assert (view.host, view.password) == ("db.example.com", "drawn")
        assert made["ExcludeCharacters"] == (EXCLUDED if value["engine"] == "postgres" else EXCLUDED.replace(":", ""))


def test_nobody_but_the_application_and_the_rotation_gets_at_a_locked_value(
    expand: Callable[[Path], dict[str, Any]],
) -> None:
    template = expand(SECRETS / "locked/template.yaml")
    for name, parameter in template["Parameters"].items():
        parameter.setdefault("Default", GIVEN[name])
    (policy,) = Stack(template).of_type("AWS::SecretsManager::ResourcePolicy").values()
    everybody, application = policy["ResourcePolicy"]["Statement"]

    assert policy["BlockPublicPolicy"] is True
    assert (everybody["Effect"], everybody["Principal"]) == ("Deny", "*")
    assert "secretsmanager:GetSecretValue" in everybody["Action"]
    assert everybody["Condition"] == {
        "ArnNotEquals": {"aws:PrincipalArn": [GIVEN["RotationRoleARN"], GIVEN["ApplicationRoleARN"]]}
    }
    assert application["Effect"] == "Deny"
    assert "secretsmanager:GetSecretValue" not in application["Action"]
