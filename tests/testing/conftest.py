"""The three services the contract is held against: ours in memory, ours over HTTP, and moto as a second opinion."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from rotators.testing import Endpoint, SecretsManager, wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REGION = "eu-central-1"
CREDENTIALS: dict[str, Any] = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x" * 40}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "moto_gap(reason): where moto is known to differ from the contract")


class Relay:
    """Passes requests on to the service of the test at hand, so that clients and the server are made once."""

    def __init__(self) -> None:
        self.service: SecretsManager | None = None

    def respond(self, target: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        assert self.service is not None
        return self.service.respond(target, body, headers)


@dataclass
class Service:
    """A client of one of the three, and what is behind it where that is ours."""

    client: Any
    own: SecretsManager | None = None

    def secret(self, value: str | None = "v1", token: str | None = None, name: str | None = None) -> str:
        """A new secret's ARN; its first version has the token A unless told otherwise."""
        more = {} if value is None else {"SecretString": value, "ClientRequestToken": token or A}
        arn: str = self.client.create_secret(Name=name or f"s-{uuid.uuid4().hex[:8]}", **more)["ARN"]
        return arn

    def put(self, secret: str, token: str, value: str, *stages: str) -> list[str]:
        more = {"VersionStages": list(stages)} if stages else {}
        put = self.client.put_secret_value(SecretId=secret, ClientRequestToken=token, SecretString=value, **more)
        return list(put.get("VersionStages", []))

    def get(self, secret: str, **which: str) -> str:
        value: str = self.client.get_secret_value(SecretId=secret, **which)["SecretString"]
        return value

    def labels(self, secret: str) -> dict[str, list[str]]:
        """As DescribeSecret shows them; moto's empty lists are a gap of their own."""
        shown = self.client.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
        return {version: sorted(labels) for version, labels in shown.items() if labels}

    def move(self, secret: str, label: str, *, to: str | None = None, of: str | None = None) -> dict[str, Any]:
        more = {"MoveToVersionId": to, "RemoveFromVersionId": of}
        sent = {name: version for name, version in more.items() if version is not None}
        moved: dict[str, Any] = self.client.update_secret_version_stage(SecretId=secret, VersionStage=label, **sent)
        return moved


def token(letter: str) -> str:
    return f"{letter * 8}-0000-4000-8000-000000000000"


A, B, C, D = (token(letter) for letter in "abcd")


@contextmanager
def refused(code: str, text: str | None = None) -> Iterator[None]:
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    if text is not None:
        assert error["Message"] == text


@pytest.fixture
def sm() -> Iterator[SecretsManager]:
    service = SecretsManager(REGION)
    yield service
    assert service.close()


@pytest.fixture(scope="session")
def in_memory() -> tuple[Relay, Any]:
    relay = Relay()
    return relay, wire.client(relay, REGION)


@pytest.fixture(scope="session")
def over_http() -> Iterator[tuple[Relay, Any]]:
    relay = Relay()
    with Endpoint(relay) as url:
        yield relay, boto3.client("secretsmanager", region_name=REGION, endpoint_url=url, **CREDENTIALS)


@pytest.fixture(params=["memory", "http", "moto"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """Each of the three."""
    if request.param != "moto":
        yield request.getfixturevalue("_ours")
        return
    from moto import mock_aws

    gap = request.node.get_closest_marker("moto_gap")
    if gap is not None:
        request.node.add_marker(pytest.mark.xfail(reason=f"moto: {gap.args[0]}", strict=True))
    with mock_aws():
        # Whatever AWS_ENDPOINT_URL says, moto answers for the real address only.
        blind: dict[str, Any] = {"ignore_configured_endpoint_urls": True}
        yield Service(boto3.client("secretsmanager", region_name=REGION, config=Config(**blind)))


@pytest.fixture
def _ours(request: pytest.FixtureRequest, sm: SecretsManager) -> Service:
    transport = request.node.callspec.params.get("service", request.node.callspec.params.get("ours"))
    relay, client = request.getfixturevalue("in_memory" if transport == "memory" else "over_http")
    relay.service = sm
    return Service(client, sm)


@pytest.fixture(params=["memory", "http"])
def ours(request: pytest.FixtureRequest) -> Service:
    """Ours, both ways: what moto doesn't do at all."""
    found: Service = request.getfixturevalue("_ours")
    return found
