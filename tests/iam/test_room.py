"""Room for a new key: what is deleted for it, and what never is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from rotators import ChangeRefused, ConfigurationError, RotationRefused, RotatorsError, TargetUnreachable
from rotators.engines.iam import room
from rotators.testing import rotate
from rotators.testing.contract import together
from tests.iam.held import STEPS, Held

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.iam.stand_in import IAM, Key

HOUR, DAY = 3600.0, 86400.0


def refused(app: Held, *, match: str, retryable: bool = False) -> None:
    """createSecret is refused and nothing was changed."""
    token = app.begin()
    before = {key.id: key.active for key in app.user.keys.values()}, dict(app.user.tags)
    with pytest.raises(ChangeRefused, match=match) as caught:
        app.steps(token, "createSecret")
    assert caught.value.retryable is retryable
    assert ({key.id: key.active for key in app.user.keys.values()}, dict(app.user.tags)) == before


@pytest.fixture
def rotated(held: Callable[..., Held], iam: IAM) -> Callable[..., Held]:
    """A secret that has been rotated once, thirty days ago: its AWSPREVIOUS holds a key."""

    def make(**more: object) -> Held:
        app = held(**more)
        assert rotate(app.service, app.arn).succeeded
        iam.ahead += 30 * DAY
        return app

    return make


def previous(app: Held) -> Key:
    (key_id,) = app.held("AWSPREVIOUS")
    return app.user.keys[key_id]


# -- the key of AWSPREVIOUS ------------------------------------------------------------------------------------------


def test_a_previous_key_in_use_is_not_deleted(rotated: Callable[..., Held], iam: IAM) -> None:
    app = rotated(days=None)
    previous(app).uses.append((iam.now() - DAY, "s3"))
    refused(app, match=r"was last used on \d{4}-\d\d-\d\d \d\d:\d\d UTC, by s3 in eu-central-1, less than 3 days ago")
    refused(app, match="aws iam update-access-key --user-name relay --status Inactive")
    refused(app, match="rotators:unused-days=0")


@pytest.mark.parametrize(
    "ago, days, deleted", [(2.9, None, False), (3.1, None, True), (8, 7, True), (6, 7, False), (0.1, 0, True)]
)
def test_how_long_nobody_must_have_used_it(
    rotated: Callable[..., Held], iam: IAM, ago: float, days: float | None, deleted: bool
) -> None:
    app = rotated(days=days)
    old = previous(app)
    old.uses.append((iam.now() - ago * DAY, "ses"))
    if deleted:
        assert rotate(app.service, app.arn).succeeded
        assert old.id not in app.user.keys
    else:
        refused(app, match="by ses")


def test_an_inactive_key_is_in_nobodys_use(rotated: Callable[..., Held], iam: IAM) -> None:
    app = rotated(days=None)
    old = previous(app)
    old.uses.append((iam.now() - HOUR, "s3"))
    old.active = False
    assert rotate(app.service, app.arn).succeeded
    assert old.id not in app.user.keys


def test_what_was_current_a_moment_ago_is_in_use_whatever_iam_knows(held: Callable[..., Held], iam: IAM) -> None:
    """Caches hold it, and what IAM knows of its use is hours behind."""
    iam.lag = 4 * HOUR
    app = held(days=None)
    assert rotate(app.service, app.arn).succeeded
    iam.ahead += 2 * HOUR
    refused(app, match="the one of AWSPREVIOUS .* was AWSCURRENT until .* less than 3 days ago")
    iam.ahead += 3 * DAY
    app.steps(app.begin())


def test_a_deactivated_key_is_deleted_by_the_next_try(rotated: Callable[..., Held], iam: IAM) -> None:
    app = rotated(days=None)
    old = previous(app)
    iam.faults = [("DeleteAccessKey", 503, "ServiceUnavailable", False)] * 4
    token = app.begin()
    with pytest.raises(TargetUnreachable):
        app.steps(token, "createSecret")
    assert not old.active
    app.steps(token)
    assert set(app.user.keys) == app.held()


def test_no_previous_key(held: Callable[..., Held], iam: IAM) -> None:
    app = held(days=None)
    assert rotate(app.service, app.arn).succeeded
    iam.ahead += 30 * DAY
    del app.user.keys[previous(app).id]
    assert rotate(app.service, app.arn).succeeded
    assert "DeleteAccessKey" not in iam.calls()


def test_the_variable_says_it_for_all_and_the_tag_for_one(
    rotated: Callable[..., Held], iam: IAM, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = rotated(days=None)
    previous(app).uses.append((iam.now() - 5 * DAY, "s3"))
    monkeypatch.setenv(room.VARIABLE, "10.5")
    refused(app, match="less than 10.5 days ago")
    client = app.service.client()
    client.tag_resource(SecretId=app.arn, Tags=[{"Key": room.TAG, "Value": "4"}])
    app.steps(app.begin())


@pytest.mark.parametrize("said", ["a week", "-1", "nan", "inf"])
def test_a_number_of_days_that_is_none(held: Callable[..., Held], iam: IAM, said: str) -> None:
    app = held(days=said)
    with pytest.raises(ConfigurationError, match="rotators:unused-days, or ROTATORS_IAM_UNUSED_DAYS, must be a number"):
        app.steps(app.begin(), "createSecret")
    assert not iam.asked


def test_a_word_that_is_no_authority(held: Callable[..., Held], iam: IAM) -> None:
    app = held(authority="me")
    with pytest.raises(
        ConfigurationError, match="rotators:iam-authority, or ROTATORS_IAM_AUTHORITY, must be role, admin or"
    ):
        app.steps(app.begin(), "createSecret")
    assert not iam.calls()


# -- the key of an abandoned rotation --------------------------------------------------------------------------------


def abandoned(app: Held) -> Key:
    """Begin a rotation, test its key, and begin another one."""
    app.steps(app.begin(), "createSecret", "setSecret", "testSecret")
    (key_id,) = app.held("AWSPENDING")
    app.iam.ahead += HOUR
    return app.user.keys[key_id]


def test_the_key_of_a_rotation_that_was_given_up(held: Callable[..., Held], iam: IAM) -> None:
    """Its only use was our own test."""
    app = held(days=None)
    lost = abandoned(app)
    app.steps(app.begin())
    assert lost.id not in app.user.keys
    assert set(app.user.keys) == app.held()


def test_the_key_of_a_rotation_that_was_given_up_and_that_somebody_uses(held: Callable[..., Held], iam: IAM) -> None:
    app = held(days=None)
    abandoned(app).uses.append((iam.now(), "s3"))
    refused(app, match="the one of version .* without a label .* by s3")


# -- keys that no version holds --------------------------------------------------------------------------------------


def test_somebody_elses_key_is_never_deleted(held: Callable[..., Held], iam: IAM) -> None:
    app = held()
    theirs = iam.key(app.user)
    iam.ahead += 400 * DAY
    refused(app, match=f"{theirs.id}, made on .*, was not issued for this secret: nothing was changed")


def test_a_key_made_by_hand_just_now(held: Callable[..., Held], iam: IAM) -> None:
    """It may be another run's of ours whose mark does not show yet: the next try knows."""
    app = held()
    theirs = iam.key(app.user)
    refused(app, match="by a run that may still store it", retryable=True)
    iam.ahead += 61
    refused(app, match="was not issued for this secret")
    assert theirs.id in app.user.keys


