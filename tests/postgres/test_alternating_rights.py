"""The clone can do what the base can, no more and no less (law 12): refreshed at each turn, compared at each test."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import psycopg
import pytest

from rotators import ChangeRefused
from rotators.engines.postgres.gaps import FLAGS, gaps
from rotators.engines.postgres.rights import Pair, Rights
from rotators.engines.postgres.sql import literals
from rotators.testing import rotate

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.postgres import Postgres
    from tests.postgres.pair import PairWorld

DRIFTS = [
    ("ALTER ROLE {} CREATEDB", "ALTER ROLE {} NOCREATEDB"),
    ("ALTER ROLE {} CREATEROLE", "ALTER ROLE {} NOCREATEROLE"),
    ("ALTER ROLE {} BYPASSRLS", "ALTER ROLE {} NOBYPASSRLS"),
    ("ALTER ROLE {} REPLICATION", "ALTER ROLE {} NOREPLICATION"),
    ("ALTER ROLE {} CONNECTION LIMIT 9", "ALTER ROLE {} CONNECTION LIMIT -1"),
    ("ALTER ROLE {} VALID UNTIL '2090-01-02 03:04:05+06'", "ALTER ROLE {} VALID UNTIL 'infinity'"),
    ("ALTER ROLE {} SET work_mem = '9MB'", "ALTER ROLE {} RESET work_mem"),
    ("ALTER ROLE {} SET search_path = \"$user\", 'it''s', 'a,b', public", "ALTER ROLE {} RESET search_path"),
    (
        "ALTER ROLE {} IN DATABASE postgres SET search_path = ''",
        "ALTER ROLE {} IN DATABASE postgres SET search_path = 'x'",
    ),
    ("ALTER ROLE {} SET log_statement = 'mod'", "ALTER ROLE {} RESET ALL"),
    ("ALTER ROLE {} SET my.own = E'it''s a \\\\ \"value\" = 1'", "ALTER ROLE {} RESET my.own"),
    ("ALTER ROLE {} SET \"DateStyle\" = 'ISO, DMY'", "ALTER ROLE {} RESET datestyle"),
    ("ALTER ROLE {} IN DATABASE postgres SET work_mem = '8MB'", "ALTER ROLE {} IN DATABASE postgres RESET work_mem"),
    ("ALTER ROLE {} IN DATABASE template1 SET search_path = a, b", "ALTER ROLE {} IN DATABASE template1 RESET ALL"),
    ("GRANT pg_monitor TO {}", "REVOKE pg_monitor FROM {}"),
]


def changes(whose: str, which: int) -> list[str]:
    return [drift[which].format(f"{{{whose}}}") for drift in DRIFTS]


def test_drift_of_the_base(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """Added before the clone is made, taken away later, added again."""
    app = pair(any_server, superuser=True)
    for which in (0, 1, 0):
        app.run(*changes("base", which))
        app.rotated()
        assert app.value()["username"] == app.clone
        assert app.can(app.clone) == app.can(app.username)
        app.rotated()


def test_drift_of_the_clone(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """What somebody did to the clone while the base was in use, is undone at its turn."""
    app = pair(any_server, superuser=True)
    app.rotated(2)
    app.run(*changes("clone", 0))
    assert app.can(app.clone) != app.can(app.username)
    app.rotated()
    assert app.can(app.clone) == app.can(app.username)
    app.rotated()
    app.run(*changes("base", 0))
    app.rotated(2)
    app.run(*changes("clone", 1))
    assert app.can(app.clone) != app.can(app.username)
    app.rotated()
    assert app.can(app.clone) == app.can(app.username)


@pytest.mark.parametrize("more, less", DRIFTS, ids=[more for more, _ in DRIFTS])
def test_each_drift_is_seen_by_the_test_itself(pair: Callable[..., PairWorld], more: str, less: str) -> None:
    """`can` is what the tests above compare with: it must tell each difference, and so must testSecret."""
    app = pair(superuser=True)
    token = app.began("setSecret")
    assert app.can(app.clone) == app.can(app.username)
    app.run(more.format("{clone}"))
    assert app.can(app.clone) != app.can(app.username)
    with pytest.raises(ChangeRefused, match="to be corrected"):
        app.step("testSecret", token)


def test_nologin_on_the_clone_is_undone(pair: Callable[..., PairWorld]) -> None:
    app = pair()
    app.rotated(2)
    app.run("ALTER ROLE {clone} NOLOGIN VALID UNTIL '2001-01-01'")
    app.rotated()


def test_what_the_base_inherits(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """PostgreSQL 16: a membership of the base with INHERIT FALSE or SET FALSE is the clone's as it is."""
    app = pair(any_server)
    inherits, sets, both = (f"{name}_{uuid.uuid4().hex[:8]}" for name in ("inherits", "sets", "both"))
    for name in (inherits, sets, both):
        app.run(f"CREATE ROLE {name}", f"CREATE TABLE of_{name} ()", f"GRANT SELECT ON of_{name} TO {name}")
    app.run(
        f"GRANT {inherits} TO {{base}}" + (" WITH INHERIT TRUE, SET FALSE" if app.newer else ""),
        f"GRANT {sets} TO {{base}}" + (" WITH INHERIT FALSE, SET TRUE" if app.newer else ""),
        f"GRANT {both} TO {{base}}",
    )

    def can(name: str, how: str) -> bool:
        with app.session() as client:
            try:
                if how == "set":
                    client.execute(f"SET ROLE {name}".encode())
                else:
                    client.execute(f"SELECT FROM of_{name}".encode())
            except psycopg.errors.InsufficientPrivilege:
                return False
            return True

    questions = [(name, how) for name in (inherits, sets, both) for how in ("set", "inherit")]
    before = [can(*question) for question in questions]
    assert all(before) is not app.newer
    app.rotated()
    assert [can(*question) for question in questions] == before


