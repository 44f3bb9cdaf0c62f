"""What is these services' own: two passwords through an API that takes its time, whose user it is, and what is proven of it."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from rotators import (
    ChangeRefused,
    ConfigurationError,
    CredentialRejected,
    Secret,
    SecretError,
    TargetUnreachable,
    waiting,
)
from rotators.engines.elasticache import ElastiCache
from rotators.handlers.elasticache import handler
from rotators.testing import LambdaContext, rotate, rotation_event
from tests.elasticache.stand_in import OTHER

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.testing import SecretsManager
    from tests.elasticache.held import Held
    from tests.elasticache.stand_in import Cache

SERVICES = ("elasticache", "memorydb")
CHANGES = {"elasticache": "ModifyUser", "memorydb": "UpdateUser"}
TAGS = {"ListTagsForResource", "AddTagsToResource", "ListTags", "TagResource"}


def step(app: Held, name: str, token: str, seconds: float = 30.0) -> None:
    app.handler(rotation_event(name, app.arn, token), LambdaContext(seconds))


def created(app: Held) -> str:
    token = app.pending()
    step(app, "createSecret", token)
    return token


def proofs(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.__dict__["proof"] for record in caplog.records if "proof" in record.__dict__]


@pytest.mark.parametrize("host", [True, False], ids=["host", "no host"])
@pytest.mark.parametrize("kind", SERVICES)
def test_two_passwords_and_the_older_one_dies_at_the_next_change(
    held: Callable[..., Held], kind: str, host: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = held(kind, host=host)
    caplog.clear()
    passwords = [app.value()["password"]]
    for _ in range(3):
        assert rotate(app.service, app.arn).succeeded
        passwords.append(app.value()["password"])
        assert app.user.passwords == passwords[-2:]
        opens = [app.opens({**app.value(), "password": password}) for password in passwords]
        assert opens == [False] * (len(passwords) - 2) + [True, True]
    assert set(proofs(caplog)) == {"login" if host else "tag"}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert app.cache.actions().count(CHANGES[kind]) == 3


def test_as_in_awss_guide(service: SecretsManager, held: Callable[..., Held], cache: Cache) -> None:
    """A user that is off and has no password, a secret without one, no host, and only the two actions of AWS's policy."""
    app = held(host=False)
    user = cache.user("elasticache", app.user.name, access="off ~keys* -@all +get")
    value = {"user_arn": user.arn, "username": user.name}
    cache.denied = TAGS
    app.put_current(value)
    app.handler = handler
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handler, "_store", app.store)
        patch.setenv("USER_NAME", user.name)
        patch.setenv("SECRET_ARN", app.arn)
        for count in (1, 2):
            assert rotate(service, app.arn).succeeded
            assert (user.kind, len(user.passwords)) == ("password", count)
    assert list(app.value()) == ["user_arn", "username", "password"]
    assert not app.opens(app.value())
    user.access = "on ~keys* -@all +get"
    cache.apply(user)
    assert app.opens(app.value())


def test_a_password_that_nobody_told_us_is_not_ended(held: Callable[..., Held]) -> None:
    app = held(host=False)
    app.put_current({"user_arn": app.user.arn, "username": app.user.name})
    with pytest.raises(SecretError, match="'password' is missing in the secret, and the user .* has one: it would end"):
        step(app, "setSecret", created(app))
    assert CHANGES["elasticache"] not in app.cache.actions()


