"""An admin at work on a real server: one that RDS keeps, one under another name, one at the primary, one just rotated."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators import CredentialRejected, SecretError
from rotators.lab.postgres import Postgres
from rotators.testing import rotate
from tests.rds import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.rds import RDSEndpoint
    from tests.world import World


@pytest.fixture(autouse=True)
def single(bare_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The admin is the last resort of a user whose password was changed by hand."""
    monkeypatch.setenv("ROTATORS_STRATEGY", "single")


def give(app: World, *without: str, tags: dict[str, str] | None = None, **changes: Any) -> tuple[str, str]:
    """Make an admin and name its secret in the app's; returns the secret's ARN and the role's name."""
    name = f"admin_{uuid.uuid4().hex[:8]}"
    app.execute(f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD 'admin-Canary'")
    value = {key: v for key, v in {**app.server.secret(name, "admin-Canary"), **changes}.items() if key not in without}
    listed = [{"Key": key, "Value": text} for key, text in (tags or {}).items()]
    made = app.service.client().create_secret(Name=f"admin/{name}", SecretString=json.dumps(value), Tags=listed)
    app.put_current({**app.value(), "masterarn": made["ARN"]})
    return str(made["ARN"]), name


MANAGED = ("engine", "host", "port", "dbname", "ssl")


@pytest.mark.parametrize("kind", ["db", "cluster"])
def test_a_secret_that_rds_manages(world: Callable[..., World], rds: RDSEndpoint, kind: str) -> None:
    app = world()
    if not app.server.tls:
        pytest.skip("a managed secret says nothing of ssl, so the login is encrypted")
    if kind == "db":
        rds.instance("main", host=app.server.host, port=app.server.port)
    else:
        rds.cluster("main", port=app.server.port, Endpoint=app.server.host)
    tag = "aws:rds:primaryDBInstanceArn" if kind == "db" else "aws:rds:primaryDBClusterArn"
    _, name = give(app, *MANAGED, tags={tag: f"{ACCOUNT}:{kind}:main"})
    app.set_password("changed-by-hand")
    app.service.calls.clear()
    with app.log() as lines:
        assert rotate(app.service, app.arn).succeeded
    assert app.opens()
    assert any(f"user={name}" in line or name in line for line in lines)
    assert len(rds.asked) == 1


def test_a_managed_secret_of_another_server(
    world: Callable[..., World], rds: RDSEndpoint, other_server: Postgres
) -> None:
    """RDS says it is the other one's: it is neither used here nor there."""
    app = world()
    rds.instance("main", host=other_server.host, port=other_server.port)
    give(app, *MANAGED, tags={"aws:rds:primaryDBInstanceArn": f"{ACCOUNT}:db:main"})
    refused(app)


def test_a_secret_without_host_that_nobody_vouches_for(world: Callable[..., World]) -> None:
    app = world()
    give(app, *MANAGED)
    with app.log() as lines:
        refused(app)
    assert not any("admin_" in line for line in lines)


def test_another_name_of_the_server(world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    app = world(host="localhost")
    give(app, host="127.0.0.1")
    refused(app)
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", "db.example.com=other.example.com,127.0.0.1=localhost")
    assert rotate(app.service, app.arn).succeeded
    assert app.value()["host"] == "localhost"
    assert app.opens()


def refused(app: World) -> None:
    """setSecret must not use the admin; the account stays as it is."""
    app.set_password("changed-by-hand")
    token = app.pending()
    app.step("createSecret", token)
    with pytest.raises(SecretError, match="masterarn.*not used.*ROTATORS_HOST_ALIASES"):
        app.step("setSecret", token)
    assert app.admits("changed-by-hand")
    app.service.client().update_secret_version_stage(
        SecretId=app.arn, VersionStage="AWSPENDING", RemoveFromVersionId=token
    )


@pytest.fixture
def pair(postgres_template: Path) -> Iterator[tuple[Postgres, Postgres]]:
    """A primary and a standby that follows it."""
    settings = {"log_statement": "all", "log_connections": "on"}
    with (
        Postgres.start(template=postgres_template, settings=settings) as primary,
        Postgres.standby_of(primary) as standby,
    ):
        yield primary, standby


@pytest.fixture
def reader(
    world: Callable[..., World], pair: tuple[Postgres, Postgres], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> World:
    """An application whose secret is for the standby, and an admin's that is for the primary."""
    primary, standby = pair
    app = world(primary, port=standby.port)
    give(app)
    if primary.ca_bundle and standby.ca_bundle:
        (tmp_path / "both.pem").write_text(primary.ca_bundle.read_text() + standby.ca_bundle.read_text())
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(tmp_path / "both.pem"))
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", f"127.0.0.1:{primary.port}=127.0.0.1:{standby.port}")
    replayed(primary, standby)
    return app


def test_the_change_is_made_and_proven_at_the_primary(reader: World, pair: tuple[Postgres, Postgres]) -> None:
    """testSecret asks at the replica."""
    (primary, standby), app = pair, reader
    app.set_password("changed-by-hand")
    replayed(primary, standby)
    token = app.pending()
    app.step("createSecret", token)
    standby.execute("SELECT pg_wal_replay_pause()")  # a replica that is behind: a proof there would fail
    with app.log() as lines:
        app.step("setSecret", token)
    said = "\n".join(lines)
    assert said.count("ALTER ROLE") == 1
    assert f"connection authorized: user={app.username} " in said, "proven at the primary"
    standby.execute("SELECT pg_wal_replay_resume()")
    replayed(primary, standby)
    app.step("testSecret", token)
    app.step("finishSecret", token)
    assert app.opens()
    assert app.value()["port"] == standby.port


def test_a_pair_at_a_replica_alternates(
    reader: World, pair: tuple[Postgres, Postgres], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each user of the pair is made at the primary; the application's secret goes on naming the replica."""
    (primary, standby), app = pair, reader
    monkeypatch.setenv("ROTATORS_STRATEGY", "alternating")
    for username in (f"{app.username}_clone", app.username):
        token = app.pending()
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            app.step(step, token)
            replayed(primary, standby)
        found = app.value()
        assert (found["username"], found["port"]) == (username, standby.port)


def replayed(primary: Postgres, standby: Postgres) -> None:
    """Wait until the standby has what the primary has logged, written out or not (synchronous_commit is off)."""
    ((lsn,),) = primary.execute("SELECT pg_current_wal_insert_lsn()")
    end = time.monotonic() + 10
    while not standby.execute(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'")[0][0]:
        assert time.monotonic() < end
        time.sleep(0.02)


class Behind:
    """A client that reads the admin's secret; right after the first read somebody rotates it."""

    def __init__(self, client: Any, admin: str, then: Callable[[], None]) -> None:
        self._client, self._admin, self._then = client, admin, then
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_secret_value(self, **query: Any) -> Any:
        answer = self._client.get_secret_value(**query)
        if query["SecretId"] == self._admin:
            self.reads += 1
            if self.reads == 1:
                self._then()
        return answer


@pytest.mark.parametrize("stored", [True, False])
def test_an_admin_that_is_rotated_under_our_hands(world: Callable[..., World], stored: bool) -> None:
    app = world()
    arn, name = give(app)
    client = app.service.client()

    def elsewhere() -> None:
        app.execute(f"ALTER ROLE {name} PASSWORD 'newer-Canary'")
        if stored:
            client.put_secret_value(SecretId=arn, SecretString=json.dumps(app.server.secret(name, "newer-Canary")))

    app.store._client = behind = Behind(client, arn, elsewhere)
    app.set_password("changed-by-hand")
    token = app.pending()
    app.step("createSecret", token)
    with app.log() as lines:
        if stored:
            app.step("setSecret", token)
            assert app.opens("AWSPENDING")
        else:
            with pytest.raises(CredentialRejected, match="the admin of masterarn, as last resort"):
                app.step("setSecret", token)
            assert app.admits("changed-by-hand")
    failures = [line for line in lines if f'password authentication failed for user "{name}"' in line]
    assert len([line for line in failures if "FATAL" in line]) == 1
    assert behind.reads == 2
