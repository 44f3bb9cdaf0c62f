"""Alternating users on real servers: what clients see, what it costs, and what the server's log saw of it."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from rotators import SecretError
from rotators.testing import rotate, test_rotation
from tests.postgres.pair import ADMIN, PairWorld, failed_logins
from tests.world import START

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.postgres import Postgres


def test_eight_rotations(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """What either role creates has one owner: the other can use, alter and drop it."""
    app = pair(any_server)
    app.run("CREATE SCHEMA AUTHORIZATION {base}")
    seen = []
    for number in range(8):
        with app.session() as client:
            assert client.execute("SELECT current_user").fetchone() == (app.username,)
            client.execute(f'CREATE TABLE "{app.username}".t{number} (a int)'.encode())
            client.execute(f'INSERT INTO "{app.username}".t{number} VALUES (1)'.encode())
        app.rotated()
        seen.append(app.value()["username"])
        with app.session() as client:
            assert client.execute(f'SELECT a FROM "{app.username}".t{number}'.encode()).fetchall() == [(1,)]
            client.execute(f'ALTER TABLE "{app.username}".t{number} ADD b int'.encode())
            client.execute(f'DROP TABLE "{app.username}".t{number}'.encode())
    assert seen == [app.clone, app.username] * 4


def test_the_current_user_always_opens(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """A client that logs in all the time with what AWSCURRENT holds: not one refusal, nor any in the server's log."""
    app = pair(any_server)
    refused: list[str] = []
    logins = 0
    over = threading.Event()

    def client() -> None:
        nonlocal logins
        while not over.is_set():
            try:
                app.session().close()
                logins += 1
            except psycopg.OperationalError as error:
                refused.append(str(error))

    with app.log() as lines:
        thread = threading.Thread(target=client)
        thread.start()
        app.rotated(4)
        over.set()
        thread.join(30)
    assert refused == []
    assert logins > 10
    assert [line for line in lines if "FATAL" in line or "ERROR" in line] == []


def test_the_previous_user_opens_until_its_turn_comes_again(pair: Callable[..., PairWorld]) -> None:
    app = pair()
    for _ in range(3):
        before = app.value()
        with app.session() as open_session:
            app.rotated()
            assert app.opens(before)
            assert open_session.execute("SELECT 1").fetchone() == (1,)
    app.rotated()
    assert not app.opens(before)


