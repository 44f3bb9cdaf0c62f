"""Rotations of access keys: which keys live when, whose they must be, and how they stand in the secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rotators import CredentialRejected, RotatorsError, SecretError
from rotators.engines.iam import rotator
from rotators.engines.iam.access_key import PARTS
from rotators.engines.iam.smtp import smtp_password
from rotators.testing import rotate
from rotators.testing import test_rotation as try_rotation
from tests.iam.held import STEPS, Held
from tests.iam.stand_in import OTHER
from tests.iam.subjects import admin_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.iam.stand_in import IAM

CHANGES = {"CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "TagUser", "UntagUser"}


def test_two_keys_live_and_the_one_before_makes_room(held: Callable[..., Held], iam: IAM) -> None:
    app = held()
    seen = [app.value()["access_key_id"]]
    for _ in range(3):
        assert rotate(app.service, app.arn).succeeded
        seen.append(app.value()["access_key_id"])
        assert set(app.user.keys) == app.held() == set(seen[-2:])
        assert all(key.active for key in app.user.keys.values())
    assert iam.most_ever == 2


def test_the_previous_key_lives_until_the_next_is_issued(held: Callable[..., Held], iam: IAM) -> None:
    app = held()
    assert rotate(app.service, app.arn).succeeded
    (previous,) = app.held("AWSPREVIOUS")
    iam.asked.clear()
    token = app.begin()
    app.steps(token, "createSecret")
    assert [call for call in iam.calls() if call in CHANGES] == [
        "UpdateAccessKey",
        "DeleteAccessKey",
        "TagUser",
        "CreateAccessKey",
    ]
    assert previous not in app.user.keys
    iam.asked.clear()
    app.steps(token, *STEPS[1:])
    assert [call for call in iam.calls() if call in CHANGES] == ["UntagUser"]


def test_the_mark_stands_from_before_the_key_until_it_is_current(held: Callable[..., Held], iam: IAM) -> None:
    app = held()
    token = app.begin()
    app.steps(token, "createSecret")
    ((tag, value),) = app.user.tags.items()
    assert tag.startswith("rotators:issuing:")
    assert len(tag.rpartition(":")[2]) == 12
    version, since = value.split()
    assert version == token
    assert abs(int(since) - iam.now()) < 30
    app.steps(token, "setSecret", "testSecret")
    assert app.user.tags
    app.steps(token, "finishSecret")
    assert not app.user.tags


def test_other_tags_stay(held: Callable[..., Held], iam: IAM) -> None:
    app = held()
    app.user.tags["team"] = "mail"
    iam.page = 1
    for _ in range(2):
        assert rotate(app.service, app.arn).succeeded
    assert app.user.tags == {"team": "mail"}
    assert "Marker" in {name for _, _, _, query in iam.asked for name in query}


@pytest.mark.parametrize("parts", PARTS)
def test_the_parts_keep_the_names_that_the_secret_gives_them(
    held: Callable[..., Held], iam: IAM, parts: tuple[str, str]
) -> None:
    key = iam.key(iam.user("relay", path="/mail/out/"))
    before = {"note": 1, parts[1]: key.secret, "UserName": "relay", parts[0]: key.id}
    app = held(value=before)
    assert rotate(app.service, app.arn).succeeded
    after = app.value()
    assert list(after) == list(before)
    assert (after["note"], after["UserName"]) == (1, "relay")
    assert after[parts[0]] != key.id
    assert iam.opens(after[parts[0]], after[parts[1]])


def test_both_names_of_a_part_are_kept_in_step(held: Callable[..., Held], iam: IAM) -> None:
    key = iam.key(iam.user("relay"))
    value = {PARTS[0][0]: key.id, PARTS[0][1]: key.secret, PARTS[2][0]: key.id, PARTS[2][1]: key.secret}
    app = held(value=value)
    assert rotate(app.service, app.arn).succeeded
    after = app.value()
    assert after[PARTS[0][0]] == after[PARTS[2][0]] != key.id
    assert after[PARTS[0][1]] == after[PARTS[2][1]] != key.secret


def test_an_smtp_password_follows_its_key(held: Callable[..., Held]) -> None:
    app = held(smtp_username="", smtp_password="", region="us-west-2")
    assert rotate(app.service, app.arn).succeeded
    value = app.value()
    assert value["smtp_username"] == value["access_key_id"]
    assert value["smtp_password"] == smtp_password(value["secret_access_key"], "us-west-2")
    assert list(value)[-3:] == ["smtp_username", "smtp_password", "region"]


def test_an_smtp_password_without_a_region_is_refused_at_once(held: Callable[..., Held], iam: IAM) -> None:
    app = held(smtp_password="")
    with pytest.raises(SecretError, match="'smtp_password' and no 'region'"):
        app.steps(app.begin(), "createSecret")
    assert not iam.asked


def test_a_pending_smtp_password_of_another_key_is_not_used(held: Callable[..., Held]) -> None:
    app = held(smtp_password="", region="us-west-2")
    app.put({**app.value(), "smtp_password": "old"})
    token = app.begin()
    key = app.iam.key(app.user)
    fresh = {"access_key_id": key.id, "secret_access_key": key.secret}
    app.put({**app.value(), **fresh}, token=token, label="AWSPENDING")
    for step in STEPS[1:]:
        with pytest.raises(SecretError, match="SMTP password or user name that is not its key's"):
            app.step(step, token)


def test_a_test_alone_asks_and_changes_nothing(held: Callable[..., Held], iam: IAM) -> None:
    app = held()
    assert try_rotation(app.service, app.arn).succeeded
    assert not CHANGES & set(iam.calls())
    assert "ListAccessKeys" in iam.calls(), "rights that are missing show when rotation is set up"


# -- whose key it is -------------------------------------------------------------------------------------------------


def unchanged(app: Held, step: str, token: str, error: type[RotatorsError], match: str) -> RotatorsError:
    before = {name: (set(user.keys), dict(user.tags)) for name, user in app.iam.users.items()}
    with pytest.raises(error, match=match) as caught:
        app.step(step, token, seconds=4)
    assert {name: (set(user.keys), dict(user.tags)) for name, user in app.iam.users.items()} == before
    assert not CHANGES & set(app.iam.calls())
    return caught.value


def test_law_5_a_secret_that_does_not_prove_its_key_moves_nobody(
    held: Callable[..., Held], iam: IAM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids and names are no secrets: whoever writes those of an admin into a secret must not be given a key of his."""
    monkeypatch.setattr(rotator, "SETTLES", 0.0)
    boss = iam.user("boss", admin=True)
    key = iam.key(boss)
    app = held(value={"username": "boss", "access_key_id": key.id, "secret_access_key": "x" * 40})
    error = unchanged(app, "createSecret", app.begin(), CredentialRejected, "key of AWSCURRENT.*put-secret-value")
    assert not error.retryable
    assert not iam.calls(), "no authority was borrowed"


