"""`rotators rotate`, over HTTP: at most so many, never two of a group, a budget of failures, and a run that dies."""

from __future__ import annotations

import itertools
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from rotators.cli import main
from rotators.fleet.journal import Happened, Journal
from rotators.fleet.limits import Limits
from rotators.lab.sandbox import Sandbox
from rotators.testing import Endpoint, SecretsManager
from tests.fleet.crowd import CANARY, GROUP, Crowd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.world import World


class Fleet(Crowd):
    """The secrets, behind an endpoint, and what the command says of them."""

    def __init__(self, service: SecretsManager, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(service)
        self._capsys = capsys
        self.url = ""

    def rotate(self, *arguments: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = main([*self.command, *arguments])
        told = self._capsys.readouterr()
        assert CANARY not in told.out + told.err
        return code, told.out, told.err

    @property
    def command(self) -> list[str]:
        return ["rotate", "--endpoint-url", self.url, "--region", "eu-central-1"]

    def endings(self, *arguments: str) -> dict[str, str]:
        _, out, _ = self.rotate("--json", *arguments)
        return {entry["name"]: entry["ending"] for entry in json.loads(out)["secrets"]}

    @contextmanager
    def process(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """The command as a process of its own, which can be killed."""
        with subprocess.Popen(
            [sys.executable, "-m", "rotators", *self.command, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy(),
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def fleet(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """Without the pace that AWS's quotas ask for, and with early looks; processes of their own keep both."""
    monkeypatch.setattr("rotators.cli.rotate.GAP", 0.0)
    monkeypatch.setattr(
        "rotators.cli.rotate.Limits", lambda **given: Limits(first_look=0.05, longest_look=0.2, **given)
    )
    made = Fleet(SecretsManager(), capsys)
    with Endpoint(made) as made.url:
        yield made
    made.target.open.set()
    assert made.service.close()


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 ask again at once."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    monkeypatch.setattr("botocore.retries.adaptive.ClientRateLimiter.on_sending_request", lambda *_, **__: None)


def test_named_secrets_in_the_order_given(fleet: Fleet) -> None:
    for name in ("a", "b", "c"):
        fleet.make(name)
    arn = fleet.service.account.find("a").arn

    code, out, err = fleet.rotate("c", arn, "b", "a", "--at-once", "1")

    assert code == 0
    assert fleet.target.order == ["c", "a", "b"]
    assert fleet.rotations() == {"a": 1, "b": 1, "c": 1}
    assert out == "3 rotated\n"
    assert [line.split()[0:2] for line in err.splitlines()] == [
        ["started", "c"], ["rotated", "c"], ["started", "a"], ["rotated", "a"], ["started", "b"], ["rotated", "b"],
    ]  # fmt: skip
    assert err.splitlines()[-1].endswith("(3 of 3)")


def test_hundreds_at_most_so_many_at_once(fleet: Fleet) -> None:
    names = fleet.many(220)
    fleet.target.takes = 0.4

    code, out, _ = fleet.rotate("--prefix", "s/", "--yes", "--at-once", "20")

    assert (code, out) == (0, "220 rotated\n")
    assert fleet.rotations() == Counter(names)
    assert 10 <= fleet.target.most <= 20
    looks = Counter(call.secret_id for call in fleet.service.calls if call.operation == "DescribeSecret")
    assert fleet.service.count("ListSecrets") == 3
    assert sum(looks.values()) < 220 * 8


def test_never_two_of_a_group(fleet: Fleet) -> None:
    groups = {f"{letter}{n}": letter for n in range(4) for letter in "abc"} | {"1": "", "2": ""}
    for name, group in groups.items():
        fleet.make(name, group)
    fleet.target.takes = 0.3

    assert fleet.rotate(*groups, "--at-once", "8")[0] == 0

    for pair in fleet.target.overlaps:
        kinds = [groups[name] for name in pair if groups[name]]
        assert len(pair) == 1 or len(kinds) == len(set(kinds)), pair
    assert 3 <= fleet.target.most <= 5  # three groups, and two that have none
    assert [name for name in fleet.target.order if name[0] == "b"] == ["b0", "b1", "b2", "b3"]


def test_the_tag_that_keeps_apart_can_be_another(fleet: Fleet) -> None:
    for name in ("a", "b"):
        fleet.make(name, "same")
    fleet.target.takes = 1.0
    assert fleet.rotate("a", "b", "--apart-by", "team")[0] == 0
    assert fleet.target.most == 2


def test_staggered(fleet: Fleet) -> None:
    fleet.many(3)
    began = time.monotonic()
    assert fleet.rotate("s/000", "s/001", "s/002", "--stagger", "0.6")[0] == 0
    assert time.monotonic() - began >= 1.2


def test_stops_after_a_budget_of_failures_and_follows_what_runs(fleet: Fleet) -> None:
    names = fleet.many(20)
    fleet.target.failing = {names[0], names[1]}
    fleet.target.dying = {names[2]}
    fleet.target.takes = 0.3

    code, out, err = fleet.rotate(*names, "--at-once", "4", "--stop-after", "2", "--timeout", "3")

    assert code == 1
    told = [line for line in out.splitlines() if line.startswith("unfinished")]
    assert [line.split()[1] for line in told] == names[:3]
    assert all("still AWSPENDING" in line and "rotators diagnose s/00" in line for line in told)
    assert "2 went wrong: no more are started" in err
    rotated = fleet.rotations()
    assert f"{len(rotated)} rotated" in out
    assert f"{20 - 3 - len(rotated)} not started" in out
    assert "stopped: 2 went wrong" in out
    assert 3 + len(rotated) < 20


def test_no_budget_stops_nothing(fleet: Fleet) -> None:
    names = fleet.many(6)
    fleet.target.failing = set(names[:5])
    endings = fleet.endings(*names, "--stop-after", "0", "--timeout", "2")
    assert endings == dict.fromkeys(names[:5], "unfinished") | {names[5]: "rotated"}


def test_a_secret_of_each_kind_that_can_not_be_rotated(fleet: Fleet) -> None:
    for name in ("fine", "off", "deleted", "replica", "stuck", "denied", "orphan"):
        fleet.make(name)
    fleet.make("plain", rotated=False)
    client = fleet.service.client()
    client.cancel_rotate_secret(SecretId="off")
    client.delete_secret(SecretId="deleted")
    fleet.service.put_placeholder("stuck", "1" * 32)
    fleet.service.account.find("orphan").rotation_function = f"{fleet.function}-gone"

    def refuse(operation: str, request: dict[str, Any]) -> tuple[int, dict[str, str]] | None:
        arn = request.get("SecretId", "")
        if operation == "RotateSecret" and ":secret:denied" in arn:
            return 400, {"__type": "AccessDeniedException", "Message": "User: x is not authorized"}
        if operation == "DescribeSecret" and arn == "replica":
            told = json.loads(fleet.service.respond("secretsmanager.DescribeSecret", json.dumps(request).encode())[1])
            return 200, told | {"PrimaryRegion": "us-east-1"}
        return None

    fleet.refuse = refuse
    names = ["fine", "off", "deleted", "replica", "stuck", "denied", "orphan", "plain"]
    code, out, _ = fleet.rotate(*names, "--stop-after", "0", "--timeout", "2")

    assert code == 1
    lines = dict(re.findall(r"^(?:failed|left out) +(\S+) +(.*)$", out, re.MULTILINE))
    assert {name: why for name, why in lines.items() if name not in {"stuck", "orphan", "denied"}} == {
        "off": "its rotation is off, and RotateSecret would switch it on again",
        "deleted": "it is marked for deletion",
        "replica": "it is a replica: rotate it in us-east-1",
        "plain": "it has no rotation",
    }
    assert lines["stuck"].startswith("a previous rotation isn't complete")
    assert lines["stuck"].endswith("`rotators repair stuck`")
    assert lines["denied"].startswith("denied: it takes secretsmanager:RotateSecret")
    assert "may not invoke its function" in lines["orphan"]
    assert not fleet.service.account.find("off").rotation_enabled
    assert out.splitlines()[-1] == "4 left out, 3 failed, 1 rotated"


def test_what_a_prefix_finds_and_can_not_be_rotated_is_no_failure(fleet: Fleet) -> None:
    fleet.make("s/fine")
    for n in range(3):
        fleet.make(f"s/{n}", rotated=False)
    code, out, _ = fleet.rotate("--prefix", "s/")
    assert (code, out) == (0, "3 left out, 1 rotated\nleft out, 3: it has no rotation\n")


@pytest.mark.parametrize("after", ["PutSecretValue", "CancelRotateSecret", "DeleteSecret"])
def test_somebody_interferes(fleet: Fleet, after: str) -> None:
    fleet.make("a")
    fleet.target.open.clear()
    client = fleet.service.client()

    def interfere() -> None:
        until(lambda: fleet.target.running == ["a"])
        time.sleep(0.5)  # the command has looked once
        match after:
            case "PutSecretValue":
                client.put_secret_value(SecretId="a", SecretString="x")
            case "CancelRotateSecret":
                client.cancel_rotate_secret(SecretId="a")
            case _:
                client.delete_secret(SecretId="a")

    thread = threading.Thread(target=interfere)
    thread.start()
    code, out, _ = fleet.rotate("a", "--timeout", "20")
    thread.join()
    assert code == 1
    why = {"PutSecretValue": "lost AWSPENDING", "CancelRotateSecret": "was cancelled", "DeleteSecret": "for deletion"}
    assert why[after] in out


def test_throttled_calls_are_made_again(fleet: Fleet) -> None:
    names = fleet.many(15)
    calls = Counter[str]()
    lock = threading.Lock()

    def throttle(operation: str, _: dict[str, Any]) -> tuple[int, dict[str, str]] | None:
        with lock:
            calls[operation] += 1
            if operation in {"RotateSecret", "DescribeSecret"} and calls[operation] % 5 == 0:
                calls["throttled"] += 1
                return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
        return None

    fleet.refuse = throttle
    assert fleet.endings("--prefix", "s/", "--yes", "--at-once", "10") == dict.fromkeys(names, "rotated")
    assert fleet.rotations() == Counter(names)
    assert calls["throttled"] >= 6


def test_throttled_to_the_end(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.make("a")
    hasten(monkeypatch)
    fleet.refuse = lambda operation, _: (
        (400, {"__type": "ThrottlingException", "message": "Rate exceeded"}) if operation == "RotateSecret" else None
    )
    code, out, _ = fleet.rotate("a")
    assert code == 1
    assert "failed  a  throttled, however often it was asked" in out


@pytest.mark.parametrize(
    ("error", "refused", "ending", "why"),
    [
        ("ThrottlingException", 30, "rotated", None),
        ("ThrottlingException", 10**9, "unfinished", "after 0.4 s it could not be asked: ThrottlingException"),
        ("AccessDeniedException", 10**9, "unfinished", "it was started, and can't be looked at: AccessDeniedException"),
        ("ResourceNotFoundException", 10**9, "failed", "it is gone"),
    ],
)
def test_looks_that_are_refused(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, error: str, refused: int, ending: str, why: str | None
) -> None:
    """boto3 makes a throttled call ten times: thirty refusals are three looks, and the fourth sees it."""
    fleet.make("a")
    hasten(monkeypatch)
    looks = itertools.count()

    def refuse(operation: str, _: dict[str, Any]) -> tuple[int, dict[str, str]] | None:
        if operation == "DescribeSecret" and fleet.service.count("RotateSecret") and next(looks) < refused:
            return 400, {"__type": error, "Message": "no"}
        return None

    fleet.refuse = refuse
    timeout = "30" if ending == "rotated" else "0.4"
    (told,) = json.loads(fleet.rotate("a", "--json", "--timeout", timeout)[1])["secrets"]
    assert (told["ending"], told["why"]) == (ending, why)


def test_an_answer_that_is_lost_begins_no_second_rotation(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer to RotateSecret is lost: the version's id was ours, so it is found and followed."""
    names = fleet.many(3)
    hasten(monkeypatch)

    def lose(operation: str, request: dict[str, Any]) -> tuple[int, dict[str, str]] | None:
        if operation != "RotateSecret":
            return None
        fleet.service.respond("secretsmanager.RotateSecret", json.dumps(request).encode())
        return 500, {"__type": "InternalServiceError", "Message": "lost"}

    fleet.refuse = lose
    assert fleet.endings(*names) == dict.fromkeys(names, "rotated")
    assert fleet.rotations() == Counter(names)


def test_unknown_names_are_refused_before_anything_is_started(fleet: Fleet) -> None:
    fleet.make("a")
    code, out, err = fleet.rotate("a", "nobody", "none")
    assert (code, out) == (2, "")
    assert "no such secret: nobody, none in eu-central-1; nothing was started" in err
    assert fleet.service.count("RotateSecret") == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "say which"),
        (["a", "--prefix", "s/"], "say which"),
        (["--prefix", "nobody/"], "no secret in eu-central-1 has that prefix"),
        (["--prefix", "plain"], "none of the 1 secrets found has a rotation"),
        (["a", "--region", "us-east-1"], "one Region at a time"),
        (["--prefix", "s/"], "say --yes to rotate these 3 secrets; nothing was started"),
        (["a", "--journal", "."], "the journal . can't be opened"),
    ],
)
def test_refused(fleet: Fleet, arguments: list[str], why: str) -> None:
    fleet.many(3)
    fleet.make("a")
    fleet.make("plain", rotated=False)
    code, _, err = fleet.rotate(*arguments)
    assert code == 2
    assert f"rotators: {why}" in err.splitlines()[-1]
    assert fleet.service.count("RotateSecret") == 0


@pytest.mark.parametrize("option", ["--at-once=0", "--at-once=x", "--stop-after=-1", "--timeout=nan", "--stagger=-1"])
def test_numbers_that_are_none(fleet: Fleet, option: str) -> None:
    with pytest.raises(SystemExit) as ended:
        fleet.rotate("a", option)
    assert ended.value.code == 2


def test_a_plan_only_reads(fleet: Fleet, tmp_path: Path) -> None:
    fleet.make("s/a", "orders")
    fleet.make("s/b")
    fleet.make("s/c", rotated=False)
    journal = tmp_path / "journal"

    code, out, _ = fleet.rotate("--prefix", "s/", "--plan", "--journal", str(journal))

    assert code == 0
    assert out.splitlines() == [
        "rotate  s/a  apart from others of orders",
        "rotate  s/b",
        "",
        "2 rotate, 1 leave out",
        "left out, 1: it has no rotation",
    ]
    assert {call.operation for call in fleet.service.calls} == {"ListSecrets"}
    assert not journal.exists()
    assert [entry["action"] for entry in json.loads(fleet.rotate("s/b", "s/c", "--plan", "--json")[1])["secrets"]] == [
        "rotate", "leave out",
    ]  # fmt: skip


def test_a_tag_finds_them(fleet: Fleet) -> None:
    fleet.make("s/a", team="shop")
    fleet.make("s/b", team="mail")
    fleet.make("t/c", team="shop")
    assert fleet.rotate("--tag", "team=shop", "--plan")[1].splitlines()[:2] == ["rotate  s/a", "rotate  t/c"]
    assert fleet.endings("--tag", "team=shop", "--prefix", "t/") == {"t/c": "rotated"}


def test_ten_thousand_planned(fleet: Fleet) -> None:
    fleet.make("one")
    fleet.many(10_000)

    code, out, _ = fleet.rotate("--prefix", "s/", "--plan")

    assert code == 0
    assert out.splitlines()[-1] == "10000 rotate"
    assert len(out.splitlines()) == 10_002
    assert [call.operation for call in fleet.service.calls] == ["ListSecrets"] * 100


def test_killed_in_the_middle_and_resumed(fleet: Fleet, tmp_path: Path) -> None:
    names = fleet.many(24)
    journal = tmp_path / "journal"
    fleet.target.takes = 0.3
    arguments = ("--prefix", "s/", "--yes", "--at-once", "6", "--journal", str(journal))
    with fleet.process(*arguments) as process:
        until(lambda: sum(fleet.rotations().values()) >= 8)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = fleet.rotations()
    assert 8 <= len(before) < 24

    endings = fleet.endings(*arguments)

    assert set(endings) == set(names)
    assert set(endings.values()) == {"rotated", "rotated before"}
    assert fleet.rotations() == Counter(names), "each was rotated once, and none twice"
    assert fleet.endings(*arguments) == dict.fromkeys(names, "rotated before")
    assert {entry.happened for entry in Journal.read(journal).values()} == {Happened.ROTATED}
    assert CANARY not in journal.read_text()
    assert journal.stat().st_mode & 0o777 == 0o600


def test_the_journal_is_written_before_the_call(fleet: Fleet, tmp_path: Path) -> None:
    """So a process that dies between the two has told of it (law 2)."""
    journal, told = tmp_path / "journal", []
    arn = fleet.make("a")

    def look(operation: str, request: dict[str, Any]) -> None:
        if operation == "RotateSecret":
            entry = Journal.read(journal)[arn]
            told.append((entry.happened, entry.version == request["ClientRequestToken"]))

    fleet.refuse = look
    assert fleet.rotate("a", "--journal", str(journal))[0] == 0
    assert told == [(Happened.STARTING, True)]


@pytest.mark.parametrize("called", [True, False])
def test_killed_before_or_after_the_call(fleet: Fleet, tmp_path: Path, called: bool) -> None:
    """The journal says `starting`, and nobody knows whether RotateSecret was called."""
    arn = fleet.make("a")
    journal = tmp_path / "journal"
    with Journal.open(journal) as open_journal:
        from rotators.fleet.candidate import Candidate

        candidate = Candidate.of(fleet.service.client().describe_secret(SecretId=arn), region="", apart_by=GROUP)
        open_journal.note(Happened.STARTING, candidate, "v" * 32)
    if called:
        fleet.service.client().rotate_secret(SecretId=arn, ClientRequestToken="v" * 32)
        assert fleet.service.wait(arn)

    assert fleet.endings("a", "--journal", str(journal)) == {"a": "rotated before" if called else "rotated"}

    assert fleet.rotations() == {"a": 1}
    assert fleet.service.labels(arn)["v" * 32] == ["AWSCURRENT"]


def test_what_failed_is_begun_anew_and_what_is_unfinished_is_followed(fleet: Fleet, tmp_path: Path) -> None:
    fleet.make("denied")
    fleet.make("ill")
    fleet.target.failing = {"ill"}
    journal = ("--journal", str(tmp_path / "journal"))
    fleet.refuse = lambda operation, request: (
        (400, {"__type": "AccessDeniedException", "Message": "no"})
        if operation == "RotateSecret" and ":secret:denied" in request["SecretId"]
        else None
    )
    assert fleet.endings("denied", "ill", *journal, "--timeout", "2") == {"denied": "failed", "ill": "unfinished"}

    fleet.refuse = lambda *_: None
    assert fleet.endings("denied", "ill", *journal, "--timeout", "2") == {"denied": "rotated", "ill": "unfinished"}
    assert fleet.service.count("RotateSecret") == 2

    (pending,) = [version for version, labels in fleet.service.labels("ill").items() if labels == ["AWSPENDING"]]
    fleet.service.client().update_secret_version_stage(
        SecretId="ill", VersionStage="AWSPENDING", RemoveFromVersionId=pending
    )
    fleet.target.failing = set()
    assert fleet.endings("denied", "ill", *journal) == {"denied": "rotated before", "ill": "rotated"}


def test_two_runs_on_one_journal_are_refused(fleet: Fleet, tmp_path: Path) -> None:
    fleet.many(2)
    journal = ("--journal", str(tmp_path / "journal"))
    fleet.target.open.clear()
    with fleet.process("s/000", *journal) as process:
        until(lambda: bool(fleet.target.running))
        code, _, err = fleet.rotate("s/001", *journal, "--timeout", "1")
        assert code == 2
        assert "another run writes" in err
        assert fleet.rotate("s/000", *journal, "--plan")[1].startswith("follow  s/000")
        fleet.target.open.set()
        assert process.wait(20) == 0
    assert fleet.rotate("s/001", *journal)[0] == 0


def test_a_line_half_written_and_a_file_that_is_none_of_ours(fleet: Fleet, tmp_path: Path) -> None:
    fleet.many(2)
    journal = tmp_path / "journal"
    assert fleet.rotate("s/000", "--journal", str(journal))[0] == 0
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"at": "2026-')
    assert fleet.endings("s/000", "s/001", "--journal", str(journal)) == {"s/000": "rotated before", "s/001": "rotated"}
    assert journal.read_bytes().startswith(whole)
    assert len(Journal.read(journal)) == 2

    for content in (b"PRECIOUS=1", b"PRECIOUS=1\n", whole + b"{}\n"):
        journal.write_bytes(content)
        code, _, err = fleet.rotate("s/000", "--journal", str(journal))
        assert code == 2
        assert "is no journal" in err or "somebody has changed it" in err
        assert journal.read_bytes() == content


def test_a_full_disk_starts_no_more(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = fleet.many(5)
    write, lines = os.write, 0

    def fill(descriptor: int, text: bytes) -> int:
        nonlocal lines
        lines += b'"happened"' in text
        if lines == 5:
            write(descriptor, text[:9])
            raise OSError(28, "No space left on device")
        return write(descriptor, text)

    monkeypatch.setattr(os, "write", fill)
    code, out, err = fleet.rotate(*names, "--at-once", "1", "--journal", str(tmp_path / "journal"))
    assert code == 1
    assert "the journal can't be written: No space left on device: no more are started" in err
    assert out.startswith("3 not started, 2 rotated; stopped")
    monkeypatch.undo()
    assert {entry.happened for entry in Journal.read(tmp_path / "journal").values()} == {Happened.ROTATED}


def test_ctrl_c_once_follows_and_twice_leaves(fleet: Fleet, tmp_path: Path) -> None:
    names = fleet.many(6)
    arguments = (*names, "--at-once", "2", "--journal", str(tmp_path / "journal"))
    fleet.target.open.clear()
    with fleet.process(*arguments) as process:
        assert process.stderr is not None
        until(lambda: len(fleet.target.running) == 2)
        process.send_signal(signal.SIGINT)
        told = [process.stderr.readline() for _ in range(3)]
        assert told[2] == "Ctrl+C: no more are started, 2 are followed, Ctrl+C leaves them\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 130
    assert "4 not started, 2 unfinished; stopped: Ctrl+C" in out
    assert f"the same command with --journal {tmp_path / 'journal'} goes on from here" in err

    with fleet.process(*arguments, "--json") as process:
        assert process.stderr is not None
        assert [process.stderr.readline() for _ in range(2)] == ["started  s/000\n", "started  s/001\n"]
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline().startswith("Ctrl+C")
        fleet.target.open.set()
        out, _ = process.communicate(timeout=20)
        assert process.returncode == 130
    endings = Counter(entry["ending"] for entry in json.loads(out)["secrets"])
    assert endings == {"rotated": 2, "not started": 4}
    assert fleet.rotations() == Counter(names[:2])


def test_on_a_terminal_it_asks_and_draws(fleet: Fleet) -> None:
    fleet.many(3)
    fleet.target.takes = 0.7
    terminal, other = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "rotators", *fleet.command, "--prefix", "s/"],
        stdin=other, stdout=subprocess.PIPE, stderr=other, text=True, env=os.environ | {"TERM": "xterm"},
    ) as process:  # fmt: skip
        os.close(other)
        shown = b""

        def read_until(text: bytes) -> None:
            nonlocal shown
            deadline = time.monotonic() + 30
            while text not in shown:
                assert time.monotonic() < deadline, shown
                if select.select([terminal], [], [], 1)[0]:
                    shown += os.read(terminal, 4096)

        read_until(b"Rotate these 3 secrets now? [y/N] ")
        assert fleet.service.count("RotateSecret") == 0
        os.write(terminal, b"y\n")
        read_until("━".encode())
        read_until(b"s/002")
        out, _ = process.communicate(timeout=30)
    os.close(terminal)
    assert process.returncode == 0
    assert out == "3 rotated\n"


def test_through_a_real_postgresql(
    world: Callable[..., World], service: SecretsManager, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three roles, one function in a process of its own; one role is gone, and its secret alone is unfinished."""
    apps = [world() for _ in range(3)]
    old = [app.value()["password"] for app in apps]
    apps[1].execute(f"DROP ROLE {apps[1].username}")
    fleet = Fleet(service, capsys)
    with Endpoint(service) as fleet.url:
        variables = {
            "SECRETS_MANAGER_ENDPOINT": fleet.url,
            "ROTATORS_CA_BUNDLE": os.environ.get("ROTATORS_CA_BUNDLE", ""),
        }
        with Sandbox("rotators.handlers.database.handler", variables, tmp_path / "log") as sandbox:
            function = service.add_function("database", sandbox)
            for app in apps:
                service.account.find(app.arn).rotation_function = function
            code, out, _ = fleet.rotate(*(app.arn for app in apps), "--at-once", "1", "--timeout", "8", "--json")
            assert not any(password in out for password in [*old, *(app.value()["password"] for app in apps)])

    assert code == 1
    assert [entry["ending"] for entry in json.loads(out)["secrets"]] == ["rotated", "unfinished", "rotated"]
    for app, password in [(apps[0], old[0]), (apps[2], old[2])]:
        assert app.opens()
        assert not app.admits(password)
    assert apps[1].value()["password"] == old[1]
