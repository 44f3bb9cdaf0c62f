"""Law 9: canaries in every value, every log of the server switched on, and nothing of them in anything that is written."""

from __future__ import annotations

import dataclasses
import gc
import logging
import sys
import traceback
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from rotators import RotatorsError
from rotators.database_secret import DatabaseSecret
from rotators.engines.mysql import alterations, change, plan
from rotators.engines.mysql.accounts import Account, Entry
from rotators.engines.mysql.alterations import Alteration, Form, Passwords
from rotators.engines.mysql.session import MySQLError, Session
from rotators.testing import LambdaContext, rotate, rotation_event
from tests.mysql.conftest import setting
from tests.mysql.stage import SINGLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from rotators.lab.mysqld import Mysqld
    from tests.mysql_world import MySQLWorld

    Make = Callable[..., MySQLWorld]

TOKEN = "token-c4n4ry-0123456789-0123456789"
WAYS = ["plain", "itself", "admin"]


def canary(name: str) -> str:
    return f"{name}-c4n4ry'\"\\-{uuid.uuid4().hex[:8]}"


def forms(secret: str) -> set[str]:
    """The part of a secret that every way to quote it leaves as it is, and what its letters are in hex."""
    tail = secret.rpartition("-")[2]
    return {tail, tail.encode().hex(), tail.encode().hex().upper(), f"c4n4ry-{tail}"}


def written(server: Mysqld, before: dict[Path, bytes] | None = None) -> dict[Path, bytes]:
    """Every log of a server, from where it ended before: its own, the general one, the slow one, the binary ones."""
    files = [
        *server.directory.glob("*.log"),
        *server.data.glob("*-slow.log"),
        *server.data.glob("binlog.0*"),
        server.log,
    ]
    return {path: path.read_bytes()[len((before or {}).get(path, b"")) :] for path in files if path.exists()}


def remembered(server: Mysqld) -> str:
    """What MySQL's performance schema keeps of statements."""
    if server.engine == "mariadb":
        return ""
    tables = ("events_statements_history_long", "events_statements_history", "events_statements_current", "threads")
    return "".join(repr(server.execute(f"SELECT * FROM performance_schema.{table}")) for table in tables)


@pytest.mark.parametrize("by", WAYS)
def test_no_log_of_the_server_shows_a_password(odd: Mysqld, mysql_world: Make, by: str) -> None:
    """Set, kept beside another, refused, discarded, put back."""
    app = mysql_world(odd, password=(first := canary("first")), tags=SINGLE)
    secrets = [first]
    if by == "admin":
        secrets.append(app.with_admin(password="admin-c4n4ry-19c4a7")["password"])
    if by == "itself":
        app.execute(f"GRANT CREATE USER ON *.* TO {app.name}")
    begin = written(odd)  # the tests' own statements make accounts, with their passwords in plain text
    for number in range(3):
        secrets.append(canary(f"next{number}"))
        token = app.pending(password=secrets[-1])
        for step in ("createSecret", "setSecret", "setSecret", "testSecret", "finishSecret"):
            app.step(step, token)
    assert app.opens()
    secrets.append(canary("refused"))
    app.execute(f"ALTER USER {app.name} REQUIRE X509")
    with pytest.raises(RotatorsError):
        app.step("setSecret", app.pending(password=secrets[-1]))
    odd.execute("FLUSH LOGS")
    logs = written(odd, begin)
    assert any(b"SET PASSWORD" in text or b"ALTER USER" in text for text in logs.values())
    assert any(app.username.encode() in text for path, text in logs.items() if "binlog" in path.name)
    assert any(app.username.encode() in text for path, text in logs.items() if "slow" in path.name)
    found = [
        (path.name, secret)
        for path, text in logs.items()
        for secret in secrets
        if any(form.encode() in text for form in forms(secret))
    ]
    assert found == []
    assert [secret for secret in secrets if any(form in remembered(odd) for form in forms(secret))] == []
    assert odd.engine == "mariadb" or app.username in remembered(odd)


