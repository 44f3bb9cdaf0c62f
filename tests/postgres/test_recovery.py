"""Whatever opens, and in which order it is tried: current, pending, previous, versions without labels, the admin."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from rotators import ChangeRefused, CredentialRejected, RotationRefused, RotatorsError, SecretError, TargetUnreachable
from rotators.testing import resume, rotate
from rotators.testing.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.postgres import Postgres
    from tests.world import World


@pytest.fixture(autouse=True)
def single_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that names an admin has alternating users, unless it is told."""
    monkeypatch.setenv("ROTATORS_STRATEGY", "single")


def logins(lines: list[str]) -> int:
    return sum("password authentication failed" in line and "FATAL" in line for line in lines)


def run(app: World, token: str) -> None:
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        app.step(step, token)


def test_pending_is_set_already(world: Callable[..., World]) -> None:
    """A retry after a crash between the change and the answer: one failed login, and no second change (law 4)."""
    app = world()
    token = app.pending(password="pending-Canary-1")
    app.set_password("pending-Canary-1")
    with app.log() as lines:
        app.step("setSecret", token)
    assert logins(lines) == 1
    assert not any("ALTER ROLE" in line for line in lines)


def test_previous_opens(world: Callable[..., World]) -> None:
    """Somebody restored the database from a backup."""
    app = world()
    before = app.value()["password"]
    assert rotate(app.service, app.arn).succeeded
    app.set_password(before)
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


@pytest.mark.parametrize("attempts", [1, 3])
def test_an_abandoned_rotation_heals(world: Callable[..., World], attempts: int) -> None:
    """setSecret got through, then the rotation was given up: the live password without a label any more."""
    app = world()
    token = app.pending()
    app.step("createSecret", token)
    app.step("setSecret", token)
    assert not app.opens()
    client = app.service.client()
    client.update_secret_version_stage(SecretId=app.arn, VersionStage="AWSPENDING", RemoveFromVersionId=token)
    for _ in range(attempts - 1):  # later attempts stored a value and never got to set it
        stored = app.pending(password=f"never-set-{uuid.uuid4()}")
        client.update_secret_version_stage(SecretId=app.arn, VersionStage="AWSPENDING", RemoveFromVersionId=stored)
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


def test_the_tries_are_bounded(world: Callable[..., World]) -> None:
    app = world()
    client = app.service.client()
    for number in range(15):
        stored = app.pending(password=f"never-set-{number}")
        client.update_secret_version_stage(SecretId=app.arn, VersionStage="AWSPENDING", RemoveFromVersionId=stored)
    token = app.pending()
    app.step("createSecret", token)
    app.set_password("changed-by-hand")
    with app.log() as lines, pytest.raises(CredentialRejected) as caught:
        app.step("setSecret", token)
    assert logins(lines) == 2 + 10
    said = str(caught.value)
    assert "AWSCURRENT" in said
    assert "AWSPENDING" in said
    assert "without a label" in said
    assert "masterarn" in said


