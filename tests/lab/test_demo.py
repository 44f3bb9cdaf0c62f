"""`rotators demo`, as its users start it: a process, its output in a pipe, and its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from rotators.lab.drawing import Drawing
from rotators.lab.login_client import Attempt, Login
from rotators.lab.promises import Promise, check
from rotators.lab.sandbox import Sandbox, SandboxDied, StepFailed
from rotators.lab.scenario import Scenario
from rotators.lab.stall import Stall
from rotators.lab.story import Act, Label, Step, Try
from rotators.lab.timeline import Scale, ruler, strip
from rotators.lab.world import World
from rotators.testing import LambdaContext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.lab.postgres import Postgres

COMMAND = [sys.executable, "-m", "rotators", "demo"]
STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


def environment(scratch: Path, **more: str) -> dict[str, str]:
    """A user's, with settings of his own that must not get in."""
    strange = {"PGPORT": "1", "AWS_PROFILE": "nobody", "PASSWORD_LENGTH": "abc", "ROTATORS_CA_BUNDLE": "/nowhere"}
    return {**os.environ, **strange, "TMPDIR": str(scratch), "PYTHONIOENCODING": "utf-8", **more}


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where the demo makes its files: reachable for a server's account, which tmp_path is not."""
    with tempfile.TemporaryDirectory(prefix="rotators-test-", dir="/tmp") as path:
        Path(path).chmod(0o1777)
        yield Path(path)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "handler.log"


def test_the_demo_keeps_its_promises_in_a_pipe(scratch: Path, log: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--log", str(log)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment(scratch, COLUMNS="80"),
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    lines = done.stdout.splitlines()
    assert lines[-1].startswith("all promises kept: 4 rotations, ")
    assert "\x1b" not in done.stdout  # no colour, no cursor, in a pipe
    assert max(len(line) for line in lines if "kept:" not in line) <= 80

    told = [line.split()[0] for line in lines if line.split()[:1] and line.split()[0] in STEPS]
    assert told == [*(3 * STEPS), "createSecret", "setSecret", *STEPS]
    assert sum("killed by SIGKILL" in line for line in lines) == 1
    killed = done.stdout.partition("killed by SIGKILL")[2]
    assert re.search(r"✗ AWSCURRENT \w{8}  is refused\n\s+✓ AWSPENDING (\w{8})  opens the database", killed)
    assert "one is stored: kept" in killed
    assert "the role has it: left alone" in killed
    pending = re.search(r"AWSPENDING (\w{8})", killed)
    assert pending
    assert f"✓ AWSCURRENT {pending[1]}" in killed  # what was pending is current in the end, by the same version

    written = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["step"] for line in written if "message" in line and "succeeded" in line["message"]] == [
        *(3 * STEPS),
        "createSecret",
        *STEPS,
    ]
    versions = {line["version"] for line in written if "version" in line}
    assert len(versions) == 4
    assert not any(version in done.stdout for version in versions)  # by their first 8 characters only
    assert list(scratch.iterdir()) == []  # nothing is left


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(scratch: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        COMMAND,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(scratch, PYTHONUNBUFFERED="1"),
        # a shell's background jobs, the tests among them, ignore SIGINT, and hand that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - forks no thread of ours
    )
    assert process.stdout
    for line in process.stdout:
        if b"ready in" in line:
            break
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert b"Traceback" not in errors
    assert list(scratch.iterdir()) == []


def test_without_a_server_it_names_the_command_to_run(scratch: Path) -> None:
    env = environment(scratch, ROTATORS_POSTGRES_BIN=str(scratch))
    done = subprocess.run(COMMAND, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"rotators demo: ROTATORS_POSTGRES_BIN is {scratch}")
    assert list(scratch.iterdir()) == []


