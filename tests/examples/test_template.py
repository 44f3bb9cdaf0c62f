"""The templates of examples/custom and of what `rotators new` writes: valid, and least privilege."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.project import KINDS, Project
from tests.deploy.cloudformation import Stack
from tests.deploy.sam import ROOT, complaints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Expand = Callable[[Path], dict[str, Any]]

CUSTOM = ROOT / "examples" / "custom"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:rotators-rotation"
SECRETS = "arn:aws:secretsmanager:us-east-1:123456789012:secret:*"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture(params=["examples/custom", *KINDS])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "examples/custom":
        return CUSTOM
    return Project.written(tmp_path / "p", "billing-api", request.param).directory


def grants(stack: Stack) -> set[tuple[str, str, str]]:
    """Each action allowed to the function, on what, and on which condition."""
    (role,) = stack.of_type("AWS::IAM::Role")
    found = set()
    for statement in stack.statements(role):
        assert statement["Effect"] == "Allow"
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            assert isinstance(statement["Resource"], str)
            found.add((action, statement["Resource"], json.dumps(statement.get("Condition"))))
    return found


def test_sam_finds_nothing_to_complain_of(sam: Path, tmp_path: Path) -> None:
    written = [Project.written(tmp_path / kind, "billing-api", kind).directory for kind in KINDS]

    assert complaints(sam, *(project / "template.yaml" for project in (CUSTOM, *written))) == {}


def test_the_role_may_do_what_a_rotation_needs_and_no_more(expand: Expand, project: Path) -> None:
    template = expand(project / "template.yaml")
    ours = json.dumps({"StringEquals": {"secretsmanager:resource/AllowRotationLambdaArn": FUNCTION}})
    calls = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage", "ListSecretVersionIds")
    needed = {(f"secretsmanager:{call}", SECRETS, ours) for call in calls}
    needed.add(("secretsmanager:GetRandomPassword", "*", "null"))
    through = json.dumps({"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}})

    assert grants(Stack(template)) == needed
    assert grants(Stack(template, KmsKeyArn=KEY)) - needed == {
        (f"kms:{call}", KEY, through) for call in ("Decrypt", "GenerateDataKey")
    }


def test_only_secrets_manager_of_this_account_may_call(expand: Expand, project: Path) -> None:
    stack = Stack(expand(project / "template.yaml"))
    ((name, function),) = stack.of_type("AWS::Lambda::Function").items()
    assert stack.of_type("AWS::Lambda::Permission") == {
        f"{name}Permission": {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": name},
            "Principal": "secretsmanager.amazonaws.com",
            "SourceAccount": "123456789012",
        }
    }
    assert function["LoggingConfig"] == {"LogFormat": "JSON"}
    assert stack.outputs["RotationLambdaARN"]["Value"] == {"Fn::GetAtt": [name, "Arn"]}


def test_every_variable_that_the_rotator_reads_can_be_overridden_locally(expand: Expand, project: Path) -> None:
    """`sam local invoke --env-vars` leaves out silently what the template does not name."""
    ((_, function),) = Stack(expand(project / "template.yaml")).of_type("AWS::Lambda::Function").items()
    variables = function["Environment"]["Variables"]
    read = {
        name for path in project.glob("function/*.py") for name in re.findall(r'environ\["(\w+)"', path.read_text())
    }
    rotator = (project / "function" / f"{function['Handler'].removesuffix('.handler')}.py").read_text()
    drawn = set() if "KeyRotator" in rotator else {"PASSWORD_LENGTH", "EXCLUDE_CHARACTERS"}
    assert variables.keys() >= read | drawn | {"SECRETS_MANAGER_ENDPOINT"}
    assert variables["POWERTOOLS_LOGGER_LOG_EVENT"] == "false"