def test_no_password_reaches_the_servers_log(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    app = pair(any_server)
    passwords = [START, ADMIN]
    with app.log() as lines:
        for _ in range(3):
            app.rotated()
            passwords.append(app.value()["password"])
    text = "\n".join(lines)
    assert "CREATE ROLE" in text
    assert text.count("PASSWORD 'SCRAM-SHA-256$") == 3
    assert [password for password in passwords if password in text] == []


def test_the_logins(pair: Callable[..., PairWorld]) -> None:
    """Current once, the admin once, and each proof once; the comparison is a proof's login of its own."""
    app = pair()
    app.rotated()
    with app.log() as lines:
        assert rotate(app.service, app.arn).succeeded
    who = [line.split("user=")[1].split()[0] for line in lines if "connection authorized" in line]
    assert who.count(app.clone) == 1
    assert who.count(app.admin) == 1
    assert who.count(app.username) == 4
    assert failed_logins(lines) == []


def test_at_most_twelve_calls(pair: Callable[..., PairWorld]) -> None:
    app = pair()
    for _ in range(2):
        app.service.calls.clear()
        assert rotate(app.service, app.arn).succeeded
        ours = [call.operation for call in app.service.calls if call.operation != "RotateSecret"]
        assert len(ours) <= 12


@pytest.mark.parametrize(
    "name",
    [
        "MiXed Case",
        'quo"ted "" twice',
        "it's",
        "per%cent %s %u %(x)s",
        "back\\slash",
        "semi;colon -- DROP",
        "dollar $1 $$",
        "naïve-ünïcödé",
        "🔑",
        "SELECT",
        " leading and trailing ",
        "new\nline",
        "{braces} {0}",
        "x" * 57,
        "ü" * 28,
    ],
)
def test_hard_names(pair: Callable[..., PairWorld], name: str) -> None:
    app = pair(username=name, superuser=True)
    app.run("ALTER ROLE {base} SET search_path = 'it''s', \"$user\", 'a,b', 'q\"q'", "ALTER ROLE {base} CREATEDB")
    try:
        app.rotated(3)
        assert app.can(app.clone) == app.can(app.username)
        assert app.asks("SELECT current_user") == name
    finally:
        app.run("DROP ROLE {clone}", "DROP ROLE {base}")


@pytest.mark.parametrize(
    "name, limit", [("x" * 58, None), ("ü" * 29, None), ("short", "10"), ("x" * 58, "100")], ids=str
)
def test_a_name_too_long_for_a_clone(
    pair: Callable[..., PairWorld], monkeypatch: pytest.MonkeyPatch, name: str, limit: str | None
) -> None:
    """PostgreSQL would cut it off. Refused before anything is stored."""
    if limit:
        monkeypatch.setenv("USERNAME_CHARACTER_LIMIT", limit)
    app = pair(username=name)
    try:
        token = app.pending()
        app.service.calls.clear()
        with pytest.raises(SecretError, match=r"'username'.*_clone.*(63 bytes|10 characters|USERNAME_CHARACTER_LIMIT)"):
            app.step("createSecret", token)
        assert not [call for call in app.service.calls if call.operation == "PutSecretValue"]
    finally:
        app.run("DROP ROLE {base}")


def test_a_limit_of_aws_templates_that_fits(pair: Callable[..., PairWorld], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USERNAME_CHARACTER_LIMIT", "22")
    app = pair()  # app_ and twelve
    app.rotated(2)


def test_a_test_alone_passes(pair: Callable[..., PairWorld]) -> None:
    """RotateImmediately=false runs testSecret alone, on a temporary pending version that holds current's value."""
    app = pair()
    outcome = test_rotation(app.service, app.arn)
    assert outcome.succeeded, outcome.error


def test_default_privileges_are_the_bases(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """By construction: the clone's sessions act as the base."""
    app = pair(any_server)
    readers, tables = f"readers_{uuid.uuid4().hex[:8]}", f"s_{uuid.uuid4().hex[:8]}"
    app.run(
        f"CREATE ROLE {readers}",
        f"CREATE SCHEMA {tables} AUTHORIZATION {{base}}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {{base}} IN SCHEMA {tables} GRANT SELECT ON TABLES TO {readers}",
    )
    app.rotated()
    assert app.value()["username"] == app.clone
    app.asks(f"CREATE TABLE {tables}.t (a int)")
    assert app.run(f"SELECT has_table_privilege('{readers}', '{tables}.t', 'SELECT')") == [(True,)]
    assert app.run(f"SELECT relowner::regrole::text FROM pg_class WHERE oid = '{tables}.t'::regclass") == [
        (app.username,)
    ]


def test_what_poolers_send_between_clients_keeps_the_role(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    app = pair(any_server)
    app.rotated()
    for reset in ("RESET ROLE", "RESET ALL", "DISCARD ALL", "SET SESSION AUTHORIZATION DEFAULT"):
        with app.session() as client:
            client.execute(reset.encode())
            assert client.execute("SELECT session_user, current_user").fetchone() == (app.clone, app.username)


def test_the_log_line(pair: Callable[..., PairWorld], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    app = pair()
    app.run("ALTER ROLE {base} CONNECTION LIMIT 7")
    app.rotated()
    line: dict[str, Any] = vars(next(r for r in caplog.records if r.getMessage() == "setSecret succeeded"))
    assert line["strategy"] == "alternating"
    assert line["authority"] == "the admin of masterarn"
    assert "CONNECTION LIMIT" in line["refreshed"]
    assert "outage_window_ms" not in vars(next(r for r in caplog.records if r.getMessage() == "finishSecret succeeded"))
