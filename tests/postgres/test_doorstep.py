"""Logins that wait at the door are real logins all the same: the server looks the password up when it is told who comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from rotators import CredentialRejected, Secret
from rotators.engines.postgres import _view, doorstep
from rotators.engines.postgres.login import prove, stand_by
from rotators.testing import rotate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.world import World


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    doorstep.KEEP, before = -1.0, doorstep.KEEP
    doorstep.clear()
    doorstep.KEEP = before
    yield
    assert before == doorstep.KEEP


def waiting() -> int:
    return len(doorstep._waiting)


def test_a_normal_rotation_leaves_nobody_at_the_door(world: Callable[..., World]) -> None:
    app = world()
    with app.log() as lines:
        assert rotate(app.service, app.arn).succeeded
    assert waiting() == 0
    assert not any("FATAL" in line for line in lines)


def test_a_password_changed_after_it_was_put_there_counts(world: Callable[..., World]) -> None:
    app = world()
    who = _view(Secret({**app.value(), "password": "later"}))
    stand_by(who, "127.0.0.1")
    assert waiting() == 3
    app.set_password("later")
    prove(who)
    app.set_password("latest")
    with pytest.raises(CredentialRejected):
        prove(who)
    assert waiting() == 1


def test_an_old_one_is_not_used(world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    app = world()
    who = _view(Secret(app.value()))
    stand_by(who, "127.0.0.1")
    now = time.time()
    monkeypatch.setattr("rotators.engines.postgres.doorstep.time.time", lambda: now + 60)
    assert doorstep.take(who) is None
    assert waiting() == 0
    monkeypatch.undo()


def test_one_that_the_server_has_dropped_is_made_anew(world: Callable[..., World]) -> None:
    """The server restarts between setSecret and testSecret."""
    app = world()
    token = app.pending()
    app.step("createSecret", token)
    app.step("setSecret", token)
    assert waiting() == 2
    app.server.restart()
    app.step("testSecret", token)
    app.step("finishSecret", token)
    assert app.opens()
    assert waiting() == 0


def test_it_belongs_to_one_credential(world: Callable[..., World]) -> None:
    app, other = world(), world()
    stand_by(_view(Secret(app.value())), "127.0.0.1")
    assert doorstep.take(_view(Secret(other.value()))) is None
    assert waiting() == 3
