"""Connections cut at each piece of setSecret's traffic: no clone opens with less than its base can do, and the retry heals."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest

from rotators import ChangeRefused, RotatorsError, TargetUnreachable
from rotators.engines.mysql import _view
from rotators.engines.mysql.admin import Admin
from rotators.engines.mysql.login import login
from rotators.engines.mysql.session import MySQLError
from rotators.secret import Secret
from rotators.testing import LambdaContext, resume, rotate, rotation_event
from rotators.testing.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mysqld import Mysqld
    from tests.mysql.couple import Couple

    Make = Callable[..., Couple]


def through(app: Couple, proxy: Proxy) -> None:
    """Put a proxy between us and the server, for the admin too."""
    arn = app.service.client().create_secret(
        Name=f"admin/{uuid.uuid4().hex}", SecretString=json.dumps({**app.admin, "port": proxy.port})
    )["ARN"]
    app.put_current({**app.value(), "port": proxy.port, "masterarn": arn})


def rights(app: Couple) -> None:
    app.execute(f"CREATE TABLE IF NOT EXISTS `{app.dbname}`.t (a INT, b INT)")
    app.grant(
        "PROCESS, RELOAD ON *.* TO ?",
        f"SELECT (a), UPDATE (b) ON `{app.dbname}`.t TO ?",
        f"SELECT ON `x\\_{app.dbname}`.* TO ? WITH GRANT OPTION",
    )
    app.execute(f"ALTER USER {app.name} WITH MAX_USER_CONNECTIONS 90")


@pytest.mark.parametrize("turn", ["new", "refreshed", "base"])
@pytest.mark.parametrize("start", range(8))
def test_cut_at_every_piece_of_traffic(mysql_family: Mysqld, couple: Make, turn: str, start: int) -> None:
    """The worker takes every eighth piece, so that the rest of the machine can take the others."""
    app = couple(mysql_family)
    rights(app)
    for _ in range({"new": 0, "refreshed": 2, "base": 1}[turn]):
        assert rotate(app.service, app.arn).succeeded
    value = app.value()
    with Proxy("127.0.0.1", app.server.port) as proxy:
        through(app, proxy)
        token = ""
        for piece in range(start, 1000, 8):
            proxy.cut_after = None
            if token:
                app.abandon(token)
            if turn == "new":
                app.execute(f"DROP USER IF EXISTS {app.clone}")
            else:  # something to be done each time
                tail = f"ON `{app.dbname}`.t"
                app.execute(
                    f"{'GRANT' if piece // 8 % 2 else 'REVOKE'} SELECT (a), UPDATE (b) {tail} {'TO' if piece // 8 % 2 else 'FROM'} {app.name}"
                )
            token = app.pending()
            app.step("createSecret", token)
            proxy.cut_after = proxy.passed + piece
            failed = False
            try:
                app.step("setSecret", token)
            except RotatorsError as error:
                failed = True
                assert isinstance(error, (TargetUnreachable, ChangeRefused)), error
                assert error.retryable
            proxy.cut_after = None
            assert app.opens(value)
            if app.opens("AWSPENDING"):
                assert app.equal()
                assert app.demands(app.clone) == app.demands(app.name)
            if not failed:
                break
            if piece % 3 == 0:  # the same rotation goes on; else a later one will
                app.run(token, "setSecret")
                assert app.opens("AWSPENDING")
        assert not failed
        assert piece > 40
        outcome = resume(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert app.opens()
        assert app.equal()


def test_a_password_that_is_set_and_does_not_open(mysql_family: Mysqld, couple: Make) -> None:
    """Somebody's account at our very address comes before the one that was changed: that is noticed, and nothing promoted."""
    app = couple(mysql_family)
    assert rotate(app.service, app.arn).succeeded
    app.execute(f"CREATE USER {app.at('127.0.0.1')} IDENTIFIED BY 'somebodys-Canary'")
    token = app.pending()
    app.step("createSecret", token)
    with pytest.raises(ChangeRefused, match="refused at login.*AWSCURRENT names the other user"):
        app.step("setSecret", token)
    assert app.opens()
    app.execute(f"DROP USER {app.at('127.0.0.1')}")
    app.run(token)
    assert app.opens()


def test_too_little_time(mysql_family: Mysqld, couple: Make) -> None:
    """The account is made and opens nothing (law 13)."""
    app = couple(mysql_family)
    token = app.pending()
    app.step("createSecret", token)
    with pytest.raises(TargetUnreachable, match="too little time"):
        app.handler(rotation_event("setSecret", app.arn, token), LambdaContext(timeout=1.8))
    assert not app.opens("AWSPENDING")
    assert "ACCOUNT LOCK" in app.stored(app.clone)
    app.run(token)
    assert app.opens()


def test_nothing_is_granted_to_an_account_that_is_gone(mysql_family: Mysqld, couple: Make) -> None:
    """MariaDB makes one without a password otherwise, where sql_mode lets it."""
    app = couple(mysql_family)
    who = _view(Secret(app.admin))
    with login(who) as session:
        Admin(session, who, app.username).begin(app.username)
        with pytest.raises(MySQLError):
            session.rows(f"GRANT SELECT ON `{app.dbname}`.* TO {app.clone}")
    assert app.hosts() == []
