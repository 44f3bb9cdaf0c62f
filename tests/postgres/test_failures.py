"""Every failure a caller can meet says what it was and what to do: none of them says "unable to log in" (law 8)."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from rotators import (
    ChangeRefused,
    ConfigurationError,
    CredentialRejected,
    RotatorsError,
    SecretError,
    TargetUnreachable,
)
from rotators.lab.certificates import Authority
from rotators.lab.ports import free_port
from rotators.lab.postgres import Postgres
from rotators.testing import LambdaContext, rotate, rotation_event
from rotators.testing.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.world import World


def redirect(app: World, **changes: Any) -> str:
    """Make the secret name something else, in current and pending alike; returns the token."""
    value = {k: v for k, v in {**app.value(), **changes}.items() if v is not None}
    app.service.client().put_secret_value(SecretId=app.arn, SecretString=json.dumps(value))
    return app.pending(password="pending-Canary-1234")


def failing(app: World, token: str, step: str = "setSecret", timeout: float = 30.0) -> RotatorsError:
    """Run one step, which must fail with one of ours and change nothing."""
    with pytest.raises(RotatorsError) as caught:
        app.handler(rotation_event(step, app.arn, token), LambdaContext(timeout=timeout))
    said = str(caught.value)
    assert "unable to log in" not in said.lower()
    assert app.value()["password"] not in said
    assert "pending-Canary-1234" not in said
    assert app.service.labels(app.arn)[token] == ["AWSPENDING"]
    assert caught.value.step == step
    assert caught.value.version == token
    assert caught.value.secret_id == app.arn
    assert caught.value.__context__ is None
    return caught.value


def unreachable(app: World, token: str, cause: str, *said: str, **more: Any) -> str:
    error = failing(app, token, **more)
    assert isinstance(error, TargetUnreachable)
    assert error.retryable
    assert error.cause == cause
    for words in said:
        assert words in str(error)
    return str(error)


def test_ten_failures_have_ten_messages(
    world: Callable[..., World], postgres_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issue's list in one place: no two read alike."""
    app = world()
    said: list[str] = []
    said.append(unreachable(app, redirect(app, port=free_port("127.0.0.1")), "refused", "nothing listens there"))
    port = app.server.port
    with Proxy("127.0.0.1", port, silent=True) as silent:
        token = redirect(app, port=silent.port)
        said.append(unreachable(app, token, "timeout", "accepted no login in time", timeout=6))
    token = redirect(app, host="no-such-host.invalid", port=port)
    said.append(unreachable(app, token, "dns", "DNS does not know the host"))
    token = redirect(app, host="127.0.0.1")
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(Authority(tmp_path / "other").bundle))
    said.append(unreachable(app, token, "tls", "not signed by a CA in", "ROTATORS_CA_BUNDLE"))
    assert app.server.ca_bundle is not None
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(app.server.ca_bundle))
    token = redirect(app, host="127.0.0.2")
    with relayed("127.0.0.2", port):
        said.append(unreachable(app, token, "tls", "is for another host name"))
    with Postgres.start(template=postgres_template, tls=False) as plain:
        token = redirect(app, host="127.0.0.1", port=plain.port)
        said.append(unreachable(app, token, "tls", "TLS switched off"))
    with Postgres.start(
        template=postgres_template, settings={"max_connections": "4", "superuser_reserved_connections": "3"}
    ) as small:
        small.execute(f"CREATE ROLE {app.username} LOGIN PASSWORD 'small-Canary-1'")
        assert small.ca_bundle is not None
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(small.ca_bundle))
        token = redirect(app, port=small.port, password="small-Canary-1")
        with small.connect():
            said.append(unreachable(app, token, "busy", "too many connections"))
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(app.server.ca_bundle))
    token = redirect(app, port=port, dbname="no_such_db", password=app.value("AWSPREVIOUS")["password"])
    app.set_password(app.value()["password"])
    error = failing(app, token)
    assert isinstance(error, SecretError)
    assert "'dbname' in the secret names a database that" in str(error)
    said.append(str(error))
    assert len(set(said)) == len(said)


class relayed:  # noqa: N801 - reads as a word in a with statement
    """Listen on another loopback address and pass on to the server."""

    def __init__(self, host: str, port: int) -> None:
        self._proxy = Proxy("127.0.0.1", port)
        self._proxy._listener.close()
        self._proxy._listener = socket.create_server((host, port))

    def __enter__(self) -> Proxy:
        return self._proxy.__enter__()

    def __exit__(self, *args: object) -> None:
        self._proxy.__exit__(*args)


def test_a_read_only_standby(world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    app = world()
    with Postgres.standby_of(app.server) as standby:
        assert standby.ca_bundle is not None
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(standby.ca_bundle))
        token = redirect(app, port=standby.port)
        deadline = time.monotonic() + 10
        while not standby.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{app.username}'"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        error = failing(app, token)
    assert isinstance(error, ChangeRefused)
    assert "read-only standby" in str(error)
    assert "writer endpoint" in str(error)


def test_a_server_that_is_starting(world: Callable[..., World], service: Any) -> None:
    """57P03, as a server that is not ready says it, in its own language."""
    app = world(ssl=False)
    error = b"SFATAL\0VFATAL\0C57P03\0Mdas Datenbanksystem startet\0\0"
    with Says(b"E" + (len(error) + 4).to_bytes(4, "big") + error) as says:
        unreachable(app, redirect(app, port=says.port), "starting", "starting up or shutting down")


