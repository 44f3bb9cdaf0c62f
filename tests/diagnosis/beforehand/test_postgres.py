"""What is asked of a real PostgreSQL before a rotation; each right is taken away, and its line fails."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators.engines.postgres import rights
from rotators.lab.postgres import Postgres
from rotators.testing import rotate
from tests.diagnosis.beforehand.conftest import deny

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rotators.testing import SecretsManager
    from tests.diagnosis.beforehand.conftest import Found
    from tests.world import World

    Checks = Callable[..., Found]
    Worlds = Callable[..., World]

PASSWORD = "admin-Canary-31"


@pytest.fixture(scope="module")
def plain_server(postgres_template: Path) -> Iterator[Postgres]:
    with Postgres.start(template=postgres_template, tls=False) as server:
        yield server


def add_admin(app: World, *statements: str, server: Any = None, **more: Any) -> str:
    """Name an admin in the secret, with these rights alone; `{me}` and `{app}` are the two roles."""
    admin = f"adm_{uuid.uuid4().hex[:10]}"
    app.execute(
        f"CREATE ROLE {admin} LOGIN PASSWORD '{PASSWORD}'",
        *(statement.format(me=admin, app=app.username) for statement in statements),
    )
    value = {**(server or app.server).secret(admin, PASSWORD), **more}
    arn = app.service.client().create_secret(Name=f"admin/{admin}", SecretString=json.dumps(value))["ARN"]
    app.put_current({**app.value(), "masterarn": arn})
    return admin


FULL = ("ALTER ROLE {me} CREATEROLE", "GRANT {app} TO {me} WITH ADMIN OPTION")


def test_all_is_well_with_a_single_user(world: Worlds, check: Checks) -> None:
    app = world()
    found = check(app.arn)
    assert found.code == 0
    assert [found[name] for name in ("value", "strategy", "password", "server", "current", "rights")] == [
        ["passed"]
    ] * 6
    assert "single" in found.text("strategy")
    assert found["admin"] == []


def test_what_is_foreseen_is_what_happens(world: Worlds, check: Checks) -> None:
    """An admin without rights: the check fails, and so does the rotation; then neither."""
    app = world()
    admin = add_admin(app)
    assert check(app.arn).failed == {"rights"}
    assert not rotate(app.service, app.arn).succeeded

    app = world()
    add_admin(app, *FULL)
    for _ in range(3):  # the base, then the clone, then the base again
        assert check(app.arn).failed == set()
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
    assert admin


def test_the_remedy_helps(world: Worlds, check: Checks) -> None:
    app = world()
    add_admin(app)
    found = check(app.arn)
    while found.failed:
        assert found.failed == {"rights"}
        remedies = [line["remedy"] for line in found.lines if line["answer"] == "failed"]
        app.execute(*remedies)
        found = check(app.arn)
    assert rotate(app.service, app.arn).succeeded


def test_version_16_wants_admin_option(world: Worlds, check: Checks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server here may be older: then its catalogs are read as a newer one's are."""
    app = world()
    add_admin(app, "ALTER ROLE {me} CREATEROLE", "ALTER ROLE {app} CREATEDB")
    monkeypatch.setattr(rights, "OPTIONS", 0)
    found = check(app.arn)
    assert "WITH ADMIN OPTION" in found.text("rights", "failed")
    assert "CREATEDB" in found.text("rights", "failed")


def test_an_admin_for_a_single_user_is_the_last_resort(world: Worlds, check: Checks) -> None:
    app = world(tags={"rotators:strategy": "single"})
    add_admin(app)
    found = check(app.arn)
    assert found.code == 0
    assert "CREATEROLE" in found.text("rights", "warning")
    app.execute(f"ALTER ROLE {app.username} SUPERUSER")
    assert "not used to take one over" in check(app.arn).text("rights", "warning")


def test_a_clone_that_is_not_ours(world: Worlds, check: Checks) -> None:
    app = world()
    add_admin(app, *FULL)
    app.execute(f"CREATE ROLE {app.username}_clone LOGIN")
    found = check(app.arn)
    assert found.failed == {"rights"}
    assert "no pair of ours" in found.text("rights")


def test_a_clone_that_owns_things(world: Worlds, check: Checks) -> None:
    app = world()
    add_admin(app, *FULL)
    clone = f"{app.username}_clone"
    app.execute(
        f"CREATE ROLE {clone} LOGIN",
        f"GRANT {app.username} TO {clone}",
        f"GRANT {clone} TO CURRENT_USER WITH ADMIN OPTION",
        f"CREATE SCHEMA s_{app.username} AUTHORIZATION {clone}",
    )
    assert f"REASSIGN OWNED BY {clone} TO {app.username}" in check(app.arn).text("rights", "warning").replace('"', "")


def test_warnings_about_the_role(world: Worlds, check: Checks) -> None:
    app = world()
    app.alter("SUPERUSER")
    assert "superuser" in check(app.arn).text("rights", "warning")
    app.alter("NOSUPERUSER VALID UNTIL 'tomorrow' CONNECTION LIMIT 2")
    found = check(app.arn)
    assert found.code == 0
    assert "expires on" in found.text("rights", "warning")
    assert "2 connections" in found.text("rights", "warning")
    app.alter("VALID UNTIL 'infinity' CONNECTION LIMIT 20")
    assert check(app.arn)["rights"] == ["passed"]


