"""examples/consumers: what is deployed. Valid by the tools that would deploy it, and with no more rights than it takes."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import yaml
from moto import mock_aws

from tests.deploy.cloudformation import Stack
from tests.deploy.sam import ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.node import Node

CONSUMERS = ROOT / "examples/consumers"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/app-AbCdEf"
GIVEN = {
    "SecretArn": SECRET,
    "RotationLambdaARN": "arn:aws:lambda:us-east-1:123456789012:function:rotators",
    "Cluster": "shop",
}
KEYS = {"engine", "host", "port", "username", "password", "dbname"}


@pytest.fixture
def stack(expand: Callable[[Path], dict[str, Any]]) -> Callable[[str], Stack]:
    def made(name: str) -> Stack:
        template = expand(CONSUMERS / name / "template.yaml")
        for parameter, description in template["Parameters"].items():
            assert description["Description"], parameter
            description.setdefault("Default", GIVEN.get(parameter, ""))
            assert re.match(description.get("AllowedPattern", ""), description["Default"])
        return Stack(template)

    return made


@pytest.mark.parametrize("name", sorted(path.parent.name for path in CONSUMERS.glob("*/template.yaml")))
def test_sam_finds_nothing_to_complain_of(sam: Path, name: str) -> None:
    command: list[str | Path] = [sam, "validate", "--lint", "-t", CONSUMERS / name / "template.yaml"]
    told = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment())
    assert told.returncode == 0, told.stdout + told.stderr


def rights(stack: Stack, role: str) -> list[tuple[str, Any]]:
    policies = stack.of_type("AWS::IAM::Role")[role]["Policies"]
    statements = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
    assert all(one["Effect"] == "Allow" for one in statements)
    return [(one["Action"], one["Resource"]) for one in statements]


def test_ecs_reads_the_secret_by_the_agents_role_and_its_keys(stack: Callable[[str], Stack]) -> None:
    ecs = stack("ecs")
    (task,) = ecs.of_type("AWS::ECS::TaskDefinition").values()
    (container,) = task["ContainerDefinitions"]
    for secret in container["Secrets"]:
        arn, key = re.fullmatch(r"(arn:(?:[^:]+:){5}[^:]+):(\w+)::", secret["ValueFrom"]).groups()  # type: ignore[union-attr]
        assert arn == SECRET
        assert key in KEYS
    assert {secret["Name"] for secret in container["Secrets"]} == {"PGUSER", "PGPASSWORD", "PGHOST"}
    assert "Environment" not in container
    assert "TaskRoleArn" not in task
    assert task["ExecutionRoleArn"] == {"Fn::GetAtt": ["ExecutionRole", "Arn"]}
    assert rights(ecs, "ExecutionRole") == [("secretsmanager:GetSecretValue", SECRET)]


def matches(pattern: Any, event: Any) -> bool:
    """EventBridge's rule for patterns of plain values: each key is there, and one of its values is the listed ones."""
    if isinstance(pattern, dict):
        return isinstance(event, dict) and all(
            key in event and matches(inner, event[key]) for key, inner in pattern.items()
        )
    return any(value in pattern for value in (event if isinstance(event, list) else [event]))


def event(label: str = "AWSCURRENT", arn: str = SECRET) -> dict[str, Any]:
    """Source: Secrets Manager user guide, "Secret Label Updated event"."""
    return {
        "version": "0",
        "detail-type": "Secret Label Updated",
        "source": "aws.secretsmanager",
        "account": "123456789012",
        "region": "us-east-1",
        "resources": [arn],
        "detail": {"name": "shop/app", "labelUpdated": label, "versionId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111"},
    }


def test_ecs_is_deployed_when_current_of_this_secret_moves_and_by_nothing_else(stack: Callable[[str], Stack]) -> None:
    ecs = stack("ecs")
    (rule,) = ecs.of_type("AWS::Events::Rule").values()
    assert matches(rule["EventPattern"], event())
    assert not matches(rule["EventPattern"], event(label="blue"))
    assert not matches(rule["EventPattern"], event(arn=SECRET + "x"))
    assert not matches(rule["EventPattern"], event() | {"detail-type": "AWS API Call via CloudTrail"})
    (target,) = rule["Targets"]
    assert (target["Arn"], target["RoleArn"]) == ({"Ref": "Deploy"}, {"Fn::GetAtt": ["RuleRole", "Arn"]})
    assert rights(ecs, "RuleRole") == [("states:StartExecution", {"Ref": "Deploy"})]


