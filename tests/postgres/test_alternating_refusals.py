"""What is not ours is not touched (law 11), and what no password mends is said."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators import ChangeRefused, CredentialRejected, RotatorsError, SecretError
from rotators.engines.postgres import Postgres as Engine
from rotators.secret import Secret
from rotators.testing import rotate
from tests.postgres.pair import failed_logins

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.postgres import Postgres
    from tests.postgres.pair import PairWorld

#: What is wrong, done after the base was made, and what is said. {other} is a role of another name.
FOREIGN = [
    ("CREATE ROLE {clone} LOGIN PASSWORD 'theirs'", r"is not a member of .*GRANT .* TO "),
    ("CREATE ROLE {clone} LOGIN SUPERUSER PASSWORD 'theirs'", "is a superuser"),
    ("CREATE ROLE {clone} NOLOGIN", "is not a member of"),
    ("CREATE ROLE {clone} LOGIN SUPERUSER; GRANT {base} TO {clone}", "is a superuser"),
    (
        "CREATE ROLE {clone} LOGIN; CREATE ROLE {other}; GRANT {base} TO {other}; GRANT {other} TO {clone}",
        "is not a member of",
    ),
    ("CREATE ROLE {clone} LOGIN; GRANT {clone} TO {base}", "is not a member of"),
    ("CREATE ROLE {clone} LOGIN; GRANT {base} TO {clone}; ALTER ROLE {base} SUPERUSER", "is a superuser"),
    ("ALTER ROLE {base} SUPERUSER", "is a superuser"),
]


@pytest.mark.parametrize("superuser", [True, False])
@pytest.mark.parametrize("statements, said", FOREIGN, ids=[statements for statements, _ in FOREIGN])
def test_what_is_not_ours(
    pair: Callable[..., PairWorld], any_server: Postgres, statements: str, said: str, superuser: bool
) -> None:
    app = pair(any_server, superuser=superuser)
    app.run(*statements.replace("{other}", f"other_{uuid.uuid4().hex[:8]}").split("; "))
    before = app.state()
    token = app.began()
    with pytest.raises(ChangeRefused, match=said) as caught:
        app.step("setSecret", token)
    assert not caught.value.retryable
    assert app.state() == before
    assert app.opens()


@pytest.mark.parametrize(
    "statement", ["SELECT 1", "CREATE ROLE {base}", "CREATE ROLE {base} LOGIN SUPERUSER", "CREATE ROLE {base} LOGIN"]
)
def test_a_role_that_only_looks_like_a_clone(
    pair: Callable[..., PairWorld], any_server: Postgres, statement: str
) -> None:
    """A secret for `x_clone` must not take over an unrelated role `x`."""
    name = f"x_{uuid.uuid4().hex[:8]}"
    app = pair(any_server, username=f"{name}_clone", grants=False)
    app.username, app.clone = name, f"{name}_clone"
    app.run(statement)
    before = app.state()
    token = app.began()
    with pytest.raises(ChangeRefused, match="superuser|rotators:strategy") as caught:
        app.step("setSecret", token)
    assert f"'{name}'" in str(caught.value)
    assert app.state() == before
    assert app.opens()


@pytest.mark.parametrize(
    "statement, said",
    [
        ("ALTER ROLE {base} NOLOGIN", "has NOLOGIN"),
        ("ALTER ROLE {base} VALID UNTIL '2001-01-01'", "expired on 2001-01-01"),
    ],
)
@pytest.mark.parametrize("turns", [0, 1])
def test_a_base_that_no_password_opens(pair: Callable[..., PairWorld], statement: str, said: str, turns: int) -> None:
    """Whether it is the next one or the model of the next one: the engine is asked itself, as law 5 stops the latter."""
    app = pair()
    app.rotated(turns)
    app.run(statement)
    before = app.state()
    current = app.value()
    other = app.username if turns else app.clone
    admin = Secret(app.store.another(current["masterarn"]))
    pending = Secret({**current, "username": other, "password": "pending-Canary"})
    with pytest.raises(ChangeRefused, match=said):
        Engine().set(pending, by=admin, like=Secret(current))
    assert app.state() == before


def test_a_base_that_is_gone(pair: Callable[..., PairWorld]) -> None:
    app = pair()
    app.rotated()
    app.run("DROP ROLE {base}")
    token = app.began()
    with pytest.raises(ChangeRefused, match=f"has no role '{app.username}'.*rotators:strategy"):
        app.step("setSecret", token)
    assert app.opens()


def test_current_must_open_before_the_admin_is_borrowed(pair: Callable[..., PairWorld]) -> None:
    """Law 5."""
    app = pair()
    app.set_password("changed-by-hand")
    token = app.began()
    with app.log() as lines, pytest.raises(CredentialRejected):
        app.step("setSecret", token)
    assert app.admin not in "\n".join(lines)


@pytest.mark.parametrize(
    "change", [{"username": "postgres"}, {"username": "{base}"}, {"username": "{clone}_clone"}, {"dbname": "x"}]
)
def test_pending_for_another_user(pair: Callable[..., PairWorld], change: dict[str, Any]) -> None:
    app = pair()
    values = {key: text.format(base=app.username, clone=app.clone) for key, text in change.items()}
    token = app.pending(**{"username": app.clone, "password": "pending-Canary", **values})
    before = app.state()
    for step in ("setSecret", "testSecret", "finishSecret"):
        with app.log() as lines, pytest.raises(SecretError, match="differ"):
            app.step(step, token)
        assert lines == []
    assert app.state() == before


def test_two_that_are_no_pair(pair: Callable[..., PairWorld]) -> None:
    """The engine, asked by somebody's own strategy."""
    app = pair()
    value = app.value()
    for other in ("somebody", "app_clone", app.username + "_CLONE"):
        with pytest.raises(SecretError, match="not a pair"):
            Engine().set(Secret({**value, "username": other}), by=Secret(value), like=Secret(value))


