"""What is asked of real MySQL and MariaDB servers before a rotation; each right is taken away, and its line fails."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators.engines.mysql.foresight import covers
from rotators.engines.mysql.grants import parsed
from rotators.testing import rotate
from tests.docs.test_grants import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mysqld import Mysqld
    from tests.diagnosis.beforehand.conftest import Found
    from tests.mysql_world import MySQLWorld

    Checks = Callable[..., Found]
    Worlds = Callable[..., MySQLWorld]

PASSWORD = "admin-Canary-77b0"


def add_admin(app: MySQLWorld, *statements: str) -> str:
    """Name an admin in the secret, with these rights alone, as docs/strategies.md has them for `admin` and `shop`."""
    admin = f"adm_{uuid.uuid4().hex[:10]}"
    app.execute(
        f"CREATE USER `{admin}`@`%` IDENTIFIED BY '{PASSWORD}'",
        *(s.replace("`admin`", f"`{admin}`").replace("`shop`", f"`{app.dbname}`") for s in statements),
    )
    arn = app.service.client().create_secret(
        Name=f"admin/{admin}", SecretString=json.dumps(app.server.secret(admin, PASSWORD))
    )["ARN"]
    app.put_current({**app.value(), "masterarn": arn})
    return admin


def test_a_user_by_itself(mysql_family: Mysqld, mysql_world: Worlds, check: Checks) -> None:
    """Whether the old password goes on opening is what the rotation then shows."""
    app = mysql_world(mysql_family)
    found = check(app.arn)
    assert found.code == 0
    assert "stops opening at once" in found.text("rights", "warning")
    assert rotate(app.service, app.arn).succeeded
    assert not app.opens("AWSPREVIOUS")

    right = "CREATE USER" if mysql_family.engine == "mariadb" else "APPLICATION_PASSWORD_ADMIN"
    app.execute(f"GRANT {right} ON *.* TO {app.name}")
    assert check(app.arn)["rights"] == ["passed"]
    assert rotate(app.service, app.arn).succeeded
    assert app.opens("AWSPREVIOUS")


@pytest.mark.parametrize("strategy", ["single", "alternating"])
def test_the_rights_of_the_guide_are_enough_and_none_is_too_many(
    mysql_family: Mysqld, mysql_world: Worlds, check: Checks, strategy: str
) -> None:
    """Each statement of docs/strategies.md left out fails the check; running it mends it, and the rotation succeeds."""
    title = "an admin for the single user" if strategy == "single" else "an admin for alternating users"
    grants = told(f"{mysql_family.engine}: {title}")
    for missing in range(len(grants)):
        if mysql_family.engine == "mariadb" and strategy == "single" and "mysql`.`user`" in grants[missing]:
            continue  # what MariaDB wants for SHOW CREATE USER of others; the plan does not ask that
        app = mysql_world(mysql_family, tags={"rotators:strategy": strategy})
        admin = add_admin(app, *(grant for number, grant in enumerate(grants) if number != missing))
        found = check(app.arn)
        assert found.failed == {"rights"}, grants[missing]
        assert "GRANT " in found.text("rights", "failed")
        app.execute(grants[missing].replace("`admin`", f"`{admin}`").replace("`shop`", f"`{app.dbname}`"))
        assert check(app.arn).failed == set(), grants[missing]
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
    assert check(app.arn).failed == set()  # the clone's turn is over: now the base's
    assert rotate(app.service, app.arn).succeeded


def test_the_remedies_alone_help(mysql_family: Mysqld, mysql_world: Worlds, check: Checks) -> None:
    app = mysql_world(mysql_family)
    app.execute(f"CREATE TABLE `{app.dbname}`.t (a INT)", f"GRANT SELECT ON `mysql`.`db` TO {app.name}")
    add_admin(app)
    for _ in range(10):
        found = check(app.arn)
        if not found.failed:
            break
        for line in found.lines:
            if line["answer"] == "failed":
                statement = line["remedy"] or line["text"][line["text"].index("GRANT ") :]
                app.execute(statement)
    assert found.failed == set()
    outcome = rotate(app.service, app.arn)
    assert outcome.succeeded, outcome.error


def test_a_clone_that_is_not_ours(mysql_family: Mysqld, mysql_world: Worlds, check: Checks) -> None:
    app = mysql_world(mysql_family)
    app.with_admin()
    app.execute(f"CREATE USER `{app.username}_clone`@`%` IDENTIFIED BY 'theirs-Canary'")
    found = check(app.arn)
    assert found.failed == {"rights"}
    assert "is not ours" in found.text("rights")


def test_a_system_user(mysql: Mysqld, mysql_world: Worlds, check: Checks) -> None:
    app = mysql_world(mysql, tags={"rotators:strategy": "single"})
    add_admin(app, *told("mysql: an admin for the single user"), "GRANT SELECT ON `mysql`.* TO `admin`@`%`")
    assert check(app.arn).failed == set()
    app.execute(f"GRANT SYSTEM_USER ON *.* TO {app.name}")
    assert "GRANT SYSTEM_USER" in check(app.arn).text("rights", "failed")


def test_a_read_only_server(mariadb: Mysqld, mysql_world: Worlds, check: Checks) -> None:
    app = mysql_world(mariadb)
    app.execute("SET GLOBAL read_only = 1")
    try:
        assert "read-only" in check(app.arn).text("rights", "failed")
    finally:
        app.execute("SET GLOBAL read_only = 0")


def test_a_name_without_room_for_the_clones(mysql: Mysqld, mysql_world: Worlds, check: Checks) -> None:
    app = mysql_world(mysql)
    app.put_current(
        {**app.value(), "username": "a" * 30, "masterarn": "arn:aws:secretsmanager:eu-central-1:1:secret:a"}
    )
    assert check(app.arn).failed >= {"strategy"}


def test_nothing_is_changed(mysql_family: Mysqld, mysql_world: Worlds, check: Checks) -> None:
    app = mysql_world(mysql_family)
    app.with_admin()
    labels = app.service.labels(app.arn)
    with app.log() as log:
        assert check(app.arn).code == 0
    assert app.service.labels(app.arn) == labels
    queries = [line for line in log if "Query" in line]
    assert queries
    words = ("ALTER ", "CREATE ", "GRANT ", "REVOKE ", "DROP ", "SET PASSWORD")
    assert not [line for line in queries for word in words if word in line and f"SHOW {word}" not in line]


@pytest.mark.parametrize(
    ("mine", "wanted", "covered"),
    [
        ("GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION", "GRANT SELECT ON `d`.`t` TO `b`@`%`", True),
        ("GRANT ALL PRIVILEGES ON *.* TO `a`@`%`", "GRANT SELECT ON `d`.* TO `b`@`%`", False),
        ("GRANT SELECT ON `d`.* TO `a`@`%` WITH GRANT OPTION", "GRANT SELECT ON `d`.`t` TO `b`@`%`", True),
        ("GRANT SELECT ON `d`.* TO `a`@`%` WITH GRANT OPTION", "GRANT SELECT ON *.* TO `b`@`%`", False),
        ("GRANT SELECT ON `d`.* TO `a`@`%` WITH GRANT OPTION", "GRANT INSERT ON `d`.* TO `b`@`%`", False),
        ("GRANT SELECT ON `d`.* TO `a`@`%` WITH GRANT OPTION", "GRANT SELECT ON `e`.* TO `b`@`%`", False),
        ("GRANT SELECT ON `app\\_%`.* TO `a`@`%` WITH GRANT OPTION", "GRANT SELECT ON `app_x`.* TO `b`@`%`", False),
        ("GRANT SELECT ON `app\\_%`.* TO `a`@`%` WITH GRANT OPTION", "GRANT SELECT ON `app_x`.`t` TO `b`@`%`", True),
        ("GRANT SELECT ON `app\\_%`.* TO `a`@`%` WITH GRANT OPTION", "GRANT SELECT ON `appx`.`t` TO `b`@`%`", False),
        ("GRANT SELECT ON `d`.`t` TO `a`@`%` WITH GRANT OPTION", "GRANT SELECT (`c`) ON `d`.`t` TO `b`@`%`", True),
        ("GRANT SELECT (`c`) ON `d`.`t` TO `a`@`%` WITH GRANT OPTION", "GRANT SELECT ON `d`.`t` TO `b`@`%`", False),
        ("GRANT EXECUTE ON `d`.* TO `a`@`%` WITH GRANT OPTION", "GRANT EXECUTE ON PROCEDURE `d`.`p` TO `b`@`%`", True),
        ("GRANT `r`@`%` TO `a`@`%` WITH ADMIN OPTION", "GRANT `r`@`%` TO `b`@`%`", True),
        ("GRANT `r`@`%` TO `a`@`%`", "GRANT `r`@`%` TO `b`@`%`", False),
        ("GRANT CLONE_ADMIN ON *.* TO `a`@`%` WITH GRANT OPTION", "GRANT CLONE_ADMIN ON *.* TO `b`@`%`", True),
        ("GRANT CLONE_ADMIN ON *.* TO `a`@`%`", "GRANT CLONE_ADMIN ON *.* TO `b`@`%`", False),
    ],
)
def test_who_may_hand_a_right_on(mine: str, wanted: str, covered: bool) -> None:
    (right,) = parsed(wanted, mariadb=False)
    assert covers(frozenset(parsed(mine, mariadb=False)), right) is covered


@pytest.mark.parametrize("narrow", [True, False])
def test_the_servers_agree(mysql_family: Mysqld, mysql_world: Worlds, check: Checks, narrow: bool) -> None:
    """An admin's rights on a pattern of databases are enough for a column in one of them, and not for the whole database."""
    app = mysql_world(mysql_family, rights="USAGE" if narrow else "ALL")
    app.execute(f"CREATE TABLE `{app.dbname}`.t (a INT, b INT)", f"GRANT SELECT (a) ON `{app.dbname}`.t TO {app.name}")
    pattern = app.dbname.replace("_", "\\_")[:-2] + "%"
    create, look, _ = told(f"{mysql_family.engine}: an admin for alternating users")
    add_admin(app, create, look, f"GRANT ALL ON `{pattern}`.* TO `admin`@`%` WITH GRANT OPTION")
    foreseen = check(app.arn).failed == set()
    outcome: Any = rotate(app.service, app.arn)
    assert foreseen is outcome.succeeded is narrow, outcome.error
