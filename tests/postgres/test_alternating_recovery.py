"""Whatever dies, AWSCURRENT opens; a clone is never to be had with less or more than its base; the retry heals."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from rotators import ChangeRefused, RotatorsError, TargetUnreachable
from rotators.engines.postgres.turn import key
from rotators.testing import LambdaContext, resume, rotate, rotation_event
from rotators.testing.contract import together
from rotators.testing.proxy import Proxy
from tests.postgres.pair import failed_logins

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.postgres import Postgres
    from tests.postgres.pair import PairWorld

#: Pieces of traffic of one setSecret, TLS and all: more than there are.
PIECES = 100


def rich(app: PairWorld) -> None:
    """Give the base something of each kind, so that there are statements to be cut between."""
    app.run(
        "ALTER ROLE {base} CREATEDB CONNECTION LIMIT 30 VALID UNTIL '2090-01-01'",
        "ALTER ROLE {base} SET search_path = '$user', public",
        "ALTER ROLE {base} IN DATABASE template1 SET work_mem = '8MB'",
        "GRANT pg_monitor TO {base}",
    )


@pytest.mark.parametrize("turns", [0, 1, 2], ids=["creates", "base", "refreshes"])
@pytest.mark.parametrize("piece", range(0, PIECES, 3))
def test_the_connection_is_cut_at_every_piece_of_traffic(
    pair: Callable[..., PairWorld], piece: int, turns: int
) -> None:
    """Every third piece for each turn, at three places: each is met by one of them. Real dropped connections."""
    app = pair(superuser=True)
    if turns == 0:
        rich(app)
    app.rotated(turns)
    if turns == 2:
        rich(app)
        app.run(
            "ALTER ROLE {clone} CREATEROLE",
            "ALTER ROLE {clone} SET work_mem = '9MB'",
            "GRANT pg_signal_backend TO {clone}",
        )
    begun = app.value()
    with Proxy("127.0.0.1", app.server.port) as proxy:
        app.put_current({**begun, "port": proxy.port})
        admin = {**app.store.another(begun["masterarn"]), "port": proxy.port}
        app.service.client().put_secret_value(SecretId=begun["masterarn"], SecretString=json.dumps(admin))
        app.new_sandbox()
        token = app.began()
        pending = app.value("AWSPENDING")
        proxy.passed, proxy.cut_after = 0, piece + turns
        cut = False
        try:
            app.step("setSecret", token)
        except RotatorsError as error:
            cut = True
            assert isinstance(error, TargetUnreachable), error
            assert error.retryable
        assert cut is (proxy.passed >= piece + turns and cut)
        assert app.opens(), "AWSCURRENT is not touched"
        if pending["username"] == app.clone and app.opens({**pending, "port": app.server.port}):
            assert app.can(app.clone) == app.can(app.username), "a clone that opens is complete"
        proxy.cut_after = None
        outcome = resume(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert outcome.version == token
        assert app.opens()
        assert app.can(app.clone) == app.can(app.username) or app.value()["username"] == app.username


def test_the_last_pieces_are_beyond_the_end(pair: Callable[..., PairWorld]) -> None:
    """The test above cuts everywhere, if the longest setSecret has fewer pieces than it tries."""
    app = pair(superuser=True)
    rich(app)
    with Proxy("127.0.0.1", app.server.port) as proxy:
        app.put_current({**app.value(), "port": proxy.port})
        admin = {**app.store.another(app.value()["masterarn"]), "port": proxy.port}
        app.service.client().put_secret_value(SecretId=app.value()["masterarn"], SecretString=json.dumps(admin))
        app.new_sandbox()
        token = app.began()
        proxy.passed = 0
        app.step("setSecret", token)
        assert 40 < proxy.passed < PIECES


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_five_at_once(pair: Callable[..., PairWorld], any_server: Postgres, turns: int) -> None:
    app = pair(any_server)
    rich(app) if turns == 1 else app.run("ALTER ROLE {base} SET work_mem = '9MB'")
    if app.newer:
        app.run("ALTER ROLE {admin} CREATEDB", "GRANT pg_monitor TO {admin} WITH ADMIN OPTION")
    app.rotated(turns)
    token = app.began()

    def step(name: str) -> Callable[[], None]:
        return lambda: app.handler(rotation_event(name, app.arn, token), LambdaContext(timeout=30.0))

    with app.log() as lines:
        assert together([step("setSecret")] * 5) == []
        assert together([step(name) for name in ("setSecret", "testSecret", "setSecret", "testSecret")]) == []
        app.step("finishSecret", token)
    assert failed_logins(lines) == []
    assert app.opens()
    assert app.can(app.clone) == app.can(app.username)


def test_others_alter_the_roles_all_the_while(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """No lock of ours is taken by an ALTER ROLE by hand: "tuple concurrently updated" is met by another try."""
    app = pair(any_server, superuser=True)
    app.rotated(2)
    over = threading.Event()

    def others() -> None:
        with app.server.connect() as connection:
            while not over.is_set():
                with suppress(psycopg.errors.InternalError_):  # the same happens to them
                    connection.execute(f"ALTER ROLE {app.clone} SET work_mem = '9MB'".encode())
                    connection.execute(f"ALTER ROLE {app.clone} CONNECTION LIMIT 40".encode())

    token = app.began()
    thread = threading.Thread(target=others)
    thread.start()
    try:
        for _ in range(10):
            app.step("setSecret", token)
    finally:
        over.set()
        thread.join(30)
    app.step("setSecret", token)
    app.step("testSecret", token)


def test_a_clone_that_somebody_creates_meanwhile(pair: Callable[..., PairWorld]) -> None:
    """Uncommitted when we look, there when we create: then it is not ours, or it is and is taken as it is."""
    for member, expected in ((False, ChangeRefused), (True, None)):
        app = pair(superuser=True)
        token = app.began()
        with app.server.connect() as other:
            other.autocommit = False
            other.execute(f"CREATE ROLE {app.clone} LOGIN".encode())
            if member:
                other.execute(f"GRANT {app.username} TO {app.clone}".encode())
            threading.Timer(0.5, other.commit).start()
            failure: RotatorsError | None = None
            try:
                app.step("setSecret", token)
            except RotatorsError as error:
                failure = error
            assert type(failure) is (expected or type(None)), failure


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_a_change_that_does_not_take(pair: Callable[..., PairWorld], any_server: Postgres, turns: int) -> None:
    """
    Law 10: this server takes SCRAM alone, and the admin is set to make md5.

    A clone that was made for it goes; one that was there has lost its old password, which nobody holds as current.
    """
    app = pair(any_server, superuser=True)
    app.rotated(turns)
    app.run("ALTER ROLE {admin} SET password_encryption = 'md5'")
    token = app.began()
    with pytest.raises(ChangeRefused, match="set and then refused at login.*AWSCURRENT names the other role") as caught:
        app.step("setSecret", token)
    assert ("was new and was dropped" in str(caught.value)) is (turns == 0)
    assert len(app.state()[0]) == 1 + (turns > 0)
    assert app.opens()
    app.run("ALTER ROLE {admin} RESET password_encryption")
    assert resume(app.service, app.arn).succeeded
    assert app.opens()


def test_a_proof_that_can_not_be_made(pair: Callable[..., PairWorld]) -> None:
    """Unreachable is not rejected (law 8): nothing is undone, the retry does it."""
    app = pair(superuser=True)
    app.run("ALTER ROLE {base} CONNECTION LIMIT 1")
    token = app.began("setSecret")
    before = app.state()
    with app.session("AWSPENDING"), pytest.raises(TargetUnreachable, match="CONNECTION LIMIT"):
        app.step("setSecret", token)
    assert len(before[0]) == len(app.state()[0]) == 2
    for step in ("setSecret", "testSecret", "finishSecret"):
        app.step(step, token)
    assert app.opens()


def test_a_lock_that_is_not_let_go(pair: Callable[..., PairWorld], monkeypatch: pytest.MonkeyPatch) -> None:
    """A single user's rotation of the base holds the same lock (law 13: the wait has an end)."""
    app = pair(superuser=True)
    monkeypatch.setattr("rotators.deadline.CONNECT", 0.5)
    token = app.began("setSecret")
    with app.server.connect() as other:
        other.execute(f"SELECT pg_advisory_lock({key(app.username)})".encode())
        started = time.monotonic()
        with pytest.raises(TargetUnreachable, match="stays locked"):
            app.step("setSecret", token)
        assert time.monotonic() - started < 5