LACKING = [
    ("", "ALTER ROLE {base} CREATEDB"),
    ("", "ALTER ROLE {base} SET log_statement = 'mod'"),
    ("", "ALTER ROLE {base} SET my.secret = 'Canary-of-a-setting'"),
    (
        "",
        "ALTER ROLE {base} SET log_statement = 'mod'; ALTER ROLE {base} SET my.other = 'x'; ALTER ROLE {base} CREATEDB",
    ),
    ("ALTER ROLE {admin} NOCREATEROLE", "SELECT 1"),
    ("REVOKE {base} FROM {admin}", "SELECT 1"),
    ("ALTER ROLE {admin} NOCREATEROLE; REVOKE {base} FROM {admin}", "ALTER ROLE {base} CREATEDB"),
    ("SELECT 1", "ALTER ROLE {base} CREATEROLE"),
    (
        "SELECT 1",
        "ALTER ROLE {base} CONNECTION LIMIT 5 VALID UNTIL '2090-01-01'; ALTER ROLE {base} SET work_mem = '9MB'",
    ),
]
#: With its ADMIN OPTION goes what the admin granted by it, and then the two are no pair any more.
RIGHTS = [(*case, turns) for case in LACKING for turns in (0, 2) if not (turns and "REVOKE" in case[0])]


@pytest.mark.parametrize("lacking, wanted, turns", RIGHTS, ids=[" / ".join(map(str, case)) for case in RIGHTS])
def test_the_error_names_the_missing_rights(
    pair: Callable[..., PairWorld], any_server: Postgres, lacking: str, wanted: str, turns: int
) -> None:
    """As on RDS: the admin is no superuser. What the error says is run as it stands, and then the rotation goes through."""
    app = pair(any_server)
    app.rotated(turns)
    app.run(*wanted.split("; "), *filter(None, lacking.split("; ")))
    before = app.state()
    token = app.began()
    refusals = 0
    for _ in range(3):
        try:
            app.step("setSecret", token)
        except ChangeRefused as error:
            refusals += 1
            assert not error.retryable
            assert "Canary" not in str(error)
            assert app.state() == before
            app.run(*str(error).split("Run: ")[1].replace("{", "{{").replace("}", "}}").split("; "))
            before = app.state()
            continue
        break
    for step in ("setSecret", "testSecret", "finishSecret"):
        app.step(step, token)
    assert app.value()["username"] == app.clone
    assert app.can(app.clone) == app.can(app.username)
    expected = "CREATEDB" in wanted and (app.newer or "NOCREATEROLE" in lacking)
    expected |= "log_statement" in wanted or "my." in wanted or "NOCREATEROLE" in lacking
    expected |= "REVOKE" in lacking and app.newer
    assert refusals == int(expected)  # all that is missing is said at once