@pytest.mark.parametrize("where", ["base", "clone"])
def test_noinherit(pair: Callable[..., PairWorld], any_server: Postgres, where: str) -> None:
    """Its own business up to 15, and a default from 16 on. The clone logs in by what its base may (CONNECT) either way."""
    app = pair(any_server)
    dbname = f"db_{uuid.uuid4().hex[:8]}"
    app.run(
        f"CREATE DATABASE {dbname}",
        f"REVOKE CONNECT ON DATABASE {dbname} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {dbname} TO {{base}}",
    )
    app.put_current({**app.value(), "dbname": dbname})
    app.rotated(2)
    app.run(f"ALTER ROLE {{{where}}} NOINHERIT", "GRANT pg_monitor TO {base}")
    answers = []
    for _ in range(3):
        app.rotated()
        answers.append(app.asks("SELECT count(*) FROM pg_settings WHERE name = 'data_directory'"))
    assert answers == [int(where == "clone")] * 3
    app.run(f"DROP DATABASE {dbname}")


def test_options_of_the_membership_are_restored(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    app = pair(any_server, superuser=True)
    app.rotated(2)
    admins = "SELECT bool_or(admin_option) FROM pg_auth_members WHERE member = '{clone}'::regrole"
    app.run("GRANT {base} TO {clone} WITH ADMIN OPTION")
    if app.newer:
        app.run("GRANT {base} TO {clone} WITH INHERIT FALSE, SET FALSE")
    assert app.run(admins) == [(True,)]
    app.rotated()
    assert app.run(admins) == [(False,)]
    assert app.asks("SELECT current_user") == app.username


def test_memberships_of_the_clone_granted_by_others(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """PostgreSQL 16: a REVOKE of what another role granted is no error and does nothing, unless it names that role."""
    app = pair(any_server, superuser=True)
    app.rotated(2)
    team, lead = f"team_{uuid.uuid4().hex[:8]}", f"lead_{uuid.uuid4().hex[:8]}"
    app.run(f"CREATE ROLE {team}", f"CREATE ROLE {lead}", f"GRANT {team} TO {lead} WITH ADMIN OPTION")
    app.run(f"GRANT {team} TO {{clone}}", f"SET ROLE {lead}; GRANT {team} TO {{clone}} WITH ADMIN OPTION")
    app.rotated()
    assert app.run("SELECT roleid::regrole::text FROM pg_auth_members WHERE member = '{clone}'::regrole") == [
        (app.username,)
    ]


def test_a_base_with_a_role_of_its_own(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """ALTER ROLE app SET role = owner: the clone acts as that one too; a database may have another."""
    app = pair(any_server)
    owner, there = f"owner_{uuid.uuid4().hex[:8]}", f"There {uuid.uuid4().hex[:8]}"
    app.run(f"CREATE ROLE {owner}", f'CREATE ROLE "{there}"', f'GRANT {owner}, "{there}" TO {{base}}')
    app.run(
        f"ALTER ROLE {{base}} SET role = {owner}", f"ALTER ROLE {{base}} IN DATABASE template1 SET role = '{there}'"
    )
    for _ in range(3):
        app.rotated()
        assert app.asks("SELECT current_user") == owner
        assert app.asks("SELECT current_user", dbname="template1") == there
    app.run("ALTER ROLE {base} RESET role")
    app.rotated(2)
    assert app.value()["username"] == app.clone
    assert app.asks("SELECT current_user") == app.username
    assert app.asks("SELECT current_user", dbname="template1") == there
    app.run("ALTER ROLE {base} SET role = 'none'")
    app.rotated(2)
    assert app.asks("SELECT current_user") == app.username


def test_a_database_with_a_role_of_its_own(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    """ALTER DATABASE … SET role holds for every role; the clone's own setting must not overrule it."""
    app = pair(any_server)
    owner, dbname = f"owner_{uuid.uuid4().hex[:8]}", f"db_{uuid.uuid4().hex[:8]}"
    app.run(f"CREATE ROLE {owner}", f"GRANT {owner} TO {{base}}", f"CREATE DATABASE {dbname}")
    app.run(f"ALTER DATABASE {dbname} SET role = {owner}")
    app.put_current({**app.value(), "dbname": dbname})
    for _ in range(3):
        app.rotated()
        assert app.asks("SELECT current_user") == owner
        assert app.asks("SELECT current_user", dbname="postgres") == app.username
    app.run(f"DROP DATABASE {dbname}")


GRANTS = [
    ("GRANT SELECT ON {table} TO {clone}", "has_table_privilege('{clone}', '{table}', 'SELECT')"),
    ("GRANT UPDATE (a) ON {table} TO {clone}", "has_column_privilege('{clone}', '{table}', 'a', 'UPDATE')"),
    ("GRANT USAGE ON SCHEMA {schema} TO {clone}", "has_schema_privilege('{clone}', '{schema}', 'USAGE')"),
    (
        "GRANT EXECUTE ON FUNCTION {schema}.f(int) TO {clone}",
        "has_function_privilege('{clone}', '{schema}.f(int)', 'EXECUTE')",
    ),
    ("GRANT CREATE ON DATABASE postgres TO {clone}", "has_database_privilege('{clone}', 'postgres', 'CREATE')"),
    ("GRANT SELECT ON {table} TO {clone} WITH GRANT OPTION", "has_table_privilege('{clone}', '{table}', 'SELECT')"),
    ("GRANT SET ON PARAMETER log_statement TO {clone}", "has_parameter_privilege('{clone}', 'log_statement', 'SET')"),
]


@pytest.mark.parametrize("grant, question", GRANTS, ids=[grant for grant, _ in GRANTS])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_privileges_granted_to_the_clone_by_name(
    pair: Callable[..., PairWorld], any_server: Postgres, grant: str, question: str, elsewhere: bool
) -> None:
    """Not in effect in a session that acts as the base, but for SET ROLE NONE: revoked, wherever the admin logs in."""
    app = pair(any_server, superuser=True, admin_secret={"dbname": "template1"} if elsewhere else {})
    app.rotated(2)
    schema = f"s_{uuid.uuid4().hex[:8]}"
    names = {"schema": schema, "table": f"{schema}.t", "clone": app.clone}
    app.run(
        f"CREATE SCHEMA {schema}",
        f"CREATE TABLE {schema}.t (a int)",
        f"CREATE FUNCTION {schema}.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        f"REVOKE ALL ON FUNCTION {schema}.f(int) FROM PUBLIC",
        grant.format(**names),
    )
    assert app.run(f"SELECT {question.format(**names)}") == [(True,)]
    with app.log() as lines:
        app.rotated()
    assert app.value()["username"] == app.clone
    assert app.run(f"SELECT {question.format(**names)}") == [(False,)]
    assert [line for line in lines if "ERROR" in line] == []


def test_a_privilege_that_the_base_has_too_is_left(pair: Callable[..., PairWorld], any_server: Postgres) -> None:
    app = pair(any_server, superuser=True)
    app.rotated(2)
    table = f"t_{uuid.uuid4().hex[:8]}"
    app.run(
        f"CREATE TABLE {table} (a int)", f"GRANT SELECT ON {table} TO {{base}}", f"GRANT SELECT ON {table} TO {{clone}}"
    )
    app.rotated(2)
    direct = f"SELECT relacl::text LIKE '%{app.clone}%' FROM pg_class WHERE relname = '{table}'"
    assert app.run(direct) == [(True,)]
    app.run(f"REVOKE SELECT ON {table} FROM {{base}}")
    app.rotated()
    assert app.run(direct) == [(False,)]


def test_what_the_admin_can_not_revoke_is_named(
    pair: Callable[..., PairWorld], caplog: pytest.LogCaptureFixture
) -> None:
    app = pair()
    app.rotated(2)
    table = f"t_{uuid.uuid4().hex[:8]}"
    app.run(f"CREATE TABLE {table} (a int)", f"GRANT SELECT ON {table} TO {{clone}}")
    with app.log() as lines:
        app.rotated()
    assert [line for line in lines if "ERROR" in line or "WARNING" in line] == []
    assert f'Run: REVOKE ALL ON TABLE public.{table} FROM "{app.clone}"' in caplog.text


MORE_THAN_CLOSED = [
    ("ALTER ROLE {clone} CREATEDB", "no CREATEDB"),
    ("ALTER ROLE {clone} CONNECTION LIMIT 3", "CONNECTION LIMIT"),
    ("ALTER ROLE {clone} SET work_mem = '9MB'", "no setting work_mem"),
    ("ALTER ROLE {clone} RESET role", "setting role"),
    ("ALTER ROLE {clone} IN DATABASE postgres SET work_mem = '9MB'", "no setting work_mem in database 'postgres'"),
    ("GRANT pg_monitor TO {clone}", "no membership in 'pg_monitor'"),
    ("ALTER ROLE {base} CREATEDB", "CREATEDB"),
    ("ALTER ROLE {base} SET my.secret = 'Canary-of-a-setting'", "setting my.secret"),
]


@pytest.mark.parametrize("change, said", MORE_THAN_CLOSED, ids=[change for change, _ in MORE_THAN_CLOSED])
def test_test_secret_refuses_a_difference(
    pair: Callable[..., PairWorld], any_server: Postgres, change: str, said: str
) -> None:
    """Made after setSecret. The retry, which starts at setSecret again, closes it."""
    app = pair(any_server, superuser=True)
    token = app.began("setSecret")
    app.run(change)
    with app.log() as lines, pytest.raises(ChangeRefused) as caught:
        app.step("testSecret", token)
    assert f"to be corrected: {said}." in str(caught.value)
    assert "Canary" not in str(caught.value)
    assert caught.value.retryable
    assert app.admin not in "\n".join(lines)
    for step in ("setSecret", "testSecret", "finishSecret"):
        app.step(step, token)
    assert app.opens()


def test_a_session_that_does_not_act_as_the_base(pair: Callable[..., PairWorld]) -> None:
    """The server lets a role log in whose `role` setting it does not follow: a base that acts as a role it is not in."""
    app = pair()
    owner = f"owner_{uuid.uuid4().hex[:8]}"
    app.run(f"CREATE ROLE {owner}", f"ALTER ROLE {{base}} SET role = {owner}")
    token = app.began("setSecret")
    with pytest.raises(ChangeRefused, match=f"acts as '{app.clone}' and not as '{owner}'"):
        app.step("testSecret", token)


def test_differences_of_a_clone_in_use_do_not_stop_the_base(
    pair: Callable[..., PairWorld], caplog: pytest.LogCaptureFixture
) -> None:
    """The base is the reference; what was done to the clone is said, and corrected at its next turn."""
    app = pair(superuser=True)
    app.rotated()
    app.run("ALTER ROLE {clone} CREATEDB", "ALTER ROLE {clone} SET work_mem = '9MB'")
    app.rotated()
    assert app.value()["username"] == app.username
    assert "its next turn corrects: no CREATEDB, no setting work_mem" in caplog.text
    app.rotated()
    assert app.can(app.clone) == app.can(app.username)


@pytest.mark.parametrize("many", [1, 3])
def test_equal_roles_are_not_altered(pair: Callable[..., PairWorld], any_server: Postgres, many: int) -> None:
    """Law 4: what is right is not set again, but for the password."""
    app = pair(any_server)
    app.run("ALTER ROLE {base} SET work_mem = '9MB'", "ALTER ROLE {base} CONNECTION LIMIT 9")
    app.rotated(2)
    for _ in range(many):
        with app.log() as lines:
            assert rotate(app.service, app.arn).succeeded
        said = [
            line for line in lines if any(word in line for word in ("ALTER ROLE", "GRANT", "REVOKE", "CREATE ROLE"))
        ]
        assert len(said) == 1
        assert "PASSWORD" in said[0]


@pytest.mark.parametrize(
    "flattened, quoted",
    [
        ('"$user", public', "'$user', 'public'"),
        ('"a""b", "c,d"', "'a\"b', 'c,d'"),
        ('""', "''"),
        ("", "''"),
        ("a,b", "'a', 'b'"),
        ('"it\'s"', "'it''s'"),
    ],
)
def test_lists_of_names(flattened: str, quoted: str) -> None:
    assert literals(flattened) == quoted


@pytest.mark.parametrize("version, remedy", [(140000, ""), (150000, 'GRANT SET ON PARAMETER "my"."own" TO "admin"')])
def test_the_remedy_is_one_that_the_version_has(version: int, remedy: str) -> None:
    """No server before 15 is at hand; before, only a superuser could set such a parameter."""
    role = dict.fromkeys(FLAGS, True) | {"rolconnlimit": -1, "rolvaliduntil": None, "oid": 1}
    membership = {"role": "app", "by": "admin", "roleid": 1, "admin_option": False}
    facts = {
        **dict.fromkeys(("belongings", "expired", "administers")),
        "version": version,
        "acts": "admin",
        "database": "postgres",
        "admin": {"rolname": "admin"},
        "roles": {"app": role, "app_clone": role},
        "memberships": [membership],
        "settings": [["app", None, ["my.own=x"]], ["app_clone", None, ["role=app"]]],
    }
    (gap,) = gaps(Rights(Pair("app", "app_clone"), facts))
    assert (gap.text, gap.remedy) == ("setting my.own", remedy)