def admin(app: World, **changes: Any) -> str:
    """Make an admin's role and secret; returns the secret's ARN."""
    name = f"admin_{uuid.uuid4().hex[:8]}"
    app.execute(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'admin-Canary'")
    value = {**app.server.secret(name, "admin-Canary"), **changes}
    value = {k: v for k, v in value.items() if v is not ...}
    client = app.service.client()
    return str(client.create_secret(Name=f"admin/{uuid.uuid4().hex}", SecretString=json.dumps(value))["ARN"])


def with_admin(app: World, **changes: Any) -> None:
    value = {**app.value(), "masterarn": admin(app, **changes)}
    app.service.client().put_secret_value(SecretId=app.arn, SecretString=json.dumps(value))


@pytest.mark.parametrize("managed", [False, True])
def test_the_admin_heals_a_password_changed_by_hand(
    world: Callable[..., World], managed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An admin's secret may hold a name and a password, no more, where the host is known by another way."""
    app = world()
    if managed:
        monkeypatch.setenv("ROTATORS_HOST_ALIASES", app.server.host)
    with_admin(app, **({k: ... for k in ("engine", "host", "port", "dbname")} if managed else {}))
    app.set_password("changed-by-hand")
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


def test_the_admin_is_not_asked_while_current_opens(world: Callable[..., World]) -> None:
    app = world()
    with_admin(app)
    with app.log() as lines:
        assert rotate(app.service, app.arn).succeeded
    assert not any("admin_" in line for line in lines)


@pytest.mark.parametrize("changes", [{"host": "elsewhere.invalid"}, {"port": 1}, {"ssl": False}])
def test_an_admin_of_another_server_is_not_used(world: Callable[..., World], changes: dict[str, Any]) -> None:
    app = world()
    with_admin(app, **changes)
    app.set_password("changed-by-hand")
    token = app.pending()
    app.step("createSecret", token)
    with pytest.raises(SecretError, match="masterarn.*not used"):
        app.step("setSecret", token)
    assert app.admits("changed-by-hand")


def test_an_admin_of_the_same_name_on_another_server_is_not_used(
    world: Callable[..., World], other_server: Postgres
) -> None:
    """Law 11: the same name is not the same account."""
    app = world()
    elsewhere = other_server
    elsewhere.execute(f"CREATE ROLE {app.username} LOGIN CREATEROLE PASSWORD 'theirs-Canary'")
    before = elsewhere.execute(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{app.username}'")
    value = json.dumps(elsewhere.secret(app.username, "theirs-Canary"))
    arn = app.service.client().create_secret(Name=f"admin/{uuid.uuid4()}", SecretString=value)["ARN"]
    app.service.client().put_secret_value(SecretId=app.arn, SecretString=json.dumps({**app.value(), "masterarn": arn}))
    app.set_password("changed-by-hand")
    token = app.pending()
    app.step("createSecret", token)
    with pytest.raises(SecretError, match="masterarn.*not used"):
        app.step("setSecret", token)
    assert elsewhere.execute(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{app.username}'") == before


@pytest.mark.parametrize("arn", ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:nobody-AbCdEf", "nobody"])
def test_an_admins_secret_that_is_not_there(world: Callable[..., World], arn: str) -> None:
    app = world()
    app.put_current({**app.value(), "masterarn": arn})
    app.set_password("changed-by-hand")
    token = app.pending()
    app.step("createSecret", token)
    with pytest.raises(SecretError, match="the admin's secret that 'masterarn' names can't be read"):
        app.step("setSecret", token)


def test_a_secret_that_is_its_own_admin_is_tried_once(world: Callable[..., World]) -> None:
    app = world()
    app.put_current({**app.value(), "masterarn": app.arn})
    app.set_password("changed-by-hand")
    token = app.pending()
    app.step("createSecret", token)
    with app.log() as lines, pytest.raises(CredentialRejected):
        app.step("setSecret", token)
    assert logins(lines) == 2


@pytest.mark.parametrize(
    "what, said",
    [
        ("SUPERUSER", "is a superuser"),
        ("NOLOGIN", "has NOLOGIN"),
        ("VALID UNTIL '2001-01-01'", "expired on 2001-01-01"),
    ],
)
def test_an_admin_changes_nothing_that_it_can_not_mend(world: Callable[..., World], what: str, said: str) -> None:
    app = world()
    with_admin(app)
    app.set_password("changed-by-hand")
    app.alter(what)
    verifier = app.execute(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{app.username}'")
    token = app.pending()
    app.step("createSecret", token)
    with pytest.raises(ChangeRefused, match=said):
        app.step("setSecret", token)
    assert app.execute(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{app.username}'") == verifier


def test_an_expired_role_without_an_admin(world: Callable[..., World]) -> None:
    """PostgreSQL answers as for a bad password, so the message names both."""
    app = world()
    app.alter("VALID UNTIL '2001-01-01'")
    token = app.pending()
    app.step("createSecret", token)
    with pytest.raises(CredentialRejected, match="VALID UNTIL"):
        app.step("setSecret", token)
    app.alter("VALID UNTIL 'infinity'")
    run(app, token)
    assert app.opens()


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "elsewhere.invalid"},
        {"port": 1},
        {"dbname": "template1"},
        {"username": "postgres"},
        {"ssl": False},
    ],
)
@pytest.mark.parametrize("step", ["setSecret", "testSecret", "finishSecret"])
def test_a_pending_value_for_something_else_is_never_used(
    world: Callable[..., World], step: str, changes: dict[str, Any]
) -> None:
    """Law 5: not for a login, not at a step run by itself."""
    app = world()
    token = app.pending(password="pending-Canary-1", **changes)
    with app.log() as lines, pytest.raises(SecretError) as caught:
        app.step(step, token)
    assert f"'{next(iter(changes))}' differ" in str(caught.value)
    assert lines == []
    assert app.opens()
    assert app.service.labels(app.arn)[token] == ["AWSPENDING"]


def test_what_would_be_an_older_authority_for_another_host_is_not_tried(world: Callable[..., World]) -> None:
    app = world()
    client = app.service.client()
    with Proxy("127.0.0.1", app.server.port) as elsewhere:
        good = app.value()
        client.put_secret_value(SecretId=app.arn, SecretString=json.dumps({**good, "port": elsewhere.port}))
        client.put_secret_value(SecretId=app.arn, SecretString=json.dumps(good))
        app.set_password("changed-by-hand")
        token = app.pending()
        app.step("createSecret", token)
        with pytest.raises(CredentialRejected):
            app.step("setSecret", token)
        assert elsewhere.connections == 0


def test_a_change_that_does_not_take_is_undone(world: Callable[..., World]) -> None:
    """Law 10: this server takes SCRAM alone, and is set to make md5."""
    app = world()
    app.alter("SET password_encryption = 'md5'")
    token = app.pending()
    app.step("createSecret", token)
    with pytest.raises(ChangeRefused, match="refused at login.*AWSCURRENT was put back and opens again"):
        app.step("setSecret", token)
    assert app.opens()
    app.alter("RESET password_encryption")
    run(app, token)
    assert app.opens()


def test_a_change_that_can_not_be_proven_is_undone(world: Callable[..., World]) -> None:
    """A role with room for one session: the session that changes the password takes it."""
    app = world()
    app.alter("CONNECTION LIMIT 1")
    token = app.pending()
    app.step("createSecret", token)
    with pytest.raises(TargetUnreachable, match="could not be proven.*CONNECTION LIMIT.*put back"):
        app.step("setSecret", token)
    assert app.opens()


@pytest.mark.parametrize("piece", range(0, 60, 1))
def test_the_connection_is_cut_at_every_piece_of_traffic(world: Callable[..., World], piece: int) -> None:
    """
    Real dropped connections, TLS and all. The step fails with one of ours, and the retry heals (laws 3 and 8).

    When the step has returned, AWSCURRENT opens unless the cut fell so that nobody could put it back; then pending does.
    """
    app = world()
    value = app.value()
    with Proxy("127.0.0.1", app.server.port, cut_after=piece) as proxy:
        app.service.client().put_secret_value(SecretId=app.arn, SecretString=json.dumps({**value, "port": proxy.port}))
        token = app.pending()
        app.step("createSecret", token)
        cut = False
        try:
            app.step("setSecret", token)
        except RotatorsError as error:
            cut = True
            assert isinstance(error, (TargetUnreachable, ChangeRefused)), error
            assert error.retryable
        assert cut == (proxy.passed >= piece and cut)
        opens = [label for label in ("AWSCURRENT", "AWSPENDING") if app.opens(label)]
        assert len(opens) == 1
        if not cut:
            assert opens == ["AWSPENDING"]
        proxy.cut_after = None
        outcome = resume(app.service, app.arn)
        assert outcome.succeeded, outcome.error
    assert app.opens()


def test_an_empty_pending_version(world: Callable[..., World], impatient: None) -> None:
    app = world()
    token = app.pending()
    for step in ("setSecret", "testSecret", "finishSecret"):
        with pytest.raises(RotationRefused, match="createSecret has not run") as caught:
            app.step(step, token)
        assert caught.value.retryable
    assert app.opens()


def test_a_previous_value_of_another_form_is_passed_over(world: Callable[..., World]) -> None:
    app = world()
    client = app.service.client()
    good = app.value()
    client.put_secret_value(SecretId=app.arn, SecretString="not JSON at all")
    client.put_secret_value(SecretId=app.arn, SecretString=json.dumps({**good, "masterarn": admin(app)}))
    app.set_password("changed-by-hand")
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


def test_a_role_that_may_not_list_versions_still_reaches_the_admin(
    world: Callable[..., World], caplog: pytest.LogCaptureFixture
) -> None:
    """A function moved over from AWS's template has no ListSecretVersionIds."""
    app = world()
    with_admin(app)
    app.set_password("changed-by-hand")
    token = app.pending()
    app.step("createSecret", token)

    class Poor:
        def __init__(self, client: Any) -> None:
            self._client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self._client, name)

        def list_secret_version_ids(self, **_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ListSecretVersionIds")

    app.store._client = Poor(app.store._client)
    app.step("setSecret", token)
    assert app.opens("AWSPENDING")
    assert "secretsmanager:ListSecretVersionIds" in caplog.text


def test_the_change_is_durable_whatever_the_server_says(world: Callable[..., World]) -> None:
    """synchronous_commit=off would let a crash of the server take the password back after the label has moved."""
    app = world()
    app.alter("SET synchronous_commit = off")
    with app.log() as lines:
        assert rotate(app.service, app.arn).succeeded
    assert any("set_config('synchronous_commit', 'local'" in line for line in lines)