class Nobody:
    """An audience that only remembers the verdict."""

    def __init__(self) -> None:
        self.broken: list[str] = []

    def waiting(self, text: str) -> nullcontext[None]:
        return nullcontext()

    def scene(self, world: World) -> None:
        pass

    def watching(self, act: Act) -> nullcontext[None]:
        return nullcontext()

    def verdict(self, acts: list[Act], kept: list[Promise]) -> None:
        self.broken = [promise.text for promise in kept if not promise.kept]


def rotates_nothing(event: dict[str, object], context: LambdaContext) -> None:
    """A handler that is content with doing nothing."""


def test_a_rotator_that_does_not_rotate_is_found_out(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "handler", "tests.lab.test_demo.rotates_nothing")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    log.touch()
    audience = Nobody()
    assert not Scenario(audience, log).play()
    assert "after each rotation AWSCURRENT is the new version and opens" in audience.broken


def handler(event: dict[str, object], context: LambdaContext) -> None:
    """What the sandboxes below run."""
    sys.stdout.write("a line of the log\n")
    if event["Step"] == "sleep":
        time.sleep(30)
    if event["Step"] == "fail":
        raise ValueError("it failed")
    assert 0 < context.get_remaining_time_in_millis() <= 5000
    assert os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    assert "SETTING" not in os.environ


