"""Who does not want two passwords: the old one ends with the rotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rotators.testing import rotate

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mysqld import Mysqld
    from tests.mysql_world import MySQLWorld

    Make = Callable[..., MySQLWorld]

SINGLE = {"rotators:strategy": "single"}


@pytest.mark.parametrize("by", ["admin", "itself", "plain"])
@pytest.mark.parametrize("said", ["tag", "variable", "overruled"])
def test_the_old_password_ends_with_the_rotation(
    mysql_family: Mysqld, mysql_world: Make, by: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = {"tag": {"rotators:discard-old": "true"}, "variable": {}, "overruled": {"rotators:discard-old": "false"}}
    if said != "tag":
        monkeypatch.setenv("ROTATORS_DISCARD_OLD", "true")
    app = mysql_world(mysql_family, tags=SINGLE | tags[said])
    if by == "admin":
        app.with_admin()
    if by == "itself":
        app.execute(f"GRANT CREATE USER ON *.* TO {app.name}")
    for _ in range(2):
        assert rotate(app.service, app.arn).succeeded
        assert app.opens()
        assert app.opens("AWSPREVIOUS") == (said == "overruled" and by != "plain")


def test_until_the_label_moves_both_open(mysql_family: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(mysql_family, tags=SINGLE | {"rotators:discard-old": "true"})
    app.with_admin()
    token = app.pending()
    for step in ("createSecret", "setSecret", "testSecret"):
        app.step(step, token)
        assert app.opens()
    app.step("finishSecret", token)
    assert app.opens()
    assert not app.opens("AWSPREVIOUS")
    app.step("finishSecret", token)
    assert app.opens()


def test_neither_true_nor_false(mysql_family: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(mysql_family, tags={"rotators:discard-old": "yes please"})
    outcome = rotate(app.service, app.arn)
    assert "rotators:discard-old must be true or false" in str(outcome.error)
    assert [step.step for step in outcome.steps] == ["createSecret"]
