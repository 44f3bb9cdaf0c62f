"""What the commands make of a pipe that closes, of answers that are none, and of names that mean harm."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators.cli import main
from rotators.testing import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/app-AbCdEf"
ENTRY = {
    "ARN": ARN, "Name": "shop/app", "RotationEnabled": True, "RotationRules": {"AutomaticallyAfterDays": 30},
    "RotationLambdaARN": "arn:aws:lambda:eu-central-1:123456789012:function:f", "LastRotatedDate": 1.7e9,
    "LastChangedDate": 1.7e9, "NextRotationDate": 4e9, "CreatedDate": 1.6e9,
    "SecretVersionsToStages": {"0" * 32: ["AWSCURRENT"]}, "VersionIdsToStages": {"0" * 32: ["AWSCURRENT"]},
}  # fmt: skip
MOVES = "\x1b[2J\n\u202e\x00"
COMMANDS = [
    ["status"], ["status", "--json"], ["report", "--json"], ["rotate", "--prefix", "shop", "--plan"], ["rotate", "shop/app"],
    ["diagnose", "shop/app"], ["diagnose", "shop/app", "--json"], ["check", "shop/app"], ["check", "shop/app", "--json"],
    ["repair", "shop/app", "--yes"], ["repair", "shop/app", "--yes", "--json"],
]  # fmt: skip


class Says:
    """A service that says the same to everything, or what an operation's name makes it say."""

    def __init__(self, answer: Callable[[str], tuple[int, bytes]]) -> None:
        self._answer = answer

    def respond(self, target: str, *_: Any) -> tuple[int, bytes]:
        return self._answer(target.rpartition(".")[2])


def lists(*entries: dict[str, Any]) -> Says:
    def answer(operation: str) -> tuple[int, bytes]:
        return 200, json.dumps({"SecretList": entries} if operation == "ListSecrets" else entries[0]).encode()

    return Says(answer)


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    "said", [b"<html>log in first</html>", b'{"SecretList":[{"AR', b"[]", b"null", b'"x"', b"", bytes(range(256))]
)
def test_an_answer_that_is_none_is_told_in_a_sentence(
    said: bytes, command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rotators.calls.PAUSES", (None,))
    with Endpoint(Says(lambda _: (200, said))) as url:
        assert main([*command, "--endpoint-url", url]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("rotators: ")
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("said", [b"[]", b"null", b"<h1>", b"", b'"no"'])
def test_a_refusal_that_is_no_json_is_one_too(said: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    with Endpoint(Says(lambda _: (400, said))) as url:
        assert main(["status", "--endpoint-url", url]) == 2
    assert capsys.readouterr().err.startswith("rotators: eu-central-1: ")


def test_one_answer_of_a_proxy_ends_no_campaign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is asked again."""
    version: list[str] = []
    looked: list[str] = []

    class Between:
        def respond(self, target: str, body: bytes, *_: Any) -> tuple[int, bytes]:
            asked = json.loads(body)
            if target.endswith(".RotateSecret"):
                version.append(asked["ClientRequestToken"])
                return 200, b"<html>"
            if not version:
                return 200, json.dumps(ENTRY).encode()
            looked.append(target)
            if len(looked) == 1:
                return 200, b"null"
            return 200, json.dumps(ENTRY | {"VersionIdsToStages": {version[0]: ["AWSCURRENT", "AWSPENDING"]}}).encode()

    with Endpoint(Between()) as url:
        assert main(["rotate", "shop/app", "--journal", str(tmp_path / "j"), "--endpoint-url", url]) == 0
    assert "1 rotated" in capsys.readouterr().out
    assert len(looked) == 2


@pytest.mark.parametrize(
    "command", [["status"], ["rotate", "--prefix", "shop", "--plan"], ["rotate", "shop/app", "--plan"]]
)
def test_a_name_moves_no_cursor(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with Endpoint(lists(ENTRY | {"Name": f"shop/{MOVES}"})) as url:
        main([*command, "--endpoint-url", url])
    told = capsys.readouterr()
    assert "shop/\\x1b[2J" in told.out
    assert not any(character in told.out + told.err for character in "\x1b\x00\u202e")


def test_nor_does_what_went_wrong_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(operation: str) -> tuple[int, bytes]:
        if operation == "DescribeSecret":
            return 200, json.dumps(ENTRY | {"Name": f"shop/{MOVES}"}).encode()
        return 400, json.dumps({"__type": "Strange", "Message": MOVES}).encode()

    with Endpoint(Says(answer)) as url:
        assert main(["rotate", "shop/app", "--endpoint-url", url]) == 1
        told = capsys.readouterr()
        assert main(["status", "--endpoint-url", url]) == 2
    told_too = capsys.readouterr()
    for text in (told.out, told.err, told_too.err):
        assert "\\x1b[2J" in text
        assert not any(character in text for character in "\x1b\x00\u202e")


@pytest.mark.parametrize("rule", ["rate(999999999999999 days)", f"rate({'9' * 5000} days)", "every 99999999999 days"])
def test_a_rule_that_no_calendar_holds_is_shown_without_a_limit(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    with Endpoint(lists(ENTRY | {"RotationRules": {"ScheduleExpression": rule}})) as url:
        main(["status", "--json", "--endpoint-url", url])
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["rule"], found["rule_days"]) == (rule, None)


def test_a_page_is_written_of_a_name_that_is_no_text(tmp_path: Path) -> None:
    with Endpoint(lists(ENTRY | {"Name": "shop/\ud800"})) as url:
        assert main(["report", "--html", str(tmp_path / "r.html"), "--endpoint-url", url]) == 0
    assert "shop/\\ud800" in (tmp_path / "r.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["report", "--json"]])
def test_who_has_seen_enough_closes_the_pipe_and_sees_no_traceback(command: list[str]) -> None:
    entries = [ENTRY | {"ARN": f"{ARN}{number}", "Name": f"shop/{uuid.uuid4()}"} for number in range(2000)]
    with Endpoint(lists(*entries)) as url:
        running = subprocess.Popen(
            [sys.executable, "-X", "dev", "-c", "import sys; from rotators.cli import main; sys.exit(main())", *command,
             "--endpoint-url", url], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline()
        running.stdout.close()
        said = running.stderr.read()
        running.stderr.close()
        assert (running.wait(30), said) == (141, b"")