def test_its_one_step_is_a_call_that_ecs_knows(stack: Callable[[str], Stack]) -> None:
    ecs = stack("ecs")
    (machine,) = ecs.of_type("AWS::StepFunctions::StateMachine").values()
    ((name, state),) = machine["Definition"]["States"].items()
    assert (machine["Definition"]["StartAt"], state["Type"], state["End"]) == (name, "Task", True)
    assert state["Resource"] == "arn:aws:states:::aws-sdk:ecs:updateService"

    shape = boto3.client("ecs", region_name="us-east-1").meta.service_model.operation_model("UpdateService").input_shape
    given = {
        key[0].lower() + key[1:]: value for key, value in state["Parameters"].items()
    }  # as Step Functions spells them
    assert given.keys() <= shape.members.keys()
    assert set(shape.required_members) <= given.keys()
    assert given == {"cluster": "shop", "service": {"Fn::GetAtt": ["Service", "Name"]}, "forceNewDeployment": True}
    assert rights(ecs, "DeployRole") == [("ecs:UpdateService", {"Ref": "Service"})]


def test_lambda_may_read_this_secret_and_is_told_which(stack: Callable[[str], Stack]) -> None:
    app = stack("lambda")
    (function,) = app.of_type("AWS::Lambda::Function").values()
    assert function["Environment"]["Variables"] == {"SECRET_ID": SECRET}
    (role,) = app.of_type("AWS::IAM::Role")
    assert rights(app, role) == [("secretsmanager:GetSecretValue", SECRET)]


def test_a_database_is_made_with_what_its_secret_holds(stack: Callable[[str], Stack]) -> None:
    stack_ = stack("cloudformation")
    (secret,) = stack_.of_type("AWS::SecretsManager::Secret").values()
    made = secret["GenerateSecretString"]
    holds = {*json.loads(made["SecretStringTemplate"]), made["GenerateStringKey"]}
    text = (CONSUMERS / "cloudformation/template.yaml").read_text()
    keys = re.findall(r"\{\{resolve:secretsmanager:\$\{Secret\}:SecretString:(\w+)\}\}", text)
    assert text.count("resolve:") == len(keys) == 2  # in properties of the database, with no version
    assert set(keys) == holds == {"username", "password"}


def test_kubernetes_manifests_by_the_operators_own_schemas(node: Node, tmp_path: Path) -> None:
    manifests = list(yaml.safe_load_all((CONSUMERS / "eks/manifests.yaml").read_text()))
    (tmp_path / "manifests.json").write_text(json.dumps(manifests))
    wrong = json.loads(json.dumps(manifests))
    wrong[0]["spec"]["provider"]["aws"]["service"] = "ParameterStores"
    del wrong[1]["spec"]["data"][0]["remoteRef"]["key"]
    (tmp_path / "wrong.json").write_text(json.dumps(wrong))
    script = CONSUMERS.parents[1] / "tests/examples/manifests.mjs"
    for file, complaints in (("manifests.json", []), ("wrong.json", ["aws/service", "remoteRef"])):
        said = json.loads(node.run(script, str(tmp_path / file), environment={}))
        assert len(said) == len(complaints)
        assert all(complaint in text for complaint, text in zip(complaints, said, strict=True))


def test_kubernetes_manifests_name_each_other() -> None:
    store, external, deployment = yaml.safe_load_all((CONSUMERS / "eks/manifests.yaml").read_text())
    spec, pod = external["spec"], deployment["spec"]["template"]
    assert spec.keys() == {
        "refreshPolicy",
        "refreshInterval",
        "secretStoreRef",
        "target",
        "data",
    }  # a server prunes others
    assert spec["secretStoreRef"] == {"kind": store["kind"], "name": store["metadata"]["name"]}
    assert len({each["metadata"]["namespace"] for each in (store, external, deployment)}) == 1
    assert {entry["remoteRef"]["property"] for entry in spec["data"]} <= KEYS
    (container,) = pod["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": spec["target"]["name"]}}]
    assert deployment["metadata"]["annotations"] == {"secret.reloader.stakater.com/reload": spec["target"]["name"]}
    assert deployment["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()


def test_the_parameter_that_refers_to_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """By moto, as the lab has no Systems Manager."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")  # moto knows the real one alone
    with mock_aws():
        _read_through_the_parameter()


def _read_through_the_parameter() -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="shop/app", SecretString=json.dumps({"password": "Canary-5"}))
    (code,) = re.findall(r"^```python\n(.*?)^```", (CONSUMERS / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    for password in ("Canary-5", "Canary-6"):  # and the new one at once
        secrets.put_secret_value(SecretId="shop/app", SecretString=json.dumps({"password": password}))
        found: dict[str, Any] = {}
        exec(compile(code, "README.md", "exec"), found)
        assert found["value"] == {"password": password}
