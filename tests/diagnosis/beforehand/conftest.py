"""`rotators check`, over HTTP, and what it called."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from rotators.cli import main
from rotators.testing import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.testing import SecretsManager

CANARY = "Canary"  # in every password of these tests
READS = {"DescribeSecret", "GetSecretValue", "GetResourcePolicy", "ListSecretVersionIds"}


class Found:
    """What the command said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        self.lines: list[dict[str, str]] = json.loads(out)["checks"] if out.startswith("{") else []

    def __getitem__(self, check: str) -> list[str]:
        """The answers of a check."""
        return [line["answer"] for line in self.lines if line["check"] == check]

    def text(self, check: str, answer: str = "") -> str:
        """What is said of a check, remedies too."""
        return "\n".join(
            f"{line['text']} → {line['remedy']}"
            for line in self.lines
            if line["check"] == check and answer in {"", line["answer"]}
        )

    @property
    def failed(self) -> set[str]:
        return {line["check"] for line in self.lines if line["answer"] == "failed"}


Check = "Callable[..., Found]"


@pytest.fixture
def check(service: SecretsManager, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Found]]:
    """Run it: `check(secret_id, "--schedule", …)`; it may only read, and shows nothing secret."""
    with Endpoint(service) as url:

        def run(secret_id: str, *arguments: str, form: str = "--json") -> Found:
            capsys.readouterr()
            service.calls.clear()
            options = ["--endpoint-url", url, "--region", "eu-central-1", *([form] if form else [])]
            code = main(["check", secret_id, *options, *arguments])
            told = capsys.readouterr()
            assert CANARY not in told.out + told.err
            assert {call.operation for call in service.calls} <= READS
            return Found(code, told.out, told.err)

        yield run


def put(service: SecretsManager, value: Any, *, name: str = "shop/app", **tags: str) -> str:
    """Store a secret without a rotation; a tag's hyphens are underscores."""
    text = value if isinstance(value, str) else json.dumps(value)
    told = [{"Key": f"rotators:{key.replace('_', '-')}", "Value": said} for key, said in tags.items()]
    arn: str = service.client().create_secret(Name=name, SecretString=text, Tags=told)["ARN"]
    return arn


def answer(service: SecretsManager, operation: str, *, status: int = 200, **fields: Any) -> None:
    """Have the service say something else than it would: further fields, or a refusal."""
    real = service.respond

    def respond(target: str, body: bytes, headers: Any = None) -> tuple[int, bytes]:
        said, told = real(target, body, headers)
        if not target.endswith(f".{operation}"):
            return said, told
        return (status, json.dumps({**(json.loads(told) if status == 200 else {}), **fields}).encode())

    service.respond = respond  # type: ignore[method-assign]


def deny(service: SecretsManager, operation: str) -> None:
    """Have IAM deny it."""
    answer(service, operation, status=400, __type="AccessDeniedException", Message="not for you")


def make(
    client: Any, *, role: str = "rotation", timeout: int = 30, vpc: Any = None, region: str = "", **variables: str
) -> str:
    """Make a function, and return its ARN."""
    iam = boto3.client("iam")
    try:
        arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        document = json.dumps({"Version": "2012-10-17", "Statement": []})
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    made: str = client.create_function(
        FunctionName=f"rotate-{uuid.uuid4().hex[:8]}",
        Runtime="python3.12",
        Role=arn,
        Handler="rotators.handlers.database.handler",
        Code={"ZipFile": code.getvalue()},
        Timeout=timeout,
        Environment={"Variables": variables},
        **({"VpcConfig": vpc} if vpc else {}),
    )["FunctionArn"]
    return made
