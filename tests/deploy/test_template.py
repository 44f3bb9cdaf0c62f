"""template.yaml: what is made, who may call it, and what it may do."""

from __future__ import annotations

import importlib
import json
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from rotators.passwords import PasswordPolicy
from tests.deploy.cloudformation import Stack
from tests.deploy.sam import ROOT, TEMPLATE, environment

if TYPE_CHECKING:
    from pathlib import Path


FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:rotators-postgres"
SECRETS = "arn:aws:secretsmanager:us-east-1:123456789012:secret:*"
MASTER = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admin-AbCdEf"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
OURS = {"StringEquals": {"secretsmanager:resource/AllowRotationLambdaArn": FUNCTION}}


def grants(stack: Stack) -> set[tuple[str, str, str]]:
    """Each action allowed, on what, and on which condition."""
    found = set()
    for statement in stack.statements():
        assert statement["Effect"] == "Allow"
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            found.add((action, statement["Resource"], json.dumps(statement.get("Condition"))))
    return found


def rotation_grants() -> set[tuple[str, str, str]]:
    calls = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage", "ListSecretVersionIds")
    return {(f"secretsmanager:{call}", SECRETS, json.dumps(OURS)) for call in calls} | {
        ("secretsmanager:GetRandomPassword", "*", "null")
    }


def test_sam_finds_nothing_to_complain_of(sam: Path) -> None:
    told = subprocess.run(
        [sam, "validate", "--lint", "-t", TEMPLATE],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
    )

    assert told.returncode == 0, told.stdout + told.stderr


def test_every_parameter_has_a_default_and_says_what_it_is_for(expanded: dict[str, Any]) -> None:
    for name, parameter in expanded["Parameters"].items():
        assert "Default" in parameter, name
        assert parameter["Description"].endswith("."), name


def test_only_secrets_manager_of_this_account_may_call(stack: Stack) -> None:
    (permission,) = stack.of_type("AWS::Lambda::Permission").values()

    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "PostgresRotation"},
        "Principal": "secretsmanager.amazonaws.com",
        "SourceAccount": "123456789012",
    }


def test_the_role_may_do_what_a_rotation_needs_and_no_more(stack: Stack) -> None:
    assert grants(stack) == rotation_grants()


