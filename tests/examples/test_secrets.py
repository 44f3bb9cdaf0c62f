"""examples/secrets: each template is valid, and rotates its secret as it says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from rotators import Secret
from rotators.database_secret import DatabaseSecret
from rotators.passwords import EXCLUDED
from rotators.testing import SecretsManager
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
    "SecretAccount": "210987654321",
}


def given(template: dict[str, Any], **more: str) -> Stack:
    """Work a template out with parameters that their patterns take."""
    for name, parameter in template["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        parameter.setdefault("Default", GIVEN.get(name, ""))
        assert re.match(parameter.get("AllowedPattern", ""), more.get(name, parameter["Default"])), name
    return Stack(template, **more)


@pytest.fixture(params=NAMES)
def template(request: pytest.FixtureRequest, expand: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    return expand(SECRETS / request.param / "template.yaml")


@pytest.fixture
def stack(template: dict[str, Any]) -> Stack:
    return given(template)


def test_every_one_is_in_the_readme() -> None:
    assert sorted(re.findall(r"\]\((.*?)/template\.yaml\)", (SECRETS / "README.md").read_text())) == NAMES
    assert len(NAMES) == 9


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


def test_when_it_is_rotated_is_the_stacks_to_choose(template: dict[str, Any]) -> None:
    stack = given(template)
    if not stack.of_type("AWS::SecretsManager::Secret"):
        return
    chosen = {name: "rate(10 days)" for name in template["Parameters"] if name.endswith("ScheduleExpression")}
    schedules = given(template, Duration="6h", **chosen).of_type("AWS::SecretsManager::RotationSchedule").values()

    rules = [tuple(sorted(schedule["RotationRules"].items())) for schedule in schedules]
    assert set(rules) == {(("Duration", "6h"), ("ScheduleExpression", "rate(10 days)"))}
    for name in chosen:
        pattern = re.compile(template["Parameters"][name]["AllowedPattern"])
        for wrong in ("cron(30 3 1 * ? *)", "cron(* 3 1 * ? *)", "rate(0 days)", "every month"):
            assert not pattern.match(wrong)


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
    (policy,) = given(expand(SECRETS / "locked/template.yaml")).of_type("AWS::SecretsManager::ResourcePolicy").values()
    everybody, application = policy["ResourcePolicy"]["Statement"]

    assert (everybody["Effect"], everybody["Principal"]) == ("Deny", "*")
    writes = {f"secretsmanager:{call}" for call in ("PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage")}
    assert set(everybody["Action"]) == {"secretsmanager:GetSecretValue", *writes}
    assert everybody["Condition"] == {
        "ArnNotEquals": {"aws:PrincipalArn": [GIVEN["RotationRoleARN"], GIVEN["ApplicationRoleARN"]]}
    }
    assert application["Effect"] == "Deny"
    assert set(application["Action"]) == writes


def test_a_resource_policy_is_one_that_the_service_takes(stack: Stack) -> None:
    for policy in stack.of_type("AWS::SecretsManager::ResourcePolicy").values():
        assert policy["BlockPublicPolicy"] is True
        client = SecretsManager().client()
        client.create_secret(Name="shop/app", SecretString="{}")
        written = json.dumps(policy["ResourcePolicy"])
        assert client.validate_resource_policy(SecretId="shop/app", ResourcePolicy=written)["PolicyValidationPassed"]
        for statement in policy["ResourcePolicy"]["Statement"]:
            assert statement.keys() >= {"Sid", "Effect", "Principal", "Action", "Resource"}
        open_to_all = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]})
        assert not client.validate_resource_policy(ResourcePolicy=open_to_all)["PolicyValidationPassed"]


def test_both_accounts_allow_the_same_calls_across_the_border(expand: Callable[[Path], dict[str, Any]]) -> None:
    """Where the accounts differ, the role's policy and the secret's have to allow a call, and the key's as well."""
    theirs = given(expand(SECRETS / "cross-account/template.yaml"))
    ours = given(expand(SECRETS / "cross-account-function/template.yaml"))
    ((_, policy),) = ours.of_type("AWS::IAM::ManagedPolicy").items()
    secret, key = policy["PolicyDocument"]["Statement"]
    (resource_policy,) = theirs.of_type("AWS::SecretsManager::ResourcePolicy").values()
    (allowed,) = resource_policy["ResourcePolicy"]["Statement"]
    (key_policy,) = theirs.of_type("AWS::KMS::Key").values()
    (of_key,) = [
        each for each in key_policy["KeyPolicy"]["Statement"] if each["Sid"] == "TheRotationThroughSecretsManager"
    ]
    arn = "arn:aws:secretsmanager:us-east-1:210987654321:secret:shop/app-??????"

    assert policy["Roles"] == [GIVEN["RotationRoleARN"].split("/")[1]]
    assert allowed["Principal"] == of_key["Principal"] == {"AWS": GIVEN["RotationRoleARN"]}
    assert set(secret["Action"]) == set(allowed["Action"]) == {
        f"secretsmanager:{call}"
        for call in ("DescribeSecret", "GetSecretValue", "ListSecretVersionIds", "PutSecretValue", "UpdateSecretVersionStage")
    }  # fmt: skip
    assert (secret["Effect"], secret["Resource"]) == ("Allow", arn)
    assert secret["Condition"] == {
        "StringEquals": {"secretsmanager:resource/AllowRotationLambdaArn": GIVEN["RotationLambdaARN"]}
    }
    assert key["Action"] == of_key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert key["Resource"] == "arn:aws:kms:us-east-1:210987654321:key/*"
    assert key["Condition"] == of_key["Condition"] | {"StringLike": {"kms:EncryptionContext:SecretARN": arn}}
    (permission,) = ours.of_type("AWS::Lambda::Permission").values()
    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": GIVEN["RotationLambdaARN"],
        "Principal": "secretsmanager.amazonaws.com",
        "SourceAccount": "210987654321",
    }
    ((_, made),) = theirs.of_type("AWS::SecretsManager::Secret").items()
    assert made["Name"] == "shop/app"
    assert made["KmsKeyId"] == {"Fn::GetAtt": ["Key", "Arn"]}


def test_a_replica_follows_and_is_not_rotated(expand: Callable[[Path], dict[str, Any]]) -> None:
    stack = given(expand(SECRETS / "replicated/template.yaml"))
    ((name, secret),) = stack.of_type("AWS::SecretsManager::Secret").items()

    assert secret["ReplicaRegions"] == [{"Region": "eu-west-1"}]
    (schedule,) = stack.of_type("AWS::SecretsManager::RotationSchedule").values()
    assert schedule["SecretId"] == {"Ref": name}
