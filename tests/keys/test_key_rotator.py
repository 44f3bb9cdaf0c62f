"""Keys that a provider issues: none is lost, none of somebody else's is revoked, and caches go on working."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from rotators import (
    ChangeRefused,
    CredentialRejected,
    KeyRotator,
    RotatorsError,
    SecretError,
    SecretStore,
    Step,
    TargetUnreachable,
    deadline,
    key_room,
)
from rotators.testing import rotate, rotation_event
from rotators.testing.case import cases
from rotators.testing.context import LambdaContext
from rotators.testing.contract import RotatorContract, together
from rotators.testing.faults import Fault, Faults
from tests.keys.provider import Provider, Speaks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.testing import SecretsManager

FIRST = "made by hand"


class Held:
    """A secret that holds a key of a provider."""

    def __init__(self, service: SecretsManager, provider: Provider, *, adopt: bool = False, **more: Any) -> None:
        self.adopt = adopt
        self.service, self.provider = service, provider
        self.more = more
        self.handler: Any = None
        self.new_sandbox()
        client = service.client()
        key_id, key = provider.add(FIRST)
        value = {"url": provider.url, "key_id": key_id, "key": key, "note": "kept"}
        self.arn: str = client.create_secret(Name=f"key/{uuid.uuid4()}", SecretString=json.dumps(value))["ARN"]
        function = service.add_function(f"key-{uuid.uuid4().hex}", self.handle)
        client.rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=function,
            RotationRules={"AutomaticallyAfterDays": 9},
            RotateImmediately=False,
        )
        service.wait(self.arn, 20)

    def new_sandbox(self) -> None:
        self.handler = KeyRotator(Speaks(**self.more), adopt=self.adopt, store=SecretStore(self.service.client()))

    def handle(self, event: Any, context: Any) -> None:
        self.handler(event, context)

    def opens(self, value: dict[str, Any]) -> bool:
        return self.provider.opens(value["key"])

    def elsewhere(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "url": value["url"] + "/other"}

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.provider.down = True
        yield
        self.provider.down = False

    def rejections(self) -> int:
        return self.provider.refused

    def value(self, label: str = "AWSCURRENT") -> dict[str, Any]:
        text = self.service.client().get_secret_value(SecretId=self.arn, VersionStage=label)["SecretString"]
        found: dict[str, Any] = json.loads(text)
        return found

    def begin(self) -> str:
        token = str(uuid.uuid4())
        self.service.put_placeholder(self.arn, token)
        return token

    def step(self, step: str, token: str, *, seconds: float = 60.0) -> None:
        self.handler(rotation_event(step, self.arn, token), LambdaContext(timeout=seconds))

    def held(self) -> set[str]:
        return {self.value(label)["key_id"] for label in ("AWSCURRENT", "AWSPREVIOUS")}


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def held(service: SecretsManager, provider: Provider) -> Callable[..., Held]:
    return lambda **more: Held(service, provider, **more)


class TestKeyRotator(RotatorContract):
    """The contract of any rotator, crash at every call included."""

    asking = (Step.TEST, Step.FINISH)

    @pytest.fixture
    def subject(self, held: Callable[..., Held]) -> Held:
        return held()


def test_law_7_the_one_before_previous_is_revoked(held: Callable[..., Held], provider: Provider) -> None:
    app = held()
    by_hand = app.value()["key_id"]
    seen = [by_hand]
    for number in range(4):
        assert rotate(app.service, app.arn).succeeded
        seen.append(app.value()["key_id"])
        assert app.held() == set(seen[-2:])
        assert set(provider.keys) == {by_hand, *seen[-2:]}, f"after rotation {number}"


def test_a_key_that_was_stored_by_hand_is_revoked_if_told_so(held: Callable[..., Held], provider: Provider) -> None:
    app = held(adopt=True)
    foreign, _ = provider.add("somebody else's")
    for _ in range(3):
        assert rotate(app.service, app.arn).succeeded
    assert set(provider.keys) == {foreign, *app.held()}


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.LOST_ANSWER])
def test_no_orphans(held: Callable[..., Held], provider: Provider, fault: Fault) -> None:
    """Whatever call a rotation dies at, after its retry and one rotation more only held keys are left."""
    app = held()
    by_hand = app.value()["key_id"]
    assert rotate(app.service, app.arn).succeeded
    counted = Faults()
    with counted.installed():
        assert rotate(app.service, app.arn).succeeded
    for case in cases([fault], counted.seen):
        RotatorContract().die_and_heal(app, case)
        assert rotate(app.service, app.arn).succeeded
        assert set(provider.keys) == {by_hand, *app.held()}, str(case)


def test_room_for_two(held: Callable[..., Held], provider: Provider) -> None:
    provider.most = 2
    app = held(most=2, adopt=True)
    for _ in range(3):
        assert rotate(app.service, app.arn).succeeded
        assert set(provider.keys) == app.held()


def test_room_for_two_and_a_crash_after_issuing(held: Callable[..., Held], provider: Provider) -> None:
    """The lost key stands in the way until nobody can be about to store it; that is waited for, where there is time."""
    provider.most = 2
    app = held(most=2)
    current = app.value()["key_id"]
    token = app.begin()
    provider.fails_after = 1
    with pytest.raises(TargetUnreachable):
        app.step("createSecret", token)
    (lost,) = set(provider.keys) - {current}
    with pytest.raises(ChangeRefused, match="by a run that may still store it") as caught:
        app.step("createSecret", token, seconds=4)
    assert caught.value.retryable
    assert set(provider.keys) == {current, lost}
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        app.step(step, token)
    assert set(provider.keys) == app.held()
    assert lost not in provider.keys


def test_a_lost_key_goes_before_that_of_previous(held: Callable[..., Held], provider: Provider) -> None:
    """Caches hold the one of AWSPREVIOUS; in a minute there is room without revoking it."""
    provider.most = 3
    app = held(most=3)
    by_hand = app.value()["key_id"]
    assert rotate(app.service, app.arn).succeeded
    del provider.keys[by_hand]
    assert rotate(app.service, app.arn).succeeded
    assert set(provider.keys) == app.held()
    token = app.begin()
    while len(provider.keys) < 3:
        provider.fails_after = 1
        with pytest.raises(TargetUnreachable):
            app.step("createSecret", token)
    before = dict(provider.keys)
    with pytest.raises(ChangeRefused, match="by a run that may still store it"):
        app.step("createSecret", token, seconds=4)
    assert provider.keys == before


def test_room_for_two_and_five_at_once(held: Callable[..., Held], provider: Provider) -> None:
    """One issues and stores; the others wait for it, and no key that is stored is revoked."""
    provider.most = 2
    app = held(most=2, adopt=True)
    for _ in range(3):
        token = app.begin()
        raised = together([partial(app.step, "createSecret", token)] * 5)
        assert all(isinstance(error, RotatorsError) and error.retryable for error in raised), raised
        assert len(raised) < 5
        assert provider.opens(app.value("AWSPENDING")["key"])
        assert len(provider.keys) == 2
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            app.step(step, token)
        assert set(provider.keys) == app.held()


class Slow(SecretStore):
    """Secrets Manager takes its time to store a value; the others see how much there is."""

    left = 0.0

    def put_pending(self, *args: Any) -> None:
        self.left = deadline.current().left()
        super().put_pending(*args)


def test_where_room_is_scarce_a_key_is_stored_at_once_or_not_at_all(
    held: Callable[..., Held], provider: Provider
) -> None:
    """Or another run would have revoked it by the time that it is stored."""
    provider.most = 2
    app = held(most=2)
    for most, longest in ((2, key_room.STORED), (None, deadline.LONGEST)):
        store = Slow(app.service.client())
        KeyRotator(Speaks(most=most), store=store)(rotation_event("createSecret", app.arn, app.begin()))
        assert longest - 3 < store.left <= longest
        for made in set(provider.keys) - {app.value()["key_id"]}:
            del provider.keys[made]
    assert key_room.STORED < key_room.ABANDONED


def test_no_room_but_for_keys_of_others(held: Callable[..., Held], provider: Provider) -> None:
    provider.most = 2
    app = held(most=2)
    foreign, _ = provider.add("somebody else's")
    before = dict(provider.keys)
    with pytest.raises(ChangeRefused, match=foreign) as caught:
        app.step("createSecret", app.begin())
    assert "rotators:adopt=true" in str(caught.value)
    assert provider.keys == before


def test_another_secrets_keys_are_foreign(held: Callable[..., Held], provider: Provider) -> None:
    one, other = held(), held()
    for _ in range(3):
        for app in (one, other):
            assert rotate(app.service, app.arn).succeeded
    for app in (one, other):
        assert all(app.opens(app.value(label)) for label in ("AWSCURRENT", "AWSPREVIOUS"))


def test_a_new_key_may_not_be_known_yet(held: Callable[..., Held], provider: Provider) -> None:
    provider.late = 1.0
    app = held(settles=10.0)
    assert rotate(app.service, app.arn).succeeded
    assert provider.refused >= 1


def test_a_key_that_never_becomes_known_can_be_tried_again(held: Callable[..., Held], provider: Provider) -> None:
    provider.late = 3600.0
    app = held(settles=0.6)
    token = app.begin()
    app.step("createSecret", token)
    with pytest.raises(CredentialRejected) as caught:
        app.step("testSecret", token)
    assert caught.value.retryable
    app = held(settles=0.0)
    token = app.begin()
    app.step("createSecret", token)
    with pytest.raises(CredentialRejected) as caught:
        app.step("testSecret", token)
    assert not caught.value.retryable


def test_a_pending_value_without_its_id_is_not_used(held: Callable[..., Held], provider: Provider) -> None:
    """Or retiring keys would revoke the one that is about to be current."""
    app = held()
    token = app.begin()
    app.step("createSecret", token)
    value = {key: text for key, text in app.value("AWSPENDING").items() if key != "key_id"}
    app = held()
    app.service.client().put_secret_value(
        SecretId=app.arn, ClientRequestToken=token, SecretString=json.dumps(value), VersionStages=["AWSPENDING"]
    )
    before = dict(provider.keys)
    for step in ("setSecret", "testSecret", "finishSecret"):
        with pytest.raises(SecretError, match="does not say which key it holds"):
            app.step(step, token)
    assert provider.keys == before


def without_its_id(app: Held) -> str:
    """Store the current key again by hand, and leave out its id."""
    value = app.value()
    text = json.dumps({key: text for key, text in value.items() if key != "key_id"})
    app.service.client().put_secret_value(SecretId=app.arn, SecretString=text)
    return str(value["key_id"])


def test_a_current_value_without_its_id_keeps_its_key(
    held: Callable[..., Held], provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    app = held()
    assert rotate(app.service, app.arn).succeeded
    kept = without_its_id(app)
    assert rotate(app.service, app.arn).succeeded
    assert kept in provider.keys
    assert "does not say which one it holds" in caplog.text
    assert rotate(app.service, app.arn).succeeded
    assert kept not in provider.keys


def test_no_room_and_a_current_value_without_its_id(held: Callable[..., Held], provider: Provider) -> None:
    provider.most = 2
    app = held(most=2)
    assert rotate(app.service, app.arn).succeeded
    kept = without_its_id(app)
    with pytest.raises(ChangeRefused, match="revoke one by hand"):
        app.step("createSecret", app.begin())
    assert kept in provider.keys
