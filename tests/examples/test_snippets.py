"""The snippets of examples/secrets/README.md: the CDK's is run, Terraform's is read; both say what the templates say.

Terraform itself, and its provider for AWS, come from no package registry: whether the provider takes it is not checked here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.sam import ROOT, environment
from tests.examples.test_secrets import SECRETS, given

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

README = (SECRETS / "README.md").read_text()
_SYNTHESISE = """
import json, sys
from aws_cdk import App, Stack, assertions, aws_secretsmanager
stack = Stack(App(), "Stack")
secret = aws_secretsmanager.Secret(stack, "Secret")
exec(sys.stdin.read(), {"self": stack, "secret": secret})
json.dump(assertions.Template.from_stack(stack).to_json(), sys.stdout)
"""
_PARSE = "import hcl2, json, sys; json.dump(hcl2.load(sys.stdin), sys.stdout)"


def run(code: str, language: str) -> dict[str, Any]:
    """Give the one snippet in a language to `code`, which has the packages of requirements/snippets.txt."""
    python = ROOT / ".tools/snippets/bin/python"
    if not python.exists():
        reason = "no .tools/snippets: `make test` installs it, and so does `.ci/setup snippets`"
        if os.environ.get("ROTATORS_REQUIRE_SERVERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    (snippet,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    told = subprocess.run(
        [python, "-c", code], input=snippet, check=False, capture_output=True, text=True, env=environment()
    )
    assert told.returncode == 0, told.stderr
    made: dict[str, Any] = json.loads(told.stdout)
    return made


@pytest.fixture
def schedule(expand: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """The one of the template postgres, but for what it is of."""
    (found,) = (
        given(expand(SECRETS / "postgres/template.yaml")).of_type("AWS::SecretsManager::RotationSchedule").values()
    )
    return {name: value for name, value in found.items() if name not in {"SecretId", "RotationLambdaARN"}}


@pytest.mark.skipif(shutil.which("node") is None, reason="the CDK runs on node, which this machine does not have")
def test_the_cdks_makes_what_the_template_does(schedule: dict[str, Any]) -> None:
    resources = run(_SYNTHESISE, "python")["Resources"].items()
    (made,) = [each["Properties"] for _, each in resources if each["Type"] == "AWS::SecretsManager::RotationSchedule"]
    ((secret, _),) = [(name, each) for name, each in resources if each["Type"] == "AWS::SecretsManager::Secret"]

    assert made.pop("SecretId") == {"Ref": secret}
    assert re.fullmatch(r"arn:aws:lambda:[\w-]+:\d{12}:function:rotators-database", made.pop("RotationLambdaARN"))
    assert made == schedule


def test_terraforms_can_be_read_and_says_what_the_template_does(schedule: dict[str, Any]) -> None:
    read = run(_PARSE, "hcl")
    ((kind, named),) = read["resource"][0].items()
    ((_, made),) = [(name, body) for name, body in named.items() if not name.startswith("__")]
    (rules,) = made["rotation_rules"]
    said = {name: value.strip('"') for name, value in rules.items() if not name.startswith("__")}

    assert kind.strip('"') == "aws_secretsmanager_secret_rotation"
    assert [name.strip('"') for name in read["variable"][0]] == ["rotation_lambda_arn"]
    assert made["rotation_lambda_arn"] == "${var.rotation_lambda_arn}"
    assert made["rotate_immediately"] is schedule["RotateImmediatelyOnUpdate"] is False
    assert said == {
        "schedule_expression": schedule["RotationRules"]["ScheduleExpression"],
        "duration": schedule["RotationRules"]["Duration"],
    }
