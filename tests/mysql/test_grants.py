"""Rights as sets: read, compared, and made equal, on both servers and between any two sets."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from rotators.engines.mysql import _view
from rotators.engines.mysql.admin import Admin
from rotators.engines.mysql.alignment import Alignment
from rotators.engines.mysql.granting import Granting, missing, surplus
from rotators.engines.mysql.grants import Kind, Right, parsed
from rotators.engines.mysql.login import login
from rotators.errors import ChangeRefused
from rotators.secret import Secret
from tests.mysql.stock import Stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.lab.mysqld import Mysqld
    from tests.mysql.couple import Couple

    Make = Callable[..., Couple]

ROWS = [
    ("GRANT USAGE ON *.* TO `a`@`%`", []),
    ("GRANT USAGE ON *.* TO `a`@`%` WITH GRANT OPTION", ["GRANT OPTION ON *.*"]),
    (
        "GRANT SELECT, RELOAD ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*7' REQUIRE SUBJECT '/CN=it''s WITH GRANT OPTION' WITH MAX_USER_CONNECTIONS 9",
        ["SELECT ON *.*", "RELOAD ON *.*"],
    ),
    (
        "GRANT SELECT ON *.* TO `a`@`%` IDENTIFIED VIA ed25519 USING 'x' OR unix_socket WITH GRANT OPTION MAX_USER_CONNECTIONS 9",
        ["SELECT ON *.*", "GRANT OPTION ON *.*"],
    ),
    ("GRANT BACKUP_ADMIN,SYSTEM_USER ON *.* TO `a`@`%`", ["BACKUP_ADMIN ON *.*", "SYSTEM_USER ON *.*"]),
    ("GRANT LOAD FROM S3, SELECT INTO S3 ON *.* TO `a`@`%`", ["LOAD FROM S3 ON *.*", "SELECT INTO S3 ON *.*"]),
    ("GRANT SELECT ON `a TO ``b``@``%`.* TO `ON`@`TO`", ["SELECT ON `a TO ``b``@``%`.*"]),
    (
        "GRANT SELECT (`a, b`, `c)`), INSERT, UPDATE (```) ON ``x`) ON `d`.`t` TO `a`@`%`",
        [
            "SELECT (`a, b`) ON `d`.`t`",
            "SELECT (`c)`) ON `d`.`t`",
            "INSERT ON `d`.`t`",
            "UPDATE (```) ON ``x`) ON `d`.`t`",
        ],
    ),
    ("GRANT EXECUTE ON PACKAGE BODY `d`.`p` TO `a`@`%`", ["EXECUTE ON PACKAGE BODY `d`.`p`"]),
    ("GRANT PROXY ON ``@`` TO `a`@`%` WITH GRANT OPTION", ["PROXY ON ``@``", "PROXY ON ``@`` WITH GRANT OPTION"]),
    ("GRANT `r`@`%`,`s TO t`@`%` TO `a`@`%`", ["role `r`@`%`", "role `s TO t`@`%`"]),
    ("GRANT `r` TO `a`@`%` WITH ADMIN OPTION", ["role `r`", "role `r` WITH ADMIN OPTION"]),
    ("SET DEFAULT ROLE `r FOR` FOR `a`@`%`", ["default role `r FOR`"]),
    ("REVOKE SELECT, INSERT ON `d`.* FROM `a`@`%`", ["REVOKE SELECT ON `d`.*", "REVOKE INSERT ON `d`.*"]),
]


@pytest.mark.parametrize("row, expected", ROWS)
def test_rows(row: str, expected: list[str]) -> None:
    assert [str(right) for right in parsed(row, mariadb=False)] == expected


def test_a_privilege_of_mariadbs_with_an_underscore_is_no_dynamic_one() -> None:
    (right, option) = parsed("GRANT READ_ONLY ADMIN ON *.* TO `a`@`%` WITH GRANT OPTION", mariadb=True)
    assert (right.kind, str(option)) == (Kind.PRIVILEGE, "GRANT OPTION ON *.*")


def of(*texts: str) -> frozenset[Right]:
    return frozenset(right for text in texts for right in parsed(f"GRANT {text} TO `a`@`%`", mariadb=False))


def test_all_privileges_hide_the_others() -> None:
    everything, some = of("ALL PRIVILEGES ON `d`.*"), of("SELECT, INSERT ON `d`.*")
    assert surplus(some, everything) == set()
    assert {str(right) for right in missing(some, everything)} == {"ALL PRIVILEGES ON `d`.*"}
    assert missing(everything, some) == set()
    (step,) = Granting("`x`@`%`", mariadb=False).towards(everything, some)
    assert step.text == "REVOKE UPDATE ON `d`.* FROM `x`@`%`"


def test_nothing_is_said_of_what_is_equal() -> None:
    rights = of("SELECT ON *.*", "`r`@`%`", "PROXY ON `u`@`%`")
    assert Granting("`x`@`%`", mariadb=False).towards(rights, rights) == []


class Two:
    """Two accounts, and an admin of ours who makes the one equal to the other."""

    def __init__(self, app: Couple) -> None:
        self.app = app
        self.other = f"`{app.username}_other`@`%`"
        app.execute(f"CREATE USER {self.other} IDENTIFIED BY 'x-Canary-2'")
        self.stock = Stock(app.server)

    def align(self, secret: dict[str, Any] | None = None) -> None:
        who = _view(Secret(secret or self.app.admin))
        with login(who) as session:
            admin = Admin(session, who, self.app.username)
            admin.begin(self.app.username)
            Alignment(admin).align(self.other, self.app.name)

    def seen(self) -> tuple[set[str], set[str]]:
        return self.app.grants(self.app.name), self.app.grants(self.other)


@pytest.fixture
def two(mysql_family: Mysqld, couple: Make) -> Two:
    app = couple(mysql_family)
    app.execute(f"GRANT PROXY ON ''@'' TO `{app.admin['username']}`@`%` WITH GRANT OPTION")
    return Two(app)


def hand_over_roles(two: Two) -> None:
    """MariaDB's roles belong to who made them; MySQL's admin has ROLE_ADMIN."""
    if two.app.server.engine == "mariadb":
        for number in (1, 2, 3):
            two.app.grant(f"{two.stock.names['r']}{number} TO `{two.app.admin['username']}`@`%` WITH ADMIN OPTION")


def test_every_right_by_itself(two: Two) -> None:
    """Given, found missing, and found to be too much."""
    hand_over_roles(two)
    app, stock = two.app, two.stock
    for right in stock.rights:
        stock.clear(app.name)
        stock.give(app.name, right)
        two.align()
        base, other = two.seen()
        assert base == other, right
        stock.clear(app.name)
        two.align()
        assert app.grants(two.other) == {"GRANT USAGE ON *.* TO ?"}, right


@pytest.mark.parametrize("seed", range(4))
def test_from_any_set_to_any_other(two: Two, seed: int) -> None:
    hand_over_roles(two)
    chance = random.Random(seed)
    app, stock = two.app, two.stock
    for _ in range(6):
        have, want = (chance.sample(stock.rights, chance.randint(0, 12)) for _ in range(2))
        for account, rights in ((two.other, have), (app.name, want)):
            stock.clear(account)
            stock.give(account, *rights)
        two.align()
        base, other = two.seen()
        assert base == other, (have, want)


def test_a_table_that_is_made_anew_every_night(two: Two) -> None:
    """Its rights are there while it is not, and so they must be on the clone."""
    app, d = two.app, two.stock.names["d"]
    app.execute(f"CREATE TABLE `{d}`.nightly (a INT)")
    app.grant(f"SELECT, INSERT ON `{d}`.nightly TO ?")
    app.execute(f"DROP TABLE `{d}`.nightly")
    two.align()
    base, other = two.seen()
    assert base == other
    assert f"GRANT SELECT, INSERT ON `{d}`.`nightly` TO ?" in other


def test_what_is_left_of_a_routine_and_a_column_is_passed_over(two: Two, caplog: pytest.LogCaptureFixture) -> None:
    app, stock = two.app, two.stock
    d = stock.names["d"]
    app.execute(f"CREATE TABLE `{d}`.x (a INT, b INT)")
    app.grant(f"SELECT (a), UPDATE (b), INSERT ON `{d}`.x TO ?")
    app.execute(f"ALTER TABLE `{d}`.x DROP COLUMN b")
    two.align()
    said = caplog.text
    assert f"UPDATE (`b`) ON `{d}`.`x`" in said
    assert {row for row in app.grants(two.other) if "`x`" in row} == {f"GRANT SELECT (`a`), INSERT ON `{d}`.`x` TO ?"}


@pytest.fixture
def partial_revokes(mysql: Mysqld) -> Iterator[None]:
    mysql.execute("SET GLOBAL partial_revokes = ON")
    yield
    users = mysql.execute("SELECT User, Host FROM mysql.user WHERE User_attributes->'$.Restrictions' IS NOT NULL")
    mysql.execute(*(f"DROP USER `{user}`@`{host}`" for user, host in users), "SET GLOBAL partial_revokes = OFF")


def test_partial_revokes(mysql: Mysqld, couple: Make, partial_revokes: None) -> None:
    """MySQL alone: what is taken again on one database of what is granted on all of them."""
    two = Two(couple(mysql))
    app, d = two.app, two.stock.names["d"]
    app.grant("SELECT, INSERT, UPDATE ON *.* TO ?")
    app.execute(f"REVOKE INSERT, SELECT ON `{d}`.* FROM {app.name}", f"REVOKE SELECT ON mysql.* FROM {app.name}")
    for _ in range(2):
        two.align()
        base, other = two.seen()
        assert base == other
        assert f"REVOKE SELECT, INSERT ON `{d}`.* FROM ?" in other
        app.grant(f"SELECT, INSERT ON `{d}`.* TO ?", to=two.other)
    app.grant(f"INSERT ON `{d}`.* TO ?")
    app.execute(f"REVOKE UPDATE ON `{d}`.* FROM {two.other}")
    two.align()
    base, other = two.seen()
    assert base == other
    assert f"REVOKE SELECT ON `{d}`.* FROM ?" in other


def test_packages(mariadb: Mysqld, couple: Make) -> None:
    two = Two(couple(mariadb))
    app, d = two.app, two.stock.names["d"]
    body = "AS FUNCTION g RETURN INT AS BEGIN RETURN 1; END; END"
    package = f"CREATE PACKAGE `{d}`.pk AS FUNCTION g RETURN INT; END"
    app.server.execute("SET sql_mode = ORACLE", package, f"CREATE PACKAGE BODY `{d}`.pk {body}", dbname=d)
    for kind in ("PACKAGE", "PACKAGE BODY"):
        app.execute("SET sql_mode = ORACLE", f"GRANT EXECUTE ON {kind} `{d}`.pk TO {app.name}")
    two.align()
    base, other = two.seen()
    assert base == other
    assert sum("PACKAGE" in row for row in other) == 2
    app.execute(f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {app.name}")
    two.align()
    assert sum("PACKAGE" in row for row in app.grants(two.other)) == 0


def test_every_right_that_an_admin_can_not_give_is_named(two: Two) -> None:
    """With the statements that let it; an admin as on RDS, who has no SUPER and not everything to hand on."""
    app, d, r = two.app, two.stock.names["d"], two.stock.names["r"]
    admin = f"`{app.username}_adm`@`%`"
    app.execute(
        f"CREATE USER {admin} IDENTIFIED BY 'adm-Canary-3'",
        f"GRANT CREATE USER, RELOAD ON *.* TO {admin}",
        f"GRANT SELECT ON mysql.* TO {admin}",
        f"GRANT SELECT, INSERT ON `{d}`.* TO {admin} WITH GRANT OPTION",
    )
    app.execute(f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {app.name}")
    app.grant(
        "RELOAD, SHUTDOWN ON *.* TO ?",
        f"SELECT, DELETE ON `{d}`.* TO ?",
        f"EXECUTE ON FUNCTION `{d}`.f TO ?",
        f"{r}1 TO ?",
        f"{r}3 TO ?",
    )
    app.execute(two.stock.default.replace("?", app.name))
    with pytest.raises(ChangeRefused) as caught:
        two.align(app.server.secret(f"{app.username}_adm", "adm-Canary-3"))
    said = str(caught.value)
    assert two.other in said
    for right in ("SHUTDOWN ON *.*", f"DELETE ON `{d}`.*", f"EXECUTE ON FUNCTION `{d}`.`f`"):
        assert f"GRANT {right} TO {admin} WITH GRANT OPTION" in said
    assert "WITH ADMIN OPTION" in said
    assert f"GRANT SELECT ON `{d}`" not in said
    for _ in range(2):  # a default role is asked for once the role is there
        for statement in said.split("Let it: ")[1].split("; "):
            app.execute(statement)
        try:
            two.align(app.server.secret(f"{app.username}_adm", "adm-Canary-3"))
        except ChangeRefused as error:
            said = str(error)
    base, other = two.seen()
    assert base == other
