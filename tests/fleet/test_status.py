"""`rotators status`, over HTTP, as the AWS CLI would be pointed at a service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rotators.cli import main
from rotators.testing import Endpoint, SecretsManager, rotate

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 86400.0
CANARY = "hunter2-Canary"
EVERY_MONTH = {"AutomaticallyAfterDays": 30}


class Fleet:
    """Secrets whose clock can be turned back while they are made, and what the command says of them."""

    def __init__(self, service: SecretsManager, capsys: pytest.CaptureFixture[str]) -> None:
        self.service, self._capsys = service, capsys
        self.back = 0.0
        self.function = service.add_function("f", lambda *_: None)

    def make(self, name: str, *, rotated: bool = True, back: float = 0.0, **more: Any) -> str:
        import time

        self.service.account.clock = lambda: time.time() - back * DAY
        client = self.service.client()
        arn: str = client.create_secret(Name=name, SecretString=json.dumps({"password": CANARY}), **more)["ARN"]
        if rotated:
            client.rotate_secret(
                SecretId=arn, RotationLambdaARN=self.function, RotationRules=EVERY_MONTH, RotateImmediately=False
            )
            self.service.wait(arn)
            self.service.account.find(arn).last_rotated = time.time() - back * DAY
        self.service.account.clock = time.time
        return arn

    def status(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        with Endpoint(self.service) as url:
            code = main(["status", "--endpoint-url", url, "--region", "eu-central-1", *arguments])
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def standings(self, *arguments: str) -> dict[str, str]:
        _, out, _ = self.status("--json", *arguments)
        return {entry["name"]: entry["standing"] for entry in json.loads(out)}


@pytest.fixture
def fleet(capsys: pytest.CaptureFixture[str]) -> Iterator[Fleet]:
    yield Fleet(SecretsManager(), capsys)  # noqa: PT022 - what it serves ends with each call


def test_each_standing_worst_first(fleet: Fleet) -> None:
    fleet.make("fine", back=1)
    fleet.make("overdue", back=60)
    fleet.service.account.find(fleet.make("never")).last_rotated = None
    fleet.service.client().cancel_rotate_secret(SecretId=fleet.make("off"))
    fleet.service.client().delete_secret(SecretId=fleet.make("deleted"))
    fleet.service.put_placeholder(fleet.make("pending"), "1" * 32)
    fleet.service.put_placeholder(fleet.make("stuck"), "2" * 32)
    fleet.service.account.find("stuck").changed -= 3 * DAY
    fleet.make("without", rotated=False)

    assert list(fleet.standings().items()) == [
        ("stuck", "stuck"),
        ("overdue", "overdue"),
        ("never", "never rotated"),
        ("off", "rotation off"),
        ("pending", "pending"),
        ("deleted", "deleted"),
        ("fine", "fine"),
    ]
    code, out, _ = fleet.status()
    assert code == 1
    assert "stuck for 3 d" in out
    assert "7 secrets with a rotation, 3 of which need somebody" in out
    assert CANARY not in out


def test_nothing_needs_anybody(fleet: Fleet) -> None:
    fleet.make("fine", back=1)
    code, out, err = fleet.status()
    assert code == 0
    assert "1 secrets with a rotation, 0 of which" in out
    assert not err


def test_a_prefix_and_tags(fleet: Fleet) -> None:
    fleet.make("shop/app", Tags=[{"Key": "team", "Value": "shop"}])
    fleet.make("shop/mail", Tags=[{"Key": "team", "Value": "mail"}])
    fleet.make("wiki/app", Tags=[{"Key": "teams", "Value": "shop"}])

    assert set(fleet.standings("--prefix", "shop/")) == {"shop/app", "shop/mail"}
    assert set(fleet.standings("--tag", "team")) == {"shop/app", "shop/mail"}
    assert set(fleet.standings("--tag", "team=mail")) == {"shop/mail"}
    assert fleet.standings("--prefix", "nobody") == {}
    assert fleet.status("--prefix", "nobody")[:2] == (0, "no secret with a rotation\n")


def test_thousands_cost_a_call_for_a_hundred(fleet: Fleet) -> None:
    for number in range(1050):
        fleet.service.client().create_secret(Name=f"s{number}", SecretString="x")
    record = fleet.service.account.find(fleet.make("one"))
    assert record.rotation_enabled
    fleet.service.calls.clear()

    assert set(fleet.standings()) == {"one"}
    assert [call.operation for call in fleet.service.calls] == ["ListSecrets"] * 11


def test_after_a_rotation_it_is_fine(fleet: Fleet) -> None:
    arn = fleet.make("app", back=60)
    assert fleet.standings() == {"app": "overdue"}

    def handler(event: dict[str, Any], _: object) -> None:
        client = fleet.service.client()
        token = event["ClientRequestToken"]
        if event["Step"] == "createSecret":
            client.put_secret_value(
                SecretId=arn, ClientRequestToken=token, SecretString="new", VersionStages=["AWSPENDING"],
                RotationToken=event["RotationToken"],
            )  # fmt: skip
        if event["Step"] == "finishSecret":
            stages = client.describe_secret(SecretId=arn)["VersionIdsToStages"]
            current = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
            client.update_secret_version_stage(
                SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
            )

    assert rotate(fleet.service, arn, handler).succeeded
    assert fleet.standings() == {"app": "fine"}


def test_a_region_that_can_not_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    service = SecretsManager()

    def refuse(*_: Any) -> Any:
        return 400, b'{"__type": "AccessDeniedException", "Message": "not for you"}'

    service.respond = refuse  # type: ignore[method-assign, assignment]
    with Endpoint(service) as url:
        assert main(["status", "--endpoint-url", url, "--region", "eu-central-1"]) == 2
    assert "rotators: eu-central-1:" in (told := capsys.readouterr().err)
    assert "AccessDenied" in told


def test_no_such_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--profile", "nobody", "--region", "eu-central-1"]) == 2
    assert "there is no profile nobody" in capsys.readouterr().err