def test_law_11_another_user_name_in_the_secret(held: Callable[..., Held], iam: IAM) -> None:
    iam.key(iam.user("somebody"))
    app = held(username="somebody")
    unchanged(app, "createSecret", app.begin(), SecretError, "one of the IAM user relay, and the secret names another")
    assert not iam.calls()


def test_law_11_a_user_of_that_name_in_the_authoritys_account(held: Callable[..., Held], iam: IAM) -> None:
    """The key is one of the user relay in another account; the role's own account has a relay as well."""
    theirs = iam.key(iam.user("relay"))
    app = held(account=OTHER)
    unchanged(
        app, "createSecret", app.begin(), SecretError, "the function's role finds at the IAM user relay not all keys"
    )
    assert theirs.active


def test_an_authority_that_has_no_such_user(held: Callable[..., Held]) -> None:
    app = held(account=OTHER)
    unchanged(app, "createSecret", app.begin(), SecretError, "the function's role finds no IAM user relay")


def test_an_admin_of_another_account(held: Callable[..., Held], iam: IAM) -> None:
    app = held(masterarn=admin_of(iam, held, account=OTHER))
    unchanged(app, "createSecret", app.begin(), SecretError, "the admin's key finds no IAM user relay")


@pytest.mark.parametrize("stranger", ["root", "federated-user/relay", "assumed-role/relay/session"])
def test_only_iam_users(held: Callable[..., Held], stranger: str) -> None:
    app = held()
    app.user.stranger = stranger
    unchanged(app, "createSecret", app.begin(), SecretError, "is not an IAM user's")


@pytest.mark.parametrize("step", STEPS[2:])
def test_law_5_a_pending_key_of_another_user(held: Callable[..., Held], iam: IAM, step: str) -> None:
    other = iam.key(iam.user("other"))
    app = held()
    token = app.begin()
    pending = {**app.value(), "access_key_id": other.id, "secret_access_key": other.secret}
    app.put(pending, token=token, label="AWSPENDING")
    unchanged(app, step, token, SecretError, "finds at the IAM user other not all keys")


@pytest.mark.parametrize("step", STEPS[1:])
def test_a_pending_value_with_the_key_of_current(held: Callable[..., Held], step: str) -> None:
    app = held()
    token = app.begin()
    app.put({**app.value(), "note": "new"}, token=token, label="AWSPENDING")
    unchanged(app, step, token, SecretError, "holds the same key as AWSCURRENT.*remove-from-version-id")


def test_a_key_of_current_that_was_deleted_meanwhile_stops_nothing(held: Callable[..., Held]) -> None:
    """It has leaked, say. The mark tells that pending's was issued for this secret."""
    app = held()
    token = app.begin()
    app.steps(token, "createSecret", "setSecret")
    del app.user.keys[app.value()["access_key_id"]]
    app.steps(token, "testSecret", "finishSecret")
    assert app.held("AWSCURRENT") == set(app.user.keys)