def test_passwords_that_only_some_may_change(world: Worlds, check: Checks) -> None:
    """RDS's parameter; here it is a setting of the role's, which the server takes for anybody's."""
    app = world()
    app.alter("SET rds.restrict_password_commands = 'on'")
    found = check(app.arn)
    assert found.failed == {"rights"}
    assert "GRANT rds_password" in found.text("rights")


def test_weak_verifiers(world: Worlds, check: Checks, md5_server: Postgres) -> None:
    assert "password_encryption" in check(world(md5_server).arn).text("rights", "warning")


def test_a_wrong_password_is_asked_once(world: Worlds, check: Checks) -> None:
    app = world()
    app.set_password("changed-by-hand-Canary")
    with app.log() as log:
        found = check(app.arn)
    assert found["server"] == ["passed"]
    assert found["current"] == ["failed"]
    assert "or: rotators diagnose " in found.text("current", "failed")  # an older version may open: that one asks
    assert found["rights"] == ["not asked"]
    assert "current" in found.text("rights")
    assert found.code == 1
    assert sum("password authentication failed" in line for line in log) == 1


@pytest.mark.parametrize(
    ("change", "cause"),
    [({"host": "no.such.host.invalid"}, "dns"), ({"port": 9}, "refused"), ({"host": "127.0.0.2"}, "refused|tls")],
)
def test_a_server_that_is_not_reached(world: Worlds, check: Checks, change: dict[str, Any], cause: str) -> None:
    app = world()
    app.put_current({**app.value(), **change})
    found = check(app.arn)
    assert found["server"] == ["failed"]
    assert found.text("server").partition(":")[0] in cause.split("|")
    assert "from this machine" in found.text("server")
    assert found["current"] == found["rights"] == ["not asked"]


def test_a_certificate_that_does_not_verify(
    world: Worlds, check: Checks, other_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = world()
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(other_server.ca_bundle))
    assert check(app.arn).text("server", "failed").startswith("tls: ")


def test_no_tls_is_said(world: Worlds, check: Checks, plain_server: Postgres) -> None:
    app = world(plain_server)
    assert app.value()["ssl"] is False
    found = check(app.arn)
    assert found.code == 0
    assert "not encrypted" in found.text("server", "warning")


def test_a_database_that_is_not_there(world: Worlds, check: Checks) -> None:
    app = world()
    app.put_current({**app.value(), "dbname": "nobodys"})
    found = check(app.arn)
    assert found["server"] == ["passed"]
    assert "'dbname'" in found.text("current", "failed")


def test_the_admin_of_another_server(world: Worlds, check: Checks, other_server: Postgres) -> None:
    app = world()
    add_admin(app, *FULL, server=other_server)
    found = check(app.arn)
    assert found.failed == {"admin"}
    assert "another host or port" in found.text("admin")
    assert found["rights"] == ["not asked"]


def test_an_admin_that_does_not_open(world: Worlds, check: Checks) -> None:
    app = world()
    add_admin(app, *FULL, password="wrong-Canary")
    found = check(app.arn)
    assert found.failed == {"admin"}
    assert "does not open" in found.text("admin")


def test_an_admin_that_is_not_there(world: Worlds, check: Checks, service: SecretsManager) -> None:
    app = world()
    app.put_current({**app.value(), "masterarn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:none-AbCdEf"})
    assert check(app.arn).failed == {"admin"}


def test_nothing_is_changed(world: Worlds, check: Checks) -> None:
    """Neither in Secrets Manager nor in the database: no statement but questions and settings of the session."""
    app = world()
    add_admin(app, *FULL)
    labels, value = app.service.labels(app.arn), app.value()
    with app.log() as log:
        assert check(app.arn).code == 0
    assert (app.service.labels(app.arn), app.value()) == (labels, value)
    said = [line for line in log if "statement:" in line]
    assert said
    assert not [line for line in said for word in ("ALTER", "CREATE", "GRANT", "REVOKE", "DROP") if f" {word} " in line]


def test_a_name_without_room_for_the_clones(world: Worlds, check: Checks) -> None:
    app = world(username=f"app_{uuid.uuid4().hex}_{'x' * 22}")
    add_admin(app, *FULL)
    found = check(app.arn)
    assert found.failed == {"strategy"}
    assert "too long for alternating users" in found.text("strategy")
    assert found["rights"] == ["not asked"]


def test_the_admin_is_not_borrowed_while_current_does_not_open(world: Worlds, check: Checks) -> None:
    """Law 5: whoever may write the secret must not get an admin's login for it."""
    app = world()
    add_admin(app, *FULL)
    app.set_password("changed-by-hand-Canary")
    found = check(app.arn)
    assert found.failed == {"current"}
    assert found["admin"] == found["rights"] == ["not asked"]


def test_what_the_secret_held_may_be_out_of_reach(world: Worlds, check: Checks, service: SecretsManager) -> None:
    app = world()
    assert rotate(app.service, app.arn).succeeded
    deny(service, "ListSecretVersionIds")
    assert check(app.arn).failed == set()