def crash_after_issuing(app: Held, token: str) -> Key:
    before = set(app.user.keys)
    app.iam.faults = [("CreateAccessKey", 500, "ServiceFailure", True)]
    with pytest.raises(TargetUnreachable, match="IAM answered CreateAccessKey"):
        app.steps(token, "createSecret")
    (lost,) = set(app.user.keys) - before
    return app.user.keys[lost]


def test_a_lost_key_is_deleted_when_nobody_can_store_it_any_more(held: Callable[..., Held], iam: IAM) -> None:
    app = held()
    token = app.begin()
    lost = crash_after_issuing(app, token)
    assert iam.calls().count("CreateAccessKey") == 1, "a second one would leave two"
    iam.ahead += 50
    with pytest.raises(ChangeRefused, match="by a run that may still store it") as caught:
        app.steps(token, "createSecret")
    assert caught.value.retryable
    assert lost.id in app.user.keys
    iam.ahead += 12
    app.steps(token)
    assert set(app.user.keys) == app.held()
    assert not app.user.tags


def test_a_lost_key_that_shows_late(held: Callable[..., Held], iam: IAM) -> None:
    """The next try finds no room for what it can't see. It leaves the mark as it is, or nobody would know the key later."""
    app = held()
    token = app.begin()
    iam.unlisted = 1
    crash_after_issuing(app, token)
    iam.ahead += 30
    with pytest.raises(ChangeRefused, match="no room for another key") as caught:
        app.steps(token, "createSecret")
    assert caught.value.retryable
    iam.ahead += 60
    app.steps(token)
    assert set(app.user.keys) == app.held()