def test_without_the_mark_it_does(held: Callable[..., Held]) -> None:
    app = held()
    token = app.begin()
    app.steps(token, "createSecret", "setSecret")
    del app.user.keys[app.value()["access_key_id"]]
    app.user.tags.clear()
    app.iam.asked.clear()
    unchanged(app, "testSecret", token, SecretError, "one was deleted, or it is another user's")


def test_the_key_itself_when_current_was_ended_meanwhile(held: Callable[..., Held], iam: IAM) -> None:
    iam.user("relay", manages_itself=True)
    app = held(authority="self")
    token = app.begin()
    app.steps(token, "createSecret", "setSecret", "testSecret")
    app.user.keys[app.value()["access_key_id"]].active = False
    app.steps(token, "finishSecret")
    assert "AWSCURRENT" in app.service.labels(app.arn)[token]


# -- who is asked ----------------------------------------------------------------------------------------------------


def callers(iam: IAM) -> set[str]:
    return {who for service, _, who, _ in iam.asked if service == "iam"}


def test_the_role_is_asked_where_nobody_is_named(held: Callable[..., Held], iam: IAM) -> None:
    app = held()
    assert rotate(app.service, app.arn).succeeded
    assert callers(iam) == {"role"}


def test_the_admin_is_asked_where_the_secret_names_one(held: Callable[..., Held], iam: IAM) -> None:
    app = held(masterarn=admin_of(iam, held))
    assert rotate(app.service, app.arn).succeeded
    assert callers(iam) == {"admin"}


def test_the_key_itself_is_asked_if_told_so(
    held: Callable[..., Held], iam: IAM, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam.user("relay", manages_itself=True)
    app = held()
    monkeypatch.setenv("ROTATORS_IAM_AUTHORITY", "Self")
    assert rotate(app.service, app.arn).succeeded
    assert callers(iam) == {"relay"}


def test_the_tag_overrules_the_variable_and_the_secret(
    held: Callable[..., Held], iam: IAM, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = held(masterarn=admin_of(iam, held), authority="role")
    monkeypatch.setenv("ROTATORS_IAM_AUTHORITY", "self")
    assert rotate(app.service, app.arn).succeeded
    assert callers(iam) == {"role"}


def test_an_admin_whose_key_is_not_accepted(held: Callable[..., Held], iam: IAM) -> None:
    app = held(masterarn=admin_of(iam, held))
    for key in iam.user("admin").keys.values():
        key.active = False
    unchanged(app, "createSecret", app.begin(), CredentialRejected, "IAM does not accept the admin's key")


def test_an_admins_secret_without_a_key(held: Callable[..., Held], iam: IAM) -> None:
    admin = held(name="other", value={"username": "other", "password": "hunter2"})
    app = held(masterarn=admin.arn)
    unchanged(app, "createSecret", app.begin(), SecretError, "'masterarn' names can't be used.*'access_key_id'")


# -- eventual consistency --------------------------------------------------------------------------------------------


def test_a_new_key_may_not_be_known_yet(held: Callable[..., Held], iam: IAM) -> None:
    iam.late = 1.0
    app = held()
    assert rotate(app.service, app.arn).succeeded
    assert iam.rejected >= 1


def test_a_key_that_does_not_become_known_can_be_tried_again(
    held: Callable[..., Held], iam: IAM, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam.late = 3600.0
    monkeypatch.setattr(rotator, "SETTLES", 0.6)
    app = held()
    token = app.begin()
    app.steps(token, "createSecret", "setSecret")
    for step in STEPS[2:]:
        with pytest.raises(CredentialRejected) as caught:
            app.step(step, token)
        assert caught.value.retryable


def test_law_13_asking_again_ends_in_time(held: Callable[..., Held], iam: IAM) -> None:
    iam.late = 3600.0
    app = held()
    token = app.begin()
    app.steps(token, "createSecret")
    with pytest.raises(CredentialRejected):
        app.step("testSecret", token, seconds=3)
    assert 2 <= iam.rejected <= 5


def test_a_new_key_may_be_listed_late(held: Callable[..., Held], iam: IAM) -> None:
    iam.unlisted = 3
    app = held()
    for _ in range(2):
        assert rotate(app.service, app.arn).succeeded
    assert set(app.user.keys) == app.held()


def test_a_new_key_that_is_not_listed_can_be_tried_again(held: Callable[..., Held], iam: IAM) -> None:
    iam.unlisted = 999
    app = held()
    token = app.begin()
    app.steps(token, "createSecret")
    iam.asked.clear()
    assert unchanged(app, "testSecret", token, SecretError, "not all keys").retryable
    pending: Any = app.value("AWSPENDING")
    assert iam.opens(pending["access_key_id"], pending["secret_access_key"])
