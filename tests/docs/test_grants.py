"""The rights that docs/strategies.md tells to grant are enough, and no more than is needed is claimed to be."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing import resume, rotate

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mysqld import Mysqld
    from tests.mysql_world import MySQLWorld
    from tests.world import World

PAGE = (Path(__file__).parents[2] / "docs/strategies.md").read_text()
BLOCKS = {
    title: [statement for statement in body.split(";\n") if statement.strip()]
    for title, body in re.findall(r"^```sql\n-- ([^\n]+)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
}
PASSWORD = "admin-Canary-77b0"


def told(title: str, **names: str) -> list[str]:
    """The statements of a block, with names of this test's."""
    statements = BLOCKS[title]
    for name, real in names.items():
        statements = [re.sub(rf"\b{name}\b(?!_)", real, statement) for statement in statements]
    return statements


def add_admin(app: Any, admin: str) -> None:
    arn = app.service.client().create_secret(
        Name=f"admin/{admin}", SecretString=json.dumps(app.server.secret(admin, PASSWORD))
    )["ARN"]
    app.put_current({**app.value(), "masterarn": arn})


def mysql_admin(app: MySQLWorld, title: str) -> None:
    admin = f"adm_{uuid.uuid4().hex[:10]}"
    app.execute(f"CREATE USER `{admin}`@`%` IDENTIFIED BY '{PASSWORD}'", *told(title, admin=admin, shop=app.dbname))
    add_admin(app, admin)


def test_the_user_itself_on_mysql(mysql: Mysqld, mysql_world: Callable[..., MySQLWorld]) -> None:
    app = mysql_world(mysql)
    app.execute(*told("mysql: the user itself", app=app.username))
    assert rotate(app.service, app.arn).succeeded
    assert app.opens("AWSPREVIOUS")


def test_an_admin_for_the_single_user(mysql_family: Mysqld, mysql_world: Callable[..., MySQLWorld]) -> None:
    app = mysql_world(mysql_family, tags={"rotators:strategy": "single"})
    mysql_admin(app, f"{mysql_family.engine}: an admin for the single user")
    assert rotate(app.service, app.arn).succeeded
    assert app.opens("AWSPREVIOUS")
    app.set_password("by-hand-4711")
    assert rotate(app.service, app.arn).succeeded
    assert app.opens()


def test_an_admin_for_alternating_users(mysql_family: Mysqld, mysql_world: Callable[..., MySQLWorld]) -> None:
    app = mysql_world(mysql_family)
    mysql_admin(app, f"{mysql_family.engine}: an admin for alternating users")
    for _ in range(3):
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert app.opens()
        assert app.opens("AWSPREVIOUS")


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_each_of_the_admins_rights_is_needed(
    mysql_family: Mysqld, mysql_world: Callable[..., MySQLWorld], missing: int
) -> None:
    """Without it the error says what to grant, in words that can be pasted."""
    app, title = mysql_world(mysql_family), f"{mysql_family.engine}: an admin for alternating users"
    admin = f"adm_{uuid.uuid4().hex[:10]}"
    statements = told(title, admin=admin, shop=app.dbname)
    left_out = statements.pop(missing)
    app.execute(f"CREATE USER `{admin}`@`%` IDENTIFIED BY '{PASSWORD}'", *statements)
    add_admin(app, admin)
    outcome = rotate(app.service, app.arn)
    assert "GRANT " in str(outcome.error), outcome.error
    app.execute(left_out)
    assert resume(app.service, app.arn).succeeded


def test_an_admin_for_alternating_users_on_postgresql(world: Callable[..., World]) -> None:
    app, admin = world(), f"adm_{uuid.uuid4().hex[:10]}"
    statements = told("postgres: an admin for alternating users", admin=admin, app=app.username)
    app.execute(f"CREATE ROLE {admin} LOGIN PASSWORD '{PASSWORD}'", *statements)
    add_admin(app, admin)
    for _ in range(3):
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error


def test_every_block_is_run_here() -> None:
    run = Path(__file__).read_text()
    kinds = {title.partition(": ")[2] for title in BLOCKS}
    assert [kind for kind in kinds if kind not in run and not kind.startswith("what the clone owns")] == []