def test_the_admins_secret_and_the_key_are_allowed_by_name_when_they_are_given(expanded: dict[str, Any]) -> None:
    given = Stack(expanded, MasterSecretArn=MASTER, KmsKeyArn=KEY)
    through = json.dumps({"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}})

    assert grants(given) - rotation_grants() == {
        ("secretsmanager:GetSecretValue", MASTER, "null"),
        ("kms:Decrypt", KEY, through),
        ("kms:GenerateDataKey", KEY, through),
    }


def test_the_managed_policies_are_the_two_that_sam_adds(stack: Stack) -> None:
    """To write its log, and to be put into a VPC: SAM adds the second for any VpcConfig, even one that is off."""
    (role,) = stack.of_type("AWS::IAM::Role").values()

    names = {arn.rpartition("/")[2] for arn in role["ManagedPolicyArns"]}
    assert names == {"AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole"}


def test_it_is_in_a_vpc_only_when_subnets_are_given(expanded: dict[str, Any], stack: Stack) -> None:
    inside = Stack(expanded, VpcSubnetIds="subnet-1,subnet-2", VpcSecurityGroupIds="sg-1")

    assert "VpcConfig" not in stack.of_type("AWS::Lambda::Function")["PostgresRotation"]
    assert inside.of_type("AWS::Lambda::Function")["PostgresRotation"]["VpcConfig"] == {
        "SubnetIds": ["subnet-1", "subnet-2"],
        "SecurityGroupIds": ["sg-1"],
    }


def test_the_outputs_are_the_functions_and_the_roles_arn(stack: Stack) -> None:
    assert {name: output["Value"] for name, output in stack.outputs.items()} == {
        "RotationLambdaARN": {"Fn::GetAtt": ["PostgresRotation", "Arn"]},
        "RotationRoleARN": {"Fn::GetAtt": ["PostgresRotationRole", "Arn"]},
    }
    assert all(output["Description"] for output in stack.outputs.values())


def test_every_variable_we_read_can_be_overridden_locally(stack: Stack) -> None:
    """`sam local invoke --env-vars` leaves out silently what the template does not name."""
    variables = stack.of_type("AWS::Lambda::Function")["PostgresRotation"]["Environment"]["Variables"]

    assert set(variables) >= {
        "SECRETS_MANAGER_ENDPOINT",
        "EXCLUDE_CHARACTERS",
        "PASSWORD_LENGTH",
        "EXCLUDE_NUMBERS",
        "EXCLUDE_PUNCTUATION",
        "EXCLUDE_UPPERCASE",
        "EXCLUDE_LOWERCASE",
        "REQUIRE_EACH_INCLUDED_TYPE",
        "ROTATORS_CA_BUNDLE",
        "ROTATORS_STRATEGY",
        "POWERTOOLS_SERVICE_NAME",
        "POWERTOOLS_METRICS_NAMESPACE",
    }
    assert variables["POWERTOOLS_LOGGER_LOG_EVENT"] == "false"
    assert PasswordPolicy.read(variables) == PasswordPolicy.read({})


def test_the_parameters_reach_the_function(expanded: dict[str, Any]) -> None:
    given = Stack(expanded, ExcludeCharacters="", PasswordLength="40", SecretsManagerEndpoint="https://vpce")
    variables = given.of_type("AWS::Lambda::Function")["PostgresRotation"]["Environment"]["Variables"]

    assert variables["SECRETS_MANAGER_ENDPOINT"] == "https://vpce"
    assert PasswordPolicy.read(variables).exclude_characters == ""
    assert PasswordPolicy.read(variables).length == 40


def test_each_function_has_a_handler_and_a_way_to_be_built(expanded: dict[str, Any], stack: Stack) -> None:
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        module, _, attribute = function["Handler"].rpartition(".")
        assert callable(getattr(importlib.import_module(module), attribute))
        assert expanded["Resources"][name]["Metadata"]["BuildMethod"] == "makefile"
        assert f"\nbuild-{name}:" in (ROOT / "Makefile").read_text()
        assert function["LoggingConfig"] == {"LogFormat": "JSON"}


@pytest.mark.parametrize("platform", ["x86_64-manylinux2014"])
def test_make_builds_for_the_templates_own_runtime(stack: Stack, platform: str) -> None:
    function = stack.of_type("AWS::Lambda::Function")["PostgresRotation"]
    clean = {name: value for name, value in environment().items() if name not in {"PYV", "PLAT", "MAKEFLAGS"}}
    told = subprocess.run(
        ["make", "--silent", "--eval", "_told: ; @echo python$(PYV) $(PLAT)", "_told"],
        check=True, capture_output=True, text=True, cwd=ROOT, env=clean,
    )  # fmt: skip

    assert told.stdout.split() == [function["Runtime"], platform]
    assert function["Architectures"] == ["x86_64"]
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    assert f"Programming Language :: Python :: {function['Runtime'].removeprefix('python')}" in supported


@pytest.mark.parametrize("step", ["createSecret", "setSecret", "testSecret", "finishSecret"])
def test_the_sample_events_are_what_the_service_sends(step: str) -> None:
    event = json.loads((ROOT / f"events/{step}.json").read_text())

    assert event["Step"] == step
    assert list(event) == ["Step", "SecretId", "ClientRequestToken"]
    assert 32 <= len(event["ClientRequestToken"]) <= 64
    assert event["SecretId"].startswith("arn:aws:secretsmanager:")


def test_sam_is_told_to_build_in_place() -> None:
    """Otherwise it copies all of the directory, environments included, before it calls make."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())

    assert config["default"]["build"]["parameters"]["build_in_source"] is True
    assert config["default"]["build"]["parameters"]["cached"] is False
