"""The AWS CLI against the lab: every command of it that the documents show, and what AWS answers to bad use."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from rotators.testing.schema import service_model
from tests.cli import aws_cli
from tests.cli.aws_cli import AwsCli
from tests.cli.running_lab import STEPS, lab
from tests.deploy.sam import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.running_lab import Lab

PAGE = (ROOT / "docs/secrets-manager.md").read_text()
COMMANDS = [line[2:] for line in PAGE.splitlines() if line.startswith("$ aws ")]
REFUSALS = dict(re.findall(r"^\| `(aws .+?)` \| (\w+) \|", PAGE, re.MULTILINE))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    aws_cli.require()
    with lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")
def aws(running: Lab) -> Iterator[AwsCli]:
    with AwsCli(running.environment) as aws:
        yield aws


def operation(command: str) -> str:
    """UpdateSecretVersionStage for ``aws secretsmanager update-secret-version-stage …``."""
    (name,) = re.findall(r"secretsmanager ([a-z-]+)", command)
    return "".join(word.title() for word in name.split("-"))


def test_every_command_of_the_documents(running: Lab, aws: AwsCli) -> None:
    """In their order, as they stand there; and these are all that the CLI has. What they did is looked at below."""
    said: dict[str, Any] = {}
    for command in COMMANDS:
        said[command] = aws(*shlex.split(command)[1:]).json
        if "--no-rotate-immediately" in command:
            assert running.step() == ("testSecret", "done")
        elif operation(command) == "RotateSecret":
            assert running.steps() == [(step, "done") for step in STEPS]
    assert {operation(command) for command in COMMANDS} == set(aws.operations)

    def answers(words: str) -> list[Any]:
        found = [answer for command, answer in said.items() if words in command]
        assert found, words
        return found

    assert [s["SecretString"] for s in answers("get-secret-value --secret-id try/one")] == ["two", "one", "three"]
    assert [s["SecretString"] for s in answers("batch-get")[0]["SecretValues"]] == ["three"]
    assert [e["ErrorCode"] for e in answers("batch-get")[0]["Errors"]] == ["ResourceNotFoundException"]
    (versions,) = answers("list-secret-version-ids --secret-id try/one")
    assert [version["VersionStages"] for version in versions["Versions"]] == [["AWSCURRENT"], ["AWSPREVIOUS"]]
    assert [each["PolicyValidationPassed"] for each in answers("validate-resource-policy")] == [True]
    (policy,) = answers("get-resource-policy")
    assert json.loads(policy["ResourcePolicy"])["Statement"][0]["Effect"] == "Deny"
    assert [r["Region"] for r in answers("replicate-secret")[0]["ReplicationStatus"]] == ["eu-central-1", "eu-west-1"]
    assert [r["Region"] for r in answers("remove-regions")[0]["ReplicationStatus"]] == ["eu-west-1"]
    assert answers("stop-replication")[0]["ARN"].startswith("arn:aws:secretsmanager:eu-west-1:")
    assert [s["Name"] for s in answers("Key=tag-key,Values=team")[0]["SecretList"]] == ["try/one"]
    assert [s["Name"] for s in answers("list-secrets --include-planned")[0]["SecretList"]][-1] == "try/one"
    assert len(answers("get-random-password")[0]["RandomPassword"]) == 40
    (described,) = answers("describe-secret --secret-id try/one")
    assert described["Tags"] == [{"Key": "owner", "Value": "me"}]
    assert described["Description"] == "of the shop"
    assert "ReplicationStatus" not in described
    (rotating,) = answers("describe-secret --secret-id shop/app")
    assert rotating["RotationEnabled"] is False
    gone = aws("secretsmanager", "describe-secret", "--secret-id", "try/one").json
    assert "DeletedDate" not in gone


def test_every_refusal_of_the_documents(aws: AwsCli) -> None:
    answered: dict[str, str] = {}
    for command in REFUSALS:
        answer = aws(*shlex.split(command)[1:])
        found = re.findall(r"An error occurred \((\w+)\) when calling the (\w+) operation", answer.errors)
        answered[command] = found[0][0] if answer.code == 255 and found[0][1] == operation(command) else answer.errors
    assert len(REFUSALS) > 20
    assert answered == REFUSALS


def test_what_is_not_there_is_named(running: Lab) -> None:
    """The operations that botocore knows and the lab does not are those of the documents, and answer as unknown ones do."""
    named = set(re.findall(r"`(\w+)`", re.findall(r"^Not there:.*$", PAGE, re.MULTILINE)[0]))
    known = {operation(command) for command in COMMANDS}
    assert set(service_model().operation_names) - known == named
    client = running.client()
    with pytest.raises(client.exceptions.ClientError, match="UnknownOperationException"):
        client.list_resource_policies(SecretId="shop/app")


def test_the_lines_that_the_lab_prints(running: Lab, aws: AwsCli) -> None:
    printed = re.findall(r"^  aws (.*)$", running.said, re.MULTILINE)
    assert [line.split()[1] for line in printed] == ["rotate-secret", "describe-secret"]
    for line in printed:
        assert aws(*shlex.split(line)).json["Name"] == "shop/app"
    assert running.steps() == [(step, "done") for step in STEPS]


def test_pages(running: Lab, aws: AwsCli) -> None:
    client: Any = boto3.client("secretsmanager", endpoint_url=running.environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"])
    for number in range(5):
        client.create_secret(Name=f"page/{number}", SecretString="x")
    names = ["--filters", "Key=name,Values=page/", "--query", "SecretList[].Name", "--output", "text"]
    assert aws("secretsmanager", "list-secrets", "--page-size", "2", *names).output.split() == [
        f"page/{number}" for number in range(5)
    ]