def test_a_standby(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    app = pair(any_server)
    app.run("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    try:
        app.rotated(2)
    finally:
        app.run("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")


def test_too_little_time_is_left(pair: Callable[..., PairWorld]) -> None:
    app = pair()
    token = app.began()
    before = app.state()
    with pytest.raises(TargetUnreachable, match="too little time"):
        app.handler(rotation_event("setSecret", app.arn, token), LambdaContext(timeout=3.5))
    assert app.state() == before


def test_the_change_is_durable_whatever_the_admins_settings_say(pair: Callable[..., PairWorld]) -> None:
    app = pair()
    app.run(
        "ALTER ROLE {admin} SET synchronous_commit = off",
        "ALTER ROLE {admin} SET default_transaction_read_only = on",
        "ALTER ROLE {admin} SET default_transaction_isolation = 'serializable'",
        "ALTER ROLE {admin} SET search_path = nowhere",
        "ALTER ROLE {admin} SET statement_timeout = 30",  # our own first statement must fit, on a busy machine too
        "ALTER ROLE {admin} SET standard_conforming_strings = off",
        "ALTER ROLE {base} SET search_path = E'back\\\\slash'",
    )
    with app.log() as lines:
        app.rotated(2)
    assert any("set_config('synchronous_commit', 'local'" in line for line in lines)


def test_a_retry_in_another_sandbox_after_every_statement(pair: Callable[..., PairWorld]) -> None:
    """The same token, setSecret run whole five times, each in a new process: the password opens all the while."""
    app = pair()
    rotate(app.service, app.arn)
    app.rotated()
    token = app.began("setSecret")
    for _ in range(5):
        app.new_sandbox()
        app.step("setSecret", token)
        assert app.opens("AWSPENDING")
        assert app.opens()
