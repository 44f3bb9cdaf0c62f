"""A whole rotation against a real server: what it does, what it costs, and what the server's log saw of it."""

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing import resume, rotate, test_rotation

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.postgres import Postgres
    from tests.world import World

NAMES = [
    "plain",
    "MiXed Case",
    'quo"ted "" twice',
    "it's",
    "per%cent %s %u %(x)s",
    "dot.ted.name",
    "back\\slash",
    "semi;colon -- DROP",
    "dollar $1 $$",
    "naïve-ünïcödé",
    "日本語",
    "🔑",
    "x" * 63,
    "SELECT",
    " leading and trailing ",
    "new\nline",
    "a=b host=elsewhere",
]
PASSWORDS = [
    "".join(chr(c) for c in range(32, 127)),
    "".join(chr(c) for c in range(126, 31, -1)),
    "".join(chr(c) for c in range(161, 256)),
    "密码パスワード비밀",
    "🔑🗝️ emoji",
    "'",
    "\\",
    "\\' OR 1=1 --",
    " spaces at both ends ",
    "ﬁ ligature and ª ordinal",
    "x" * 900,
    "\t\n control",
    "SCRAM-SHA-256$4096:fake",
    "md5" + "0" * 31,
]


def test_three_rotations(world: Callable[..., World]) -> None:
    app = world(extra={"keep": [1, 2.5, None]}, port_note="5432")
    keys = list(app.value())
    for _ in range(3):
        before = app.value()
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert [step.step for step in outcome.steps] == ["createSecret", "setSecret", "testSecret", "finishSecret"]
        assert app.opens()
        assert not app.admits(before["password"])
        after = app.value()
        assert list(after) == keys
        assert {k: v for k, v in after.items() if k != "password"} == {
            k: v for k, v in before.items() if k != "password"
        }
        assert len(after["password"]) == 32


def test_a_normal_rotation_causes_no_failed_login(world: Callable[..., World]) -> None:
    app = world()
    with app.log() as lines:
        assert rotate(app.service, app.arn).succeeded
    assert any(app.username in line for line in lines)
    assert [line for line in lines if "FATAL" in line or "ERROR" in line] == []


def test_neither_password_nor_old_password_reach_the_servers_log(world: Callable[..., World]) -> None:
    app = world()
    old = app.value()["password"]
    with app.log() as lines:
        assert rotate(app.service, app.arn).succeeded
    text = "\n".join(lines)
    assert "ALTER ROLE" in text
    assert "SCRAM-SHA-256$" in text
    assert app.value()["password"] not in text
    assert old not in text