@pytest.mark.parametrize("attribute", ["REPLICATION", "BYPASSRLS"])
def test_attributes_that_few_may_give(pair: Callable[..., PairWorld], any_server: Postgres, attribute: str) -> None:
    """Up to 15 only a superuser may, and no other may even set the password of a role with REPLICATION."""
    app = pair(any_server)
    app.run(f"ALTER ROLE {{base}} {attribute}")
    token = app.began()
    with pytest.raises(ChangeRefused, match=attribute) as caught:
        app.step("setSecret", token)
    said = str(caught.value).split("Run: ")[1]
    whom = app.admin if app.newer else app.clone
    assert said == f'ALTER ROLE "{whom}" {attribute}'
    if app.newer:
        app.run(said)
        app.step("setSecret", token)
        app.step("testSecret", token)


def test_a_membership_that_the_admin_can_not_revoke(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    app = pair(any_server)
    app.rotated(2)
    team = f"team_{uuid.uuid4().hex[:8]}"
    app.run(f"CREATE ROLE {team} {'' if app.newer else 'SUPERUSER'}", f"GRANT {team} TO {{clone}}")
    before = app.state()
    token = app.began()
    with pytest.raises(ChangeRefused, match=f"no membership in '{team}'") as caught:
        app.step("setSecret", token)
    assert app.state() == before
    app.run(str(caught.value).split("Run: ")[1])
    for step in ("setSecret", "testSecret", "finishSecret"):
        app.step(step, token)
    assert app.opens()


def test_the_base_alone_needs_no_more_than_its_password(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """The clone can't be made equal, as the admin may not; that stops the clone's turn, not the base's."""
    app = pair(any_server)
    app.rotated()
    app.run("ALTER ROLE {base} SET log_statement = 'mod'")
    with app.log() as lines:
        outcome = rotate(app.service, app.arn)
    assert outcome.succeeded, outcome.error
    assert app.value()["username"] == app.username
    assert [line for line in lines if "FATAL" in line or "ERROR" in line] == []
    assert isinstance(rotate(app.service, app.arn).error, ChangeRefused)


def test_an_admin_whose_password_is_wrong(pair: Callable[..., PairWorld]) -> None:
    app = pair(admin_secret={"password": "not-this"})
    token = app.began()
    before = app.state()
    with app.log() as lines, pytest.raises(CredentialRejected, match="AWSCURRENT opens"):
        app.step("setSecret", token)
    assert len(failed_logins(lines)) >= 1
    assert app.state() == before


def test_an_admin_who_may_not_connect_to_the_secrets_database(pair: Callable[..., PairWorld]) -> None:
    """Roles are the same in every database: the admin's own will do."""
    app = pair(superuser=False)
    dbname = f"db_{uuid.uuid4().hex[:8]}"
    app.run(
        f"CREATE DATABASE {dbname}",
        f"REVOKE CONNECT ON DATABASE {dbname} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {dbname} TO {{base}}",
    )
    app.put_current({**app.value(), "dbname": dbname})
    app.rotated(2)
    app.run(f"CREATE TABLE t (a int); GRANT SELECT ON t TO {app.clone}", dbname=dbname)
    app.rotated(2)
    app.run(f"DROP DATABASE {dbname}")


def test_the_errors_are_ours(pair: Callable[..., PairWorld], monkeypatch: pytest.MonkeyPatch) -> None:
    app = pair(superuser=True)
    monkeypatch.setenv("ROTATORS_REASSIGN_OWNED", "maybe")
    token = app.began()
    with pytest.raises(RotatorsError, match="ROTATORS_REASSIGN_OWNED must be true or false"):
        app.step("setSecret", token)
