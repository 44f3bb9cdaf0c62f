"""`rotators status`, over HTTP, as the AWS CLI would be pointed at a service."""

from __future__ import annotations

import json
import time
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

    def make(
        self, name: str, *, rotated: bool = True, back: float = 0.0, rules: dict[str, Any] = EVERY_MONTH, **more: Any
    ) -> str:
        self.service.account.clock = lambda: time.time() - back * DAY
        client = self.service.client()
        arn: str = client.create_secret(Name=name, SecretString=json.dumps({"password": CANARY}), **more)["ARN"]
        if rotated:
            client.rotate_secret(
                SecretId=arn, RotationLambdaARN=self.function, RotationRules=rules, RotateImmediately=False
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
    failing = fleet.make("failing")
    fleet.service.put_placeholder(failing, "3" * 32)
    fleet.service.account.find(failing).next_rotation = time.time() - DAY
    fleet.make("without", rotated=False)

    assert list(fleet.standings().items()) == [
        ("stuck", "stuck"),
        ("failing", "failing"),
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
    assert "8 secrets with a rotation, 4 of which need somebody" in out
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
    assert fleet.status("--prefix", "nobody")[:2] == (0, "no secret with a rotation in eu-central-1\n")


def test_minutes_are_told_as_minutes(fleet: Fleet) -> None:
    arn = fleet.make("shop/app")
    fleet.service.put_placeholder(arn, "t" * 32)
    fleet.service.account.find(arn).changed -= 150
    assert "pending for 2 min  shop/app" in fleet.status()[1]


def fill(fleet: Fleet, number: int) -> None:
    """Make secrets that are rotated, with a shorter way than a call for each."""
    now = time.time()
    for one in range(number):
        record = fleet.service.account.create(f"s{one:05d}")
        record.rotation_enabled, record.rotation_function, record.rotation_rules = True, fleet.function, EVERY_MONTH
        record.last_rotated, record.next_rotation = now - DAY, now + 29 * DAY


def test_ten_thousand_cost_a_hundred_calls(fleet: Fleet) -> None:
    fill(fleet, 10_000)
    fleet.service.calls.clear()
    code, out, _ = fleet.status()
    assert code == 0
    assert "10000 secrets with a rotation, 0 of which" in out
    assert [call.operation for call in fleet.service.calls] == ["ListSecrets"] * 100


def test_those_without_a_rotation_cost_no_call_more(fleet: Fleet) -> None:
    for number in range(250):
        fleet.make(f"n{number}", rotated=False)
    fleet.make("one")
    fleet.service.calls.clear()
    assert set(fleet.standings()) == {"one"}
    assert [call.operation for call in fleet.service.calls] == ["ListSecrets"] * 3
    everything = fleet.standings("--all")
    assert len(everything) == 251
    assert everything["n7"] == "no rotation"
    assert next(iter(everything)) == "one"
    code, out, _ = fleet.status("--all")
    assert code == 0
    assert "251 secrets, 0 of which" in out


def test_throttling_is_obeyed(fleet: Fleet) -> None:
    """Every third call is refused; in the end everything is listed, once."""
    fill(fleet, 700)
    real, calls = fleet.service.respond, []

    def throttled(target: str, body: bytes, headers: Any = None) -> tuple[int, bytes]:
        calls.append(time.monotonic())
        if len(calls) % 3 == 2:
            return 400, b'{"__type": "ThrottlingException", "Message": "Rate exceeded"}'
        return real(target, body, headers)

    fleet.service.respond = throttled  # type: ignore[method-assign]
    _, out, _ = fleet.status("--json")
    names = [entry["name"] for entry in json.loads(out)]
    assert sorted(names) == [f"s{one:05d}" for one in range(700)]
    assert len(calls) > 7  # seven pages, and those that were refused
    assert fleet.service.count("ListSecrets") == 7


AGES = [
    (EVERY_MONTH, 45.0, "45 d of 30 d"),
    ({"ScheduleExpression": "rate(10 days)"}, 4.0, "4 d of 10 d"),
    ({"ScheduleExpression": "rate(1 day)"}, 0.5, "12 h of 1 d"),
    ({"ScheduleExpression": "rate(12 hours)"}, 3.0, "3 d of 12 h"),
    ({"ScheduleExpression": "cron(0 3 ? * MON *)"}, 8.0, "8 d of 7 d"),
    ({"ScheduleExpression": "cron(0 0/8 * * ? *)"}, 1.0, "1 d of 8 h"),
]


@pytest.mark.parametrize(("rules", "back", "shown"), AGES, ids=[shown for _, _, shown in AGES])
def test_the_age_against_its_rule(fleet: Fleet, rules: dict[str, Any], back: float, shown: str) -> None:
    fleet.make("app", rules=rules, back=back)
    _, out, _ = fleet.status()
    assert shown in out
    ((entry),) = json.loads(fleet.status("--json")[1])
    assert entry["age_days"] == pytest.approx(back, abs=0.01)
    assert entry["rule_days"] is not None


def test_several_tags_and_regions(fleet: Fleet) -> None:
    fleet.make("both", Tags=[{"Key": "team", "Value": "shop"}, {"Key": "stage", "Value": "live"}])
    fleet.make("one", Tags=[{"Key": "team", "Value": "shop"}, {"Key": "stage", "Value": "test"}])
    fleet.make("other", Tags=[{"Key": "stage", "Value": "live"}])
    assert set(fleet.standings("--tag", "team=shop", "--tag", "stage=live")) == {"both"}
    assert set(fleet.standings("--tag", "team", "--tag", "stage")) == {"both", "one"}
    _, out, _ = fleet.status("--tag", "team=shop", "--tag", "stage=live", "--region", "us-east-1")
    assert "eu-central-1" in out  # the same service answers for both
    assert "us-east-1" in out


def test_a_terminal_gets_colours_and_a_bar(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.make("overdue", back=60)
    _, out, err = fleet.status()
    assert "\x1b" not in out + err
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    _, out, err = fleet.status()
    assert "\x1b[31moverdue" in out
    assert "eu-central-1: secrets read: 1" in err
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in fleet.status()[1]
    for module in ("rich", "rich.console", "rich.progress"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    _, _, err = fleet.status()
    assert "\reu-central-1: secrets read: 1 " in err


def test_a_name_can_not_write_to_the_terminal(fleet: Fleet) -> None:
    record = fleet.service.account.find(fleet.make("app"))
    record.name = "app\x1b[2J\u202e"
    _, out, _ = fleet.status()
    assert "app\\x1b[2J\\u202e" in out
    assert "\x1b" not in out


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