def test_one_lost_key_after_another(held: Callable[..., Held], iam: IAM) -> None:
    app = held()
    token = app.begin()
    for _ in range(3):
        crash_after_issuing(app, token)
        iam.ahead += HOUR
    app.steps(token)
    assert set(app.user.keys) == app.held()


def test_a_lost_key_of_a_rotation_that_was_given_up(held: Callable[..., Held], iam: IAM) -> None:
    app = held()
    crash_after_issuing(app, app.begin())
    iam.ahead += DAY
    app.steps(app.begin())
    assert set(app.user.keys) == app.held()


def test_a_key_that_somebody_uses_is_not_lost(held: Callable[..., Held], iam: IAM) -> None:
    app = held()
    crash_after_issuing(app, app.begin()).uses.append((iam.now(), "s3"))
    iam.ahead += HOUR
    refused(app, match="was not issued for this secret")


def test_a_key_made_by_hand_while_a_mark_stands(held: Callable[..., Held], iam: IAM) -> None:
    """The run died before it issued one; hours later somebody makes a key by hand, as the rotation fails."""
    app = held()
    iam.denied = {"CreateAccessKey"}
    with pytest.raises(ConfigurationError):
        app.steps(app.begin(), "createSecret")
    assert app.user.tags
    iam.denied = set()
    iam.ahead += HOUR
    theirs = iam.key(app.user)
    iam.ahead += HOUR
    refused(app, match=f"{theirs.id}, made on")


def test_another_secrets_mark_says_nothing_of_ours(held: Callable[..., Held], iam: IAM) -> None:
    """Two secrets of one user: each refuses, and says to give it a user of its own."""
    app = held()
    crash_after_issuing(app, app.begin())
    value = app.value()
    iam.ahead += HOUR
    other = held(value=value)
    refused(other, match="a user of its own")


def test_a_pending_value_that_shows_late_is_not_taken_for_a_lost_key(
    held: Callable[..., Held], iam: IAM, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = held()
    token = app.begin()
    lost = crash_after_issuing(app, token)
    iam.ahead += HOUR
    seen: list[bool] = [False, True]
    monkeypatch.setattr("rotators.rotation.Rotation.has_pending", lambda _: seen.pop(0))
    with pytest.raises(RotationRefused, match="another run has stored a key meanwhile") as caught:
        app.steps(token, "createSecret")
    assert caught.value.retryable
    assert lost.id in app.user.keys


def test_a_key_that_is_not_listed_yet(held: Callable[..., Held], iam: IAM) -> None:
    """IAM has no room though its list shows some."""
    app = held()
    hidden = iam.key(app.user)
    iam._hidden[hidden.id] = 1
    token = app.begin()
    with pytest.raises(ChangeRefused, match="no room for another key, though it had") as caught:
        app.steps(token, "createSecret")
    assert caught.value.retryable
    assert hidden.id in app.user.keys


def test_a_lost_key_that_another_run_is_just_deleting(held: Callable[..., Held], iam: IAM) -> None:
    """We listed the key, then the other run deleted it and wrote its mark, then we read that mark: it knows no such key."""
    app = held()
    token = app.begin()
    lost = crash_after_issuing(app, token)
    iam.ahead += HOUR
    ((tag, _),) = app.user.tags.items()
    app.user.tags[tag] = f"{token} {iam.now():.0f}"
    with pytest.raises(ChangeRefused, match="another run is issuing one") as caught:
        app.steps(token, "createSecret")
    assert caught.value.retryable
    del app.user.keys[lost.id]
    app.steps(token)
    assert set(app.user.keys) == app.held()


# -- five at once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["first", "previous", "lost"])
def test_law_3_five_runs_issue_one_key(held: Callable[..., Held], iam: IAM, before: str) -> None:
    app = held()
    if before == "previous":
        assert rotate(app.service, app.arn).succeeded
    token = app.begin()
    if before == "lost":
        crash_after_issuing(app, token)
        iam.ahead += HOUR
    for step in STEPS:
        failures = together([partial(app.step, step, token)] * 5)
        assert [e for e in failures if not (isinstance(e, RotatorsError) and e.retryable)] == []
        assert len(app.user.keys) <= 2
        app.step(step, token)
    assert set(app.user.keys) == app.held()
    assert not app.user.tags
    assert iam.most_ever == 2
