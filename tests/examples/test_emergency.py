"""examples/emergency-rotation: the template, the definition, and three hundred secrets rotated by it."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from jsonata import Jsonata

from rotators.testing import Endpoint, SecretsManager
from tests.deploy.cloudformation import Stack
from tests.deploy.sam import ROOT, environment
from tests.examples.states import Cloud, Execution, StatesError
from tests.fleet.crowd import CANARY, Crowd, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EXAMPLE = ROOT / "examples/emergency-rotation"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:rotators-database"
TEXT = (EXAMPLE / "rotation.asl.json").read_text()
#: A minute of the machine's is a second here.
SPEED = 60


def definition(**more: str) -> dict[str, Any]:
    """The definition as CloudFormation hands it over."""
    text = TEXT
    for name, value in ({"Bucket": "kept", "Partition": "aws", "Prefix": ""} | more).items():
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    made: dict[str, Any] = json.loads(text)
    return made


class Emergency(Crowd):
    """Secrets, and the machine that rotates them."""

    def __init__(self, url: Callable[[Crowd], str]) -> None:
        super().__init__(SecretsManager())
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=60)
        client = boto3.client("secretsmanager", endpoint_url=url(self), config=config)
        self.cloud = Cloud({"secretsmanager": client}, lambda seconds: time.sleep(seconds / SPEED))

    def run(self, **given: Any) -> Any:
        return Execution(definition(), self.cloud, name="leak-1").run(given)

    def kept(self, part: str) -> list[Any]:
        return [entry for key, content in sorted(self.cloud.objects.items()) if part in key for entry in content]


@pytest.fixture
def emergency() -> Iterator[Emergency]:
    endpoints: list[Endpoint] = []

    def serve(crowd: Crowd) -> str:
        endpoints.append(Endpoint(crowd))
        return endpoints[0].__enter__()

    made = Emergency(serve)
    yield made
    endpoints[0].stop()
    assert made.service.close()


def test_three_hundred_secrets_some_ill_and_all_throttled(emergency: Emergency) -> None:
    names = emergency.many(300)
    ill = {names[7], names[130], names[222]}
    emergency.target.failing, emergency.target.takes = ill, 0.4
    for number in range(30):
        emergency.make(f"plain/{number}", rotated=False)
    emergency.make("stuck")
    emergency.service.put_placeholder("stuck", "1" * 32)
    calls, lock = Counter[str](), threading.Lock()

    def throttle(operation: str, _: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        with lock:
            calls[operation] += 1
            if calls[operation] % 7 == 3:
                return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
        return None

    emergency.refuse = throttle
    with pytest.raises(StatesError, match=r"SomeWereNot: 297 rotated, 4 not; .*s3://kept/leak-1/results/"):
        emergency.run(atOnce=25, tolerated=5)

    # Each once, however often its call was made; the stuck one by the attempt that RotateSecret's refusal starts.
    assert emergency.rotations() == Counter((set(names) - ill) | {"stuck"})
    assert 10 <= emergency.target.most <= 25
    assert emergency.cloud.retried["SecretsManager.SecretsManagerException"] > 50
    failed = {name_of(entry["Input"]["arn"]): entry["Error"] for entry in emergency.kept("/FAILED")}
    assert failed == dict.fromkeys(ill, "Unfinished") | {"stuck": "SecretsManager.InvalidRequestException"}
    assert {name_of(entry["Output"]["arn"]) for entry in emergency.kept("/SUCCEEDED")} == set(names) - ill
    assert CANARY not in json.dumps(emergency.cloud.objects)


def test_it_stops_when_too_many_fail(emergency: Emergency) -> None:
    names = emergency.many(100)
    emergency.target.failing = set(names[:10])
    emergency.target.takes = 0.5
    with pytest.raises(StatesError, match="ExceedToleratedFailureThreshold"):
        emergency.run(atOnce=10, tolerated=2)
    assert emergency.service.count("RotateSecret") < 100
    assert len(emergency.kept("/FAILED")) >= 3


def test_run_again_it_leaves_out_what_was_rotated_since(emergency: Emergency) -> None:
    names = emergency.many(8)
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    emergency.target.failing = {names[0]}
    emergency.service.account.find(names[1]).last_rotated = time.time() - 3600
    with pytest.raises(StatesError, match="7 rotated, 1 not"):
        emergency.run(since=since, tolerated=100)
    (pending,) = [v for v, labels in emergency.service.labels(names[0]).items() if labels == ["AWSPENDING"]]
    emergency.service.client().update_secret_version_stage(
        SecretId=names[0], VersionStage="AWSPENDING", RemoveFromVersionId=pending
    )
    emergency.target.failing = set()
    emergency.cloud.objects.clear()

    assert emergency.run(since=since) == {"rotated": 1, "results": "s3://kept/leak-1/results/"}
    assert emergency.rotations() == Counter(names)


def test_which_are_found(emergency: Emergency) -> None:
    emergency.make("shop/app", team="shop")
    emergency.make("shop/mail", team="mail")
    emergency.make("wiki/app", teams="shop")
    emergency.make("shop/plain", rotated=False, team="shop")
    emergency.service.client().cancel_rotate_secret(SecretId=emergency.make("shop/off", team="shop"))
    emergency.service.client().delete_secret(SecretId=emergency.make("shop/deleted", team="shop"))

    def found(**given: str) -> set[str]:
        emergency.cloud.objects.clear()
        emergency.run(plan=True, **given)
        return {name_of(entry["arn"]) for entry in emergency.kept("secrets")}

    assert found() == {"shop/app", "shop/mail", "wiki/app"}
    assert found(prefix="shop/") == {"shop/app", "shop/mail"}
    assert found(tag="team") == {"shop/app", "shop/mail"}
    assert found(prefix="shop/", tag="team", value="mail") == {"shop/mail"}
    with pytest.raises(StatesError, match="NoneFound"):
        found(prefix="nobody/")
    assert emergency.service.count("RotateSecret") == 0


def test_ten_thousand_are_listed_within_the_history_and_the_payload(emergency: Emergency) -> None:
    emergency.many(10_000)
    assert emergency.run(plan=True) == {"found": 10_000, "secrets": "s3://kept/leak-1/secrets/"}
    assert len(emergency.kept("secrets")) == 10_000
    assert emergency.cloud.most_events < 5000


def test_a_label_taken_away_is_told(emergency: Emergency) -> None:
    emergency.make("a")
    emergency.target.open.clear()

    def interfere() -> None:
        while not emergency.target.running:
            time.sleep(0.01)
        emergency.service.client().put_secret_value(SecretId="a", SecretString="x")

    thread = threading.Thread(target=interfere)
    thread.start()
    with pytest.raises(StatesError, match="0 rotated, 1 not"):
        emergency.run(tolerated=100)
    thread.join()
    emergency.target.open.set()
    assert [entry["Error"] for entry in emergency.kept("/FAILED")] == ["Lost"]


def machines() -> list[dict[str, Any]]:
    whole = definition()
    return [whole, whole["States"]["Rotate all"]["ItemProcessor"]]


@pytest.mark.parametrize("machine", machines(), ids=["machine", "item"])
def test_every_state_is_reached_and_every_next_is_one(machine: dict[str, Any]) -> None:
    states = machine["States"]
    reached, more = set[str](), [machine["StartAt"]]
    while more:
        at = more.pop()
        if at not in reached:
            reached.add(at)
            state = states[at]
            more += [state[key] for key in ("Next", "Default") if key in state]
            more += [choice["Next"] for choice in state.get("Choices", [])]
    assert reached == states.keys()


def test_every_expression_is_jsonata() -> None:
    expressions = re.findall(r'"\{%(.*?)%\}"', TEXT)
    assert len(expressions) > 40
    for expression in expressions:
        Jsonata(expression)
    assert not re.search(r'"\w+\.\$"|"\$\.', TEXT), "JSONPath has no place here"


def test_sam_finds_nothing_to_complain_of(sam: Path) -> None:
    command: list[str | Path] = [sam, "validate", "--lint", "-t", EXAMPLE / "template.yaml"]
    told = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment())
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("broken", [False, True])
def test_cfn_lint_takes_the_definition(sam: Path, tmp_path: Path, broken: bool) -> None:
    """Its schema has numbers where the language has JSONata as well; of these two fields it gets one."""
    machine = definition()
    machine["States"]["Rotate all"] |= {"MaxConcurrency": 20, "ToleratedFailurePercentage": 5}
    if broken:
        del machine["States"]["List"]["Resource"]
    role = "arn:aws:iam::123456789012:role/rotation"
    properties = {"RoleArn": role, "Definition": machine}
    resources = {"Rotation": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}))
    command: list[str | Path] = [sam.with_name("cfn-lint"), template]
    told = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment())
    assert ("E3601" in told.stdout) is broken, told.stdout + told.stderr
    assert (told.returncode == 0) is not broken, told.stdout + told.stderr


def test_its_role_may_do_what_the_definition_calls_and_no_more(expand: Callable[[Path], dict[str, Any]]) -> None:
    template = expand(EXAMPLE / "template.yaml")
    template["Parameters"]["RotationLambdaARNs"]["Default"] = FUNCTION
    stack = Stack(template, Prefix="shop/")
    granted: dict[str, tuple[Any, Any]] = {}
    for statement in stack.statements("Role"):
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            granted[action] = (statement["Resource"], statement.get("Condition"))
    aws = "arn:aws:{}:us-east-1:123456789012:{}"
    secrets = aws.format("secretsmanager", "secret:shop/*")
    objects, bucket = ("${Bucket.Arn}/*", None), ({"Fn::GetAtt": ["Bucket", "Arn"]}, None)
    execution = (aws.format("states", "execution:rotators-rotation*"), None)
    assert granted == {
        "secretsmanager:ListSecrets": ("*", None),
        "secretsmanager:RotateSecret": (
            secrets, {"ArnEquals": {"secretsmanager:resource/AllowRotationLambdaArn": [FUNCTION]}},
        ),
        "secretsmanager:DescribeSecret": (secrets, None),
        "lambda:InvokeFunction": ([FUNCTION], None),
        "states:StartExecution": (aws.format("states", "stateMachine:rotators-rotation"), None),
        "states:DescribeExecution": execution,
        "states:StopExecution": execution,
        "states:DescribeMapRun": (aws.format("states", "mapRun:rotators-rotation/*"), None),
        **dict.fromkeys(("s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"), objects),
        "s3:ListBucket": bucket,
    }  # fmt: skip
    called = {":".join(found) for found in re.findall(r"aws-sdk:(\w+):(\w+)", TEXT)}
    assert called == {
        "secretsmanager:listSecrets", "secretsmanager:rotateSecret", "secretsmanager:describeSecret", "s3:putObject",
        "sfn:describeMapRun",
    }  # fmt: skip
    (machine,) = stack.of_type("AWS::StepFunctions::StateMachine").values()
    assert machine["StateMachineName"] == "rotators-rotation"
    assert machine["DefinitionSubstitutions"].keys() == set(re.findall(r"\$\{(\w+)}", TEXT))