def test_a_rejection_is_known_in_any_language(world: Callable[..., World]) -> None:
    """SQLSTATE counts, not the words: here the server speaks German."""
    app = world(ssl=False)
    error = "SFATAL\0VFATAL\0C28P01\0MPasswort-Authentifizierung für Benutzer »app« fehlgeschlagen\0\0".encode()
    with Says(b"E" + (len(error) + 4).to_bytes(4, "big") + error) as says:
        assert isinstance(failing(app, redirect(app, port=says.port)), CredentialRejected)


class Says:
    """A server that answers any login with the same bytes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Says:
        import threading

        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
                connection.recv(1000)
                connection.sendall(self._answer)
                connection.close()
            except OSError:
                return

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture(scope="module")
def strict_server(postgres_template: Path) -> Iterator[Postgres]:
    """A server with PostgreSQL's own password policy module."""
    with Postgres.start(template=postgres_template, settings={"shared_preload_libraries": "passwordcheck"}) as server:
        yield server


def test_a_password_refused_by_policy(world: Callable[..., World], strict_server: Postgres) -> None:
    """passwordcheck sees through a verifier in one case: a password that is the user's own name."""
    app = world(server=strict_server, password="good-Enough-1234")
    token = app.pending(password=app.username)
    error = failing(app, token)
    assert isinstance(error, ChangeRefused)
    assert "password policy" in str(error)
    assert "AWSPENDING" in str(error)
    assert app.opens()


def test_a_bundle_that_is_no_bundle(
    world: Callable[..., World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = world()
    token = app.pending(password="pending-Canary-1234")
    for path in (tmp_path / "missing.pem", tmp_path, tmp_path / "empty.pem"):
        (tmp_path / "empty.pem").write_text("no certificate")
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(path))
        error = failing(app, token)
        assert isinstance(error, ConfigurationError)
        assert "ROTATORS_CA_BUNDLE" in str(error)


def test_a_role_without_login_or_without_connect(world: Callable[..., World]) -> None:
    app = world()
    token = app.pending(password="pending-Canary-1234")
    app.alter("NOLOGIN")
    error = failing(app, token)
    assert isinstance(error, CredentialRejected)
    assert "has NOLOGIN" in str(error)
    app.alter("LOGIN")
    database = f"db_{app.username}"
    app.execute(f"CREATE DATABASE {database}", f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC")
    error = failing(app, redirect(app, dbname=database))
    assert isinstance(error, SecretError)
    assert "GRANT CONNECT" in str(error)


def test_pg_hba_is_not_a_bad_password(world: Callable[..., World]) -> None:
    app = world()
    error = failing(app, redirect(app, ssl=False))
    assert isinstance(error, TargetUnreachable)
    assert error.cause == "denied"
    assert "pg_hba.conf" in str(error)
    assert "without TLS" in str(error)


def test_no_plaintext_unless_the_secret_says_so(
    world: Callable[..., World], caplog: pytest.LogCaptureFixture, postgres_template: Path
) -> None:
    with Postgres.start(template=postgres_template, tls=False) as plain:
        app = world(server=plain, ssl=None)
        error = failing(app, app.pending(password="pending-Canary-1234"))
        assert isinstance(error, TargetUnreachable)
        assert error.cause == "tls"
        app = world(server=plain, ssl=False)
        caplog.clear()
        assert rotate(app.service, app.arn).succeeded
        assert '"ssl" is false in the secret' in caplog.text


@pytest.mark.parametrize("step", ["setSecret", "testSecret", "finishSecret"])
@pytest.mark.parametrize("timeout, at_most", [(30.0, 12.0), (4.0, 3.9), (1.0, 0.95)])
def test_a_silent_server_does_not_eat_the_functions_time(
    world: Callable[..., World], step: str, timeout: float, at_most: float
) -> None:
    """Law 13."""
    app = world()
    with Proxy("127.0.0.1", app.server.port, silent=True) as silent:
        token = redirect(app, port=silent.port)
        begun = time.monotonic()
        error = failing(app, token, step=step, timeout=timeout)
        took = time.monotonic() - begun
    assert isinstance(error, TargetUnreachable)
    assert error.cause == "timeout"
    assert took < at_most


def test_a_server_that_falls_silent_after_the_login(world: Callable[..., World]) -> None:
    """Law 13, at the statement that matters: the lock on the role is held by somebody else."""
    app = world()
    token = app.pending(password="pending-Canary-1234")
    with app.server.connect() as other, other.transaction():
        other.execute(f"ALTER ROLE {app.username} CONNECTION LIMIT 7".encode())
        begun = time.monotonic()
        error = failing(app, token, timeout=8.0)
        assert time.monotonic() - begun < 7.8
    assert isinstance(error, TargetUnreachable)
    assert app.opens()


def test_too_little_time_to_prove_is_too_little_to_begin(world: Callable[..., World]) -> None:
    app = world()
    error = failing(app, app.pending(password="pending-Canary-1234"), timeout=1.5)
    assert isinstance(error, TargetUnreachable)
    assert "raise the function's Timeout" in str(error)
    assert app.opens()