@pytest.mark.parametrize("by", WAYS)
def test_nothing_we_write_shows_a_password(
    odd: Mysqld, mysql_world: Make, by: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever fails, at the chattiest level; and no exception holds one, nor what it was raised from."""
    app = mysql_world(odd, password=(first := canary("first")), tags=SINGLE)
    if by == "admin":
        app.with_admin()
    if by == "itself":
        app.execute(f"GRANT CREATE USER ON *.* TO {app.name}")
    secrets = [first, "admin-Canary-19c4", canary("pending")]
    token = app.pending(password=secrets[-1])
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    said: list[str] = []
    breaking = [
        f"ALTER USER {app.name} REQUIRE X509",
        f"ALTER USER {app.name} REQUIRE NONE ACCOUNT LOCK",
        f"ALTER USER {app.name} ACCOUNT UNLOCK PASSWORD EXPIRE",
    ]
    for statement in breaking:
        app.execute(statement)
        for step in ("setSecret", "testSecret", "finishSecret"):
            try:
                app.handler(rotation_event(step, app.arn, token, TOKEN), LambdaContext())
            except RotatorsError as error:
                said += ["".join(traceback.format_exception(error)), repr(vars(error)), repr(error.__context__)]
    assert said
    said += [*capfd.readouterr(), *(f"{record.getMessage()} {record.__dict__!r}" for record in caplog.records)]
    hidden = {form for secret in secrets for form in forms(secret)} | {TOKEN}
    assert [word for word in hidden if any(word in text for text in said)] == []


KINDS = (
    Session,
    Alteration,
    Form,
    Passwords,
    Account,
    Entry,
    DatabaseSecret,
    MySQLError,
    change.Change,
    plan.Plan,
)


@pytest.mark.parametrize("by", WAYS)
def test_no_object_of_ours_shows_a_password(
    odd: Mysqld, mysql_world: Make, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some tools print the variables of every frame: whatever object of ours stands in one, its repr tells nothing."""
    app = mysql_world(odd, password=(first := canary("first")), tags=SINGLE)
    if by == "admin":
        app.with_admin()
    pending = canary("pending")
    shown: dict[str, list[str]] = {}

    def look(self: Session, statement: str, **how: Any) -> Any:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            for name, value in frame.f_locals.items():
                if isinstance(value, KINDS) or dataclasses.is_dataclass(value):
                    shown.setdefault(type(value).__name__, []).append(f"{name}={value!r}")
            frame = frame.f_back
        return rows(self, statement, **how)

    rows = Session.rows
    monkeypatch.setattr(Session, "rows", look)
    app.step("setSecret", app.pending(password=pending))
    assert {"Session", "DatabaseSecret", "Change", "Form", "Alteration"} <= shown.keys()
    seen = "".join(text for texts in shown.values() for text in texts)
    hidden = forms(first) | forms(pending) | {"admin-Canary"}
    assert [word for word in hidden if word in seen] == []
    for kind in (Passwords, Entry, Form, Alteration, DatabaseSecret):
        assert all("password" not in str(field.name) or not field.repr for field in dataclasses.fields(kind))
    assert alterations.__doc__


def test_a_servers_text_is_not_passed_on(odd: Mysqld, mysql_world: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A syntax error quotes the statement; one on the way may say so of each."""
    app = mysql_world(odd, password=canary("first"))
    pending = canary("pending")
    rows = Session.rows

    def refuse(self: Session, statement: str, **how: Any) -> Any:
        if "PASSWORD =" in statement or "IDENTIFIED" in statement:
            raise MySQLError(1064, f"You have an error in your SQL syntax near '{statement}'")
        return rows(self, statement, **how)

    monkeypatch.setattr(Session, "rows", refuse)
    with pytest.raises(RotatorsError) as caught:
        app.step("setSecret", app.pending(password=pending))
    said = str(caught.value) + "".join(traceback.format_exception(caught.value))
    assert "1064" in said
    assert [word for word in forms(pending) | {"IDENTIFIED BY"} if word in said] == []


def test_no_session_stays_behind(odd: Mysqld, mysql_world: Make) -> None:
    """Neither on the server nor in memory: a warm function lives long."""
    app = mysql_world(odd)
    for _ in range(3):
        assert rotate(app.service, app.arn).succeeded
    with setting(odd, max_connections=50), suppress(RotatorsError):
        app.step("setSecret", app.pending(password="x" * 20, username="nobody"))
    gc.collect()
    left = [
        each for each in gc.get_objects() if isinstance(each, pymysql.Connection) and each.user == app.username.encode()
    ]
    assert left == []
    where = f"WHERE USER = '{app.username}' AND COMMAND <> 'Killed'"
    assert odd.execute(f"SELECT * FROM information_schema.processlist {where}") == []