def test_a_sandbox_runs_a_handler_and_says_how_it_went(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTING", "of the user's own")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    with Sandbox("tests.lab.test_demo.handler", {}, log) as sandbox:
        sandbox.wait_until_booted()
        sandbox({"Step": "work"}, LambdaContext(timeout=5))
        with pytest.raises(StepFailed, match="it failed") as failed:
            sandbox({"Step": "fail"}, LambdaContext(timeout=5))
        assert failed.value.kind == "ValueError"
        sandbox({"Step": "work"}, LambdaContext(timeout=5))  # as warm as before
        assert log.read_text() == 3 * "a line of the log\n"
        with pytest.raises(TimeoutError):
            sandbox({"Step": "sleep"}, LambdaContext(timeout=0.2))
        with pytest.raises(SandboxDied, match="killed by SIGKILL"):
            sandbox({"Step": "work"}, LambdaContext(timeout=5))


def test_the_stall_holds_a_change_before_its_proof(postgres_server: Postgres) -> None:
    """By locks, not by luck: an ALTER ROLE goes through, and no login does until the stall is over."""
    postgres_server.execute("CREATE ROLE lab_stalled LOGIN PASSWORD 'old'")
    statement = "import sys, psycopg; psycopg.connect(sys.argv[1], autocommit=True).execute(sys.argv[2])"
    with postgres_server.connect() as look, Stall(postgres_server, "lab_stalled") as stall:
        target = f"{look.info.dsn} password={postgres_server.superuser_password}"
        change = "ALTER ROLE lab_stalled PASSWORD 'new'"
        changer = subprocess.Popen([sys.executable, "-c", statement, target, change])
        stall.wait_until_changed()
        assert changer.wait(10) == 0
        with pytest.raises(psycopg.OperationalError, match="timeout"):
            psycopg.connect(target, connect_timeout=2)
    postgres_server.execute("SELECT 1")


def attempts(*results: Login) -> list[Attempt]:
    return [Attempt(number, number + 0.9, result) for number, result in enumerate(results)]


IN, OUT, ELSE = Login.OPENED, Login.REFUSED, Login.FAILED


def test_a_strip_shows_the_worst_of_each_cell() -> None:
    assert strip(Scale(0, 5, 5), attempts(IN, OUT, ELSE)) == [IN, OUT, ELSE, None, None]
    assert strip(Scale(0, 4, 2), attempts(IN, OUT, IN, IN)) == [OUT, IN]
    assert strip(Scale(0, 4, 4), []) == [None] * 4


def test_every_step_has_its_place_on_the_ruler() -> None:
    steps = [
        Step("createSecret", 1, 5),
        Step("setSecret", 5, 5.1),
        Step("testSecret", 5.1, 5.2),
        Step("finishSecret", 8),
    ]
    placed = [(first, behind) for _, first, behind in ruler(Scale(0, 10, 10), steps)]
    assert placed == [(1, 5), (5, 6), (6, 7), (8, 9)]


def test_kept_out_is_from_a_refused_attempt_to_the_next_that_opened() -> None:
    def act(*results: Login) -> Act:
        return Act("", [], lambda _began, _ended: attempts(*results), began=0, ended=10)

    assert act(IN, IN).kept_out == 0
    assert act(IN, OUT, OUT, IN).kept_out == pytest.approx(2.9)
    assert act(IN, OUT, OUT).kept_out == pytest.approx(1.9)


class Seen:
    """As much of a world as the promises look at."""

    refused = 0

    def __init__(self, refusals: int = 0, leaks: tuple[str, ...] = ()) -> None:
        self._refusals, self._leaks = refusals, list(leaks)

    def refusals(self) -> int:
        return self._refusals

    def leaks(self) -> list[str]:
        return self._leaks


def good_story() -> list[Act]:
    def steps(*names: str) -> list[Step]:
        return [Step(name, 10 + number, 10 + number + 1, ["DescribeSecret"]) for number, name in enumerate(names)]

    def act(old: str, new: str) -> Act:
        labels = [Label("AWSCURRENT", new, opens=True), Label("AWSPREVIOUS", old, opens=False)]
        before = [Label("AWSCURRENT", old, opens=True)]
        return Act("", before, lambda _b, _e: [], 0, 20, [Try("", steps(*STEPS), labels)])

    killed = act("b", "c")
    died = steps(*STEPS[:2])
    died[1].failure = "killed"
    halfway = [Label("AWSCURRENT", "b", opens=False), Label("AWSPENDING", "c", opens=True)]
    killed.tries.insert(0, Try("", died, halfway))
    return [act("a", "b"), killed]


def broken(acts: list[Act], seen: Seen | None = None, *more: Attempt) -> list[str]:
    tried = [Attempt(5, 5.5, IN), *more]
    return [promise.text for promise in check(seen or Seen(), acts, tried) if not promise.kept]  # type: ignore[arg-type]


def test_every_promise_can_be_broken() -> None:
    assert broken(good_story()) == []
    assert broken(good_story(), Seen(1, ()), Attempt(12, 12.5, OUT)) == []

    assert len(broken([])) == 3
    acts = good_story()
    acts[0].tries[0].steps[2].failure = "no"
    assert "the new version" in broken(acts)[0]
    acts = good_story()
    acts[0].tries[0].labels[0] = Label("AWSCURRENT", "b", opens=False)
    assert "the new version" in broken(acts)[0]
    acts = good_story()
    acts[0].steps[0].calls.extend(["GetSecretValue"] * 20)
    assert "at most 12" in broken(acts)[0]
    assert "refused only between" in broken(good_story(), Seen(1), Attempt(2, 3, OUT))[0]
    assert broken(good_story(), None, Attempt(2, 3, ELSE, "no route")) == ["the client met no other failure: no route"]
    assert "tried a wrong password" in broken(good_story(), Seen(2))[0]
    acts = good_story()
    acts[1].tries[0].labels[1] = Label("AWSPENDING", "c", opens=False)
    assert "lost nothing" in broken(acts)[0]
    acts = good_story()
    acts[1].tries[0].steps[1].failure = ""
    assert "lost nothing" in broken(acts)[0]
    assert broken(good_story(), Seen(0, ("the server's log",))) == ["no password in any log, but in the server's log"]


@pytest.mark.parametrize("width", [72, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    acts = good_story()
    acts[1].tries[0].steps[1].failure = "a long failure, as a rotation may give one, with cause and remedy, " * 3
    drawing = Drawing(width)
    lines = [line for act in acts for line in drawing.act(act)]
    assert max(line.cell_len for line in lines) <= width
    assert any("remedy" in line.plain for line in lines)