@pytest.mark.parametrize("name", NAMES)
def test_hard_names(world: Callable[..., World], name: str) -> None:
    app = world(username=name)
    try:
        assert rotate(app.service, app.arn).succeeded
        assert app.opens()
    finally:
        app.execute(f"DROP ROLE {quoted(name)}")


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize("encryption", ["scram-sha-256", "md5"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_hard_passwords(world: Callable[..., World], md5_server: Postgres, password: str, encryption: str) -> None:
    """Stored by hand as pending, so that nothing but the engine is between them and the server; and as current."""
    app = world(server=md5_server)
    app.alter(f"SET password_encryption = '{encryption}'")
    for value in (password, "and-back-again"):
        token = app.pending(password=value)
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            app.step(step, token)
        assert app.value()["password"] == value
        assert app.opens()


def test_every_printable_character_may_be_drawn(world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCLUDE_CHARACTERS", "")
    monkeypatch.setenv("PASSWORD_LENGTH", "512")
    app = world()
    assert rotate(app.service, app.arn).succeeded
    drawn = set(app.value()["password"])
    assert len(drawn & set(string.punctuation)) > 20
    assert app.opens()


def test_md5_where_the_server_says_so_with_a_warning(
    world: Callable[..., World], md5_server: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    app = world(server=md5_server)
    assert rotate(app.service, app.arn).succeeded
    assert app.execute(f"SELECT left(rolpassword, 3) FROM pg_authid WHERE rolname = '{app.username}'") == [("md5",)]
    assert "password_encryption is md5, which is weak" in caplog.text


def test_set_role_is_active(world: Callable[..., World]) -> None:
    """A role can't change its own password while it acts as another."""
    app = world()
    owner = f"owner_{app.username}"
    app.execute(f"CREATE ROLE {owner} NOLOGIN", f"GRANT {owner} TO {app.username}")
    app.alter(f"SET ROLE = '{owner}'")
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


@pytest.mark.parametrize(
    "setting",
    [
        "default_transaction_read_only = on",
        "search_path = nowhere",
        "statement_timeout = '10min'",
        "default_transaction_isolation = 'serializable'",
        "standard_conforming_strings = off",
        "bytea_output = 'escape'",
        "client_min_messages = 'debug5'",
    ],
)
def test_settings_of_the_role_do_not_matter(world: Callable[..., World], setting: str) -> None:
    app = world()
    app.alter(f"SET {setting}")
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


def test_a_test_alone_passes(world: Callable[..., World]) -> None:
    """RotateImmediately=false runs testSecret alone, on a temporary pending version."""
    app = world()
    outcome = test_rotation(app.service, app.arn)
    assert outcome.succeeded, outcome.error
    assert app.opens()


def test_a_replay_after_success_is_a_quiet_success(world: Callable[..., World]) -> None:
    app = world()
    outcome = rotate(app.service, app.arn)
    before = app.value()
    app.service.calls.clear()
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        app.step(step, outcome.version)
    assert {call.operation for call in app.service.calls} == {"DescribeSecret"}
    assert app.value() == before


@pytest.mark.parametrize("times", [2, 3])
def test_each_step_may_run_several_times(world: Callable[..., World], times: int) -> None:
    app = world()
    token = app.pending()
    seen = set()
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        for _ in range(times):
            app.step(step, token)
            if step != "finishSecret":
                seen.add(app.value("AWSPENDING")["password"])
    assert len(seen) == 1
    assert app.value()["password"] in seen
    assert app.opens()


def test_at_most_twelve_calls(world: Callable[..., World]) -> None:
    app = world()
    rotate(app.service, app.arn)
    app.service.calls.clear()
    outcome = rotate(app.service, app.arn)
    ours = [call.operation for call in app.service.calls if call.operation != "RotateSecret"]
    assert outcome.succeeded
    assert len(ours) == 10
    assert sum(step.calls for step in outcome.steps) == 10


def test_a_failed_rotation_is_healed_by_the_retry(world: Callable[..., World]) -> None:
    app = world()
    handler = app.handler

    def dies_after_set(event: Any, context: Any) -> None:
        handler(event, context)
        if event["Step"] == "setSecret":
            raise RuntimeError("the sandbox is gone")

    app.handler = dies_after_set
    assert not rotate(app.service, app.arn).succeeded
    assert not app.opens()
    assert app.opens("AWSPENDING")
    app.handler = handler
    assert resume(app.service, app.arn).succeeded
    assert app.opens()


def test_the_outage_window_is_measured(world: Callable[..., World], caplog: pytest.LogCaptureFixture) -> None:
    """From the change to the label's move, on the finishing line and as a metric."""
    caplog.set_level("INFO")
    app = world()
    outcome = rotate(app.service, app.arn)
    line = vars(next(r for r in caplog.records if r.getMessage() == "finishSecret succeeded"))
    inside = sum(step.seconds for step in outcome.steps[1:]) * 1000
    assert 0 < line["outage_window_ms"] < inside
    assert line["strategy"] == "single"
    setting = vars(next(r for r in caplog.records if r.getMessage() == "setSecret succeeded"))
    assert setting["authority"] == "AWSCURRENT"


def test_each_step_is_one_line_of_the_same_fields(
    world: Callable[..., World], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    app = world()
    assert rotate(app.service, app.arn).succeeded
    lines = [vars(record) for record in caplog.records if record.getMessage().endswith(" succeeded")][-4:]

    assert [line["step"] for line in lines] == ["createSecret", "setSecret", "testSecret", "finishSecret"]
    for line in lines:
        assert (line["secret_id"], line["standing"], line["verdict"]) == (app.arn, "pending", "run")
        assert line["version"] == lines[0]["version"]
        assert (line["engine"], line["strategy"]) == ("postgres", "single")
        assert line["duration_ms"] > 0
        assert line["calls"] > 0


def test_the_metrics(world: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    app = world()
    assert rotate(app.service, app.arn).succeeded
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    names = [metric["Name"] for line in lines for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    assert names.count("RotationStepSucceeded") >= 4
    assert names.count("OutageWindow") == 1
    assert {line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in lines} == {"Rotators"}
    assert not any(app.arn in json.dumps(line) for line in lines)
