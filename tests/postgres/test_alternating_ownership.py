"""Clones as AWS's template makes them, which own what they create: brought over, or told how."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators import ChangeRefused, TargetUnreachable
from rotators.testing import resume, rotate

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.postgres import Postgres
    from tests.postgres.pair import PairWorld


def from_aws(app: PairWorld, *, current: bool, dbname: str = "postgres", tables: int = 2) -> str:
    """What AWS's template does, and then the client: returns the schema of the clone's tables. `current`: it is in use."""
    schema = f"s_{uuid.uuid4().hex[:8]}"
    app.run(f"CREATE SCHEMA {schema}", f"GRANT ALL ON SCHEMA {schema} TO {{base}}", dbname=dbname)
    app.run("CREATE ROLE {clone} WITH LOGIN PASSWORD 'of-the-template'", "GRANT {base} TO {clone}")
    clone = {**app.value(), "username": app.clone, "password": "of-the-template", "dbname": dbname}
    with app.logged_in(clone) as client:
        for number in range(tables):
            client.execute(f"CREATE TABLE {schema}.t{number} (a int)".encode())
            client.execute(f"INSERT INTO {schema}.t{number} VALUES (1)".encode())
        client.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT ALL ON TABLES TO {app.username}".encode())
        client.execute(f"CREATE FUNCTION {schema}.f() RETURNS int LANGUAGE sql AS 'SELECT 1'".encode())
    if current:
        app.put_current(clone)
    elif dbname != "postgres":
        app.put_current({**app.value(), "dbname": dbname})
    return schema


@pytest.fixture(params=[True, False], ids=["superuser", "createrole"])
def owner(request: pytest.FixtureRequest, pair: Callable[..., PairWorld], any_server: Postgres) -> PairWorld:
    """A pair whose admin may reassign: a superuser, or a member of both roles."""
    return pair(any_server, superuser=request.param)


def may_reassign(app: PairWorld) -> None:
    option = " WITH INHERIT TRUE" if app.newer else ""
    app.run(f"GRANT {{base}}, {{clone}} TO {{admin}}{option}")
    if app.newer:
        app.run("GRANT {base}, {clone} TO {admin} WITH ADMIN OPTION")


@pytest.mark.parametrize("elsewhere", [True, False], ids=["admin elsewhere", "admin in it"])
@pytest.mark.parametrize("current", [True, False], ids=["clone in use", "base in use"])
def test_ownership_is_reassigned_when_asked_for(
    owner: PairWorld, monkeypatch: pytest.MonkeyPatch, current: bool, elsewhere: bool
) -> None:
    monkeypatch.setenv("ROTATORS_REASSIGN_OWNED", "true")
    app = owner
    dbname = "postgres"
    if elsewhere:
        dbname = f"db_{uuid.uuid4().hex[:8]}"
        app.run(f"CREATE DATABASE {dbname}")
    schema = from_aws(app, current=current, dbname=dbname)
    may_reassign(app)
    for _ in range(3):
        app.rotated()
        assert app.asks("SELECT current_user") == app.username
        assert app.asks(f"SELECT a FROM {schema}.t0") == 1
        app.asks(f"ALTER TABLE {schema}.t0 ADD b{uuid.uuid4().hex[:8]} int")
    app.asks(f"DROP TABLE {schema}.t0")
    with app.session() as client:
        client.execute(f"DROP FUNCTION {schema}.f()".encode())
    if elsewhere:
        app.run(f"DROP DATABASE {dbname} WITH (FORCE)")


def test_promoting_the_clone_is_warned_of(owner: PairWorld, caplog: pytest.LogCaptureFixture) -> None:
    app = owner
    from_aws(app, current=False)
    may_reassign(app)
    app.rotated()
    assert app.value()["username"] == app.clone
    assert f"'{app.clone}' at " in caplog.text
    assert "owns 3 objects in database 'postgres'" in caplog.text
    assert f'REASSIGN OWNED BY "{app.clone}" TO "{app.username}"' in caplog.text
    assert "ROTATORS_REASSIGN_OWNED=true" in caplog.text


def test_promoting_the_base_is_refused(owner: PairWorld) -> None:
    """Law 12: it could not alter or drop what the clone, which is in use, owns. The command of the error mends it."""
    app = owner
    from_aws(app, current=True)
    may_reassign(app)
    outcome = rotate(app.service, app.arn)
    assert isinstance(outcome.error, ChangeRefused)
    assert [step.step for step in outcome.steps if step.error is None] == ["createSecret", "setSecret"]
    said = str(outcome.error)
    assert "owns 3 objects in database 'postgres'" in said
    assert "ROTATORS_REASSIGN_OWNED=true" in said
    assert app.value()["username"] == app.clone
    assert app.opens()
    app.run(said.split("Run there: ")[1].split("; or set", maxsplit=1)[0])
    assert resume(app.service, app.arn).succeeded
    app.rotated()


def test_a_temporary_table_ends_with_its_session(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """It is the clone's own, and nothing that the base would miss."""
    app = pair(any_server, superuser=True)
    from_aws(app, current=True, tables=0)
    app.run("DROP OWNED BY {clone}", "GRANT {base} TO {clone}")
    with app.session() as client:
        client.execute("CREATE TEMPORARY TABLE passing (a int)")
        app.rotated()
    assert app.value()["username"] == app.username