@pytest.mark.parametrize("host", [True, False], ids=["host", "no host"])
@pytest.mark.parametrize("kind", SERVICES)
def test_without_the_tags_it_says_what_is_not_known(
    held: Callable[..., Held], kind: str, host: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """By a login, which is refused as a rule, it is known whether pending is set; without a host nothing is."""
    app = held(kind, host=host)
    caplog.clear()
    app.cache.denied = TAGS
    assert rotate(app.service, app.arn).succeeded
    refused = app.rejections()
    assert rotate(app.service, app.arn).succeeded
    assert app.rejections() - refused == (1 if host else 0)
    assert set(proofs(caplog)) == {"login" if host else "status"}
    assert ("is not proven, the user is active and no more is known" in caplog.text) == (not host)


def test_a_tag_that_can_be_read_and_not_written_is_not_believed(held: Callable[..., Held]) -> None:
    app = held(host=False)
    assert rotate(app.service, app.arn).succeeded
    app.cache.denied = {"AddTagsToResource"}
    with pytest.raises(ConfigurationError, match="may not do elasticache:AddTagsToResource on the user"):
        step(app, "setSecret", created(app))
    assert app.opens(app.value())


@pytest.mark.parametrize(
    "kind, host, tags",
    [
        ("elasticache", True, True),
        ("memorydb", False, True),
        ("memorydb", True, False),
        ("elasticache", False, False),
    ],
)
def test_law_4_a_change_that_takes_longer_is_not_begun_again(
    held: Callable[..., Held], kind: str, host: bool, tags: bool
) -> None:
    """Or with a slow cluster, each retry would begin another, and none would end."""
    app = held(kind, host=host)
    assert rotate(app.service, app.arn).succeeded
    app.cache.denied = set() if tags else TAGS
    token, app.cache.slow = created(app), 1_000_000
    app.cache.asked.clear()
    with pytest.raises(TargetUnreachable, match="is modifying still, and the time is up: the change goes on") as caught:
        step(app, "setSecret", token, seconds=5)
    assert caught.value.retryable
    assert app.opens(app.value())
    with pytest.raises(TargetUnreachable, match="is modifying still"):
        step(app, "setSecret", token, seconds=2)
    app.user.left, app.cache.slow = 0, 1
    app.new_sandbox()
    for name in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        step(app, name, token)
    changes = app.cache.actions().count(CHANGES[kind])
    assert changes == (1 if tags or host else 2), "without tag and host, nothing says that the change was made"
    assert app.opens(app.value())


def test_law_4_a_change_that_goes_on_is_not_begun_again_without_its_tag(held: Callable[..., Held]) -> None:
    """The process died between the change and the tag: whose change it is that goes on, a login says."""
    app = held()
    token, app.cache.faults = created(app), [("AddTagsToResource", 503, "ServiceUnavailable", False)] * 4
    with pytest.raises(TargetUnreachable):
        step(app, "setSecret", token)
    app.new_sandbox()
    for name in ("setSecret", "testSecret", "finishSecret"):
        step(app, name, token)
    assert app.cache.actions().count("ModifyUser") == 1
    assert app.opens(app.value())


@pytest.mark.parametrize("kind", SERVICES)
def test_law_10_a_change_that_does_not_take_is_undone(
    held: Callable[..., Held], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SETTLE", 0.1)
    app = held(kind)
    token, app.cache.lost = created(app), 1
    with pytest.raises(ChangeRefused, match="refused the password .* right after it was set.* was set alone again"):
        step(app, "setSecret", token)
    assert app.user.coming == [app.value()["password"]]
    assert app.opens(app.value())
    for name in ("setSecret", "testSecret", "finishSecret"):
        step(app, name, token)
    assert app.opens(app.value())


def test_law_5_current_must_open_before_the_role_is_used(held: Callable[..., Held]) -> None:
    """Somebody has set another password by hand. And AWSPREVIOUS may open instead: then AWSCURRENT is set beside pending."""
    app = held()
    assert rotate(app.service, app.arn).succeeded
    app.user.passwords = ["set-by-hand-4711-4711"]
    app.cache.apply(app.user)
    app.cache.asked.clear()
    token = created(app)
    with pytest.raises(CredentialRejected, match="nothing we may use opens the target"):
        step(app, "setSecret", token)
    assert "ModifyUser" not in app.cache.actions()
    app.user.passwords = [app.value("AWSPREVIOUS")["password"]]
    app.cache.apply(app.user)
    for name in ("setSecret", "testSecret", "finishSecret"):
        step(app, name, token)
    assert app.opens(app.value())
    assert app.opens(app.value("AWSPREVIOUS"))


def test_law_5_an_admin_is_no_authority_here(held: Callable[..., Held]) -> None:
    """Nothing of the user's opens, and the last resort of other engines is somebody else's login."""
    app = held()
    named = json.dumps({"username": "admin", "password": "admin-Canary-77b0"})
    admin = app.service.client().create_secret(Name=f"admin/{app.user.id}", SecretString=named)["ARN"]
    app.put_current({**app.value(), "masterarn": admin})
    app.user.passwords = ["set-by-hand-4711-4711"]
    app.cache.apply(app.user)
    with pytest.raises(SecretError, match="it is the function's role that changes a user of ElastiCache") as caught:
        step(app, "setSecret", created(app))
    assert "Canary" not in str(caught.value)
    assert "ModifyUser" not in app.cache.actions()


def test_law_5_an_arn_of_another_account_changes_nobody_of_ours(held: Callable[..., Held]) -> None:
    """The API knows a user by its id alone."""
    app = held(host=False)
    app.put_current({**app.value(), "user_arn": app.user.arn.replace(app.user.account, OTHER)})
    with pytest.raises(SecretError, match="is not the one of 'user_arn'"):
        step(app, "setSecret", created(app))
    assert set(app.cache.actions()) == {"DescribeUsers"}


def test_law_5_the_name_is_the_users(held: Callable[..., Held]) -> None:
    app = held(host=False, username="somebody")
    with pytest.raises(SecretError, match="'username' in the secret is not what the user .* logs in with"):
        step(app, "setSecret", created(app))


def test_a_function_that_is_for_one_user(held: Callable[..., Held], monkeypatch: pytest.MonkeyPatch) -> None:
    app = held(host=False)
    monkeypatch.setenv("USER_NAME", "another")
    with pytest.raises(ConfigurationError, match="for another user than .*, by its variable USER_NAME"):
        created(app)
    assert app.cache.actions() == []


@pytest.mark.parametrize(
    "more, said",
    [
        ({"kind": "iam"}, "logs in by IAM and has no password"),
        ({"status": "deleting"}, "is being deleted"),
        ({"access": "on ~* off +@all"}, "is off, and the secret names a host"),
    ],
)
def test_users_that_can_not_be_rotated(held: Callable[..., Held], more: dict[str, str], said: str) -> None:
    app = held()
    vars(app.user).update(more)
    with pytest.raises(ChangeRefused, match=said):
        step(app, "setSecret", created(app))
    assert "ModifyUser" not in app.cache.actions()


@pytest.mark.parametrize("host", [True, False], ids=["host", "no host"])
@pytest.mark.parametrize("kind", SERVICES)
def test_the_old_one_ends_with_the_rotation(
    held: Callable[..., Held], kind: str, host: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTATORS_DISCARD_OLD", "true")
    app = held(kind, host=host)
    for _ in range(2):
        old = app.value()
        assert rotate(app.service, app.arn).succeeded
        assert app.user.passwords == [app.value()["password"]]
        assert not app.opens(old)
        assert app.opens(app.value())


@pytest.mark.parametrize(
    "change, said",
    [
        ({"user_arn": None}, "'user_arn' is missing in the secret; expected the ARN"),
        ({"user_arn": "CANARY"}, "'user_arn' in the secret is not the ARN of a user"),
        ({"user_arn": 7}, "'user_arn' in the secret is not the ARN of a user"),
        ({"user_arn": "arn:aws:elasticache:x:123456789012:user/a"}, "is not the ARN of a user"),
        ({"user_arn": "arn:aws:memorydb:x:123456789012:user:a"}, "is not the ARN of a user"),
        ({"user_arn": "arn:aws:iam::123456789012:user/a"}, "is not the ARN of a user"),
        ({"userArn": "arn:aws:memorydb:x:123456789012:user/a"}, "'user_arn' and 'userArn' in the secret differ"),
        ({"engine": "memorydb"}, "'engine' in the secret is not \"elasticache\", which the ARN is of"),
        ({"engine": ["CANARY"]}, "'engine' in the secret is not \"elasticache\""),
        ({"username": None}, "'username' in the secret must be"),
        ({"username": "CANARY\n"}, "'username' in the secret must be"),
        ({"password": ""}, "'password' in the secret must be a non-empty string"),
        ({"password": ["CANARY"]}, "'password' in the secret must be a non-empty string"),
        ({"nodes": ["CANARY:1"]}, "the secret has 'nodes' and no 'host'"),
        ({"host": "CANARY/x"}, "'host' in the secret must be one DNS name"),
        ({"host": "h", "ssl": "CANARY"}, "'ssl' in the secret must be true or false"),
    ],
)
def test_bad_secrets(change: dict[str, Any], said: str) -> None:
    value = {"user_arn": "arn:aws:elasticache:x:123456789012:user:a", "username": "a", "password": "CANARY"}
    with pytest.raises(SecretError, match=re.escape(said)) as caught:
        ElastiCache().resource(Secret({**value, **change}))
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("engine", ["elasticache", "redis", "valkey"])
def test_the_other_spelling_and_an_engine(engine: str) -> None:
    arn = "arn:aws-cn:elasticache:cn-north-1:123456789012:user:App"
    assert ElastiCache().resource(Secret({"userArn": arn, "username": "a", "engine": engine}))["user_arn"] == arn


def test_a_pending_password_is_one_that_the_services_take() -> None:
    assert set(ElastiCache.exclude_characters) >= set(',"/@')


@pytest.mark.parametrize("kind", SERVICES)
def test_law_9_what_the_service_quotes_is_not_repeated(
    held: Callable[..., Held], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It refuses a password, and its message holds it; so does what the SDK says at its chattiest."""
    app = held(kind, host=False)
    bad = 'canary-with-"-and-/-in-it'
    token = app.pending(password=bad)
    for name in ("", "boto3", "botocore", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    with pytest.raises(
        ChangeRefused, match=r"refused (ModifyUser|UpdateUser) of the user .*16 to 128 printable"
    ) as caught:
        step(app, "setSecret", token)
    said = f"{caught.value!r} {caplog.text} {[record.__dict__ for record in caplog.records]}"
    assert bad not in said
    assert json.dumps(bad)[1:-1] not in said
    assert app.value()["password"] not in said
    assert app.opens(app.value())


def test_law_9_nor_by_the_engine_alone(held: Callable[..., Held]) -> None:
    """Without a rotator around it, which would scrub the text."""
    value = held(host=False).value()
    bad = Secret({**value, "password": "canary-with-/-in-it"})
    with pytest.raises(ChangeRefused) as caught:
        ElastiCache().set(bad, by=Secret(value), like=Secret(value))
    assert "canary" not in f"{caught.value} {caught.value.__context__!r} {caught.value.__cause__!r}"
    assert value["password"] not in str(caught.value)