def test_other_databases_are_named(owner: PairWorld, caplog: pytest.LogCaptureFixture) -> None:
    app = owner
    dbname = f"Other {uuid.uuid4().hex[:8]}"
    app.run(f'CREATE DATABASE "{dbname}"')
    from_aws(app, current=False, dbname=dbname)
    app.put_current({**app.value(), "dbname": "postgres"})
    may_reassign(app)
    app.rotated(2)
    assert app.value()["username"] == app.username
    assert caplog.text.count(f"owns 3 objects in database '{dbname}'") >= 2
    assert f'Run there: REASSIGN OWNED BY "{app.clone}" TO "{app.username}"' in caplog.text
    app.run(f'DROP DATABASE "{dbname}"')


def test_a_database_that_the_clone_owns(owner: PairWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies in no database, so it counts in each."""
    app = owner
    dbname = f"db_{uuid.uuid4().hex[:8]}"
    from_aws(app, current=True, tables=0)
    app.run(f"CREATE DATABASE {dbname} OWNER {{clone}}")
    may_reassign(app)
    outcome = rotate(app.service, app.arn)
    assert "owns 2 objects" in str(outcome.error)
    monkeypatch.setenv("ROTATORS_REASSIGN_OWNED", "true")
    assert resume(app.service, app.arn).succeeded
    assert app.run(f"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{dbname}'") == [(app.username,)]
    app.run(f"DROP DATABASE {dbname}")


@pytest.mark.parametrize("current", [True, False])
def test_an_admin_who_may_not_reassign(
    pair: Callable[..., PairWorld], any_server: Postgres, monkeypatch: pytest.MonkeyPatch, current: bool
) -> None:
    """What the error says is run as it stands, and then it goes through."""
    app = pair(any_server)
    from_aws(app, current=current)
    if app.newer:
        app.run("GRANT {clone} TO {admin} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE")
    monkeypatch.setenv("ROTATORS_REASSIGN_OWNED", "true")
    before = app.state()
    token = app.began()
    with pytest.raises(ChangeRefused, match="give what .* owns to ") as caught:
        app.step("setSecret", token)
    assert app.state() == before
    app.run(str(caught.value).split("Run: ")[1])
    for step in ("setSecret", "testSecret", "finishSecret"):
        app.step(step, token)
    assert app.opens()


def test_a_table_in_use(pair: Callable[..., PairWorld], monkeypatch: pytest.MonkeyPatch) -> None:
    """REASSIGN OWNED wants a lock on it; the wait has an end, and the retry does it."""
    app = pair(superuser=True)
    schema = from_aws(app, current=False)
    monkeypatch.setenv("ROTATORS_REASSIGN_OWNED", "true")
    monkeypatch.setattr("rotators.deadline.CONNECT", 1.0)
    token = app.began()
    before = app.state()
    with app.server.connect() as other:
        other.autocommit = False
        other.execute(f"SELECT FROM {schema}.t0".encode())
        with pytest.raises(TargetUnreachable, match="others hold locks"):
            app.step("setSecret", token)
    assert app.state() == before
    app.step("setSecret", token)


@pytest.mark.parametrize(
    "given, missed",
    [
        ("ALTER ROLE {clone} CREATEDB", "CREATEDB"),
        ("GRANT pg_monitor TO {clone}", "membership in 'pg_monitor'"),
        ("CREATE TABLE {table} (a int); GRANT SELECT ON {table} TO {clone}", "REVOKE ALL ON TABLE public."),
    ],
)
def test_a_clone_in_use_with_rights_that_the_base_lacks(
    pair: Callable[..., PairWorld], any_server: Postgres, given: str, missed: str
) -> None:
    """Law 12: as AWS's template left it, its sessions act as itself, and the client would miss what it had."""
    app = pair(any_server, superuser=True)
    from_aws(app, current=True, tables=0)
    app.run("DROP OWNED BY {clone}")
    app.run(*given.replace("{table}", f"t_{uuid.uuid4().hex[:8]}").split("; "))
    outcome = rotate(app.service, app.arn)
    assert isinstance(outcome.error, ChangeRefused)
    assert missed in str(outcome.error)
    assert app.value()["username"] == app.clone


def test_tables_made_without_the_role(pair: Callable[..., PairWorld]) -> None:
    """A client that says SET ROLE NONE leaves its own behind: seen before the base becomes current."""
    app = pair()
    schema = f"s_{uuid.uuid4().hex[:8]}"
    app.run(f"CREATE SCHEMA {schema}", f"GRANT ALL ON SCHEMA {schema} TO {{base}}")
    app.rotated()
    with app.session() as client:
        client.execute("SET ROLE NONE")
        client.execute(f"CREATE TABLE {schema}.t (a int)".encode())
    outcome: Any = rotate(app.service, app.arn)
    assert isinstance(outcome.error, ChangeRefused)
    assert "owns 1 objects" in str(outcome.error)
    app.run("REASSIGN OWNED BY {clone} TO {base}")
    assert resume(app.service, app.arn).succeeded
