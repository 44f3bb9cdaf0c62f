"""Secrets without keys: one string, or bytes. A key is often stored so."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators import CredentialRejected, Rotation, Rotator, Secret, SecretError, SecretStore
from rotators.testing import rotate, rotation_event

if TYPE_CHECKING:
    from rotators.testing import SecretsManager

CANARY = "sk-live-c4n4ry-0f-th3-m1ne"


class Door(Rotator):
    """A door that one key opens."""

    def __init__(self, key: str | bytes, **more: Any) -> None:
        super().__init__(**more)
        self.key: str | bytes = key

    def set(self, rotation: Rotation) -> None:
        self.test(rotation.current)
        self.key = self.held(rotation.pending)

    def test(self, secret: Secret) -> None:
        if self.held(secret) != self.key:
            raise CredentialRejected("another key")

    def held(self, secret: Secret) -> str | bytes:
        return secret.text if isinstance(self.key, str) else secret.data


class Binary(Door):
    """One whose keys are bytes; only it knows which."""

    def create(self, rotation: Rotation) -> Secret:
        assert rotation.current.data
        return Secret(b"\x00\xff" + rotation.version.encode())


def stored(service: SecretsManager, rotator: Rotator, **value: Any) -> str:
    client = service.client()
    arn: str = client.create_secret(Name=f"door/{uuid.uuid4()}", **value)["ARN"]
    function = service.add_function(f"door-{uuid.uuid4().hex}", rotator)
    client.rotate_secret(
        SecretId=arn, RotationLambdaARN=function, RotationRules={"AutomaticallyAfterDays": 9}, RotateImmediately=False
    )
    service.wait(arn, 20)
    return arn


def test_a_string_is_rotated(service: SecretsManager) -> None:
    door = Door(CANARY, store=SecretStore(service.client()))
    arn = stored(service, door, SecretString=CANARY)
    for _ in range(2):
        before = door.key
        assert rotate(service, arn).succeeded
        assert service.client().get_secret_value(SecretId=arn)["SecretString"] == door.key != before


def test_bytes_are_rotated_by_who_knows_what_they_are(service: SecretsManager) -> None:
    first = b"\x01" + CANARY.encode()
    binary = Binary(first, store=SecretStore(service.client()))
    arn = stored(service, binary, SecretBinary=first)
    assert rotate(service, arn).succeeded
    assert service.client().get_secret_value(SecretId=arn)["SecretBinary"] == binary.key != first


@pytest.mark.parametrize(
    "value, said",
    [
        ({"SecretBinary": CANARY.encode()}, "is binary or has keys; expected one plain string"),
        ({"SecretString": '{"password": "' + CANARY + '",}'}, "is not JSON; expected a JSON object"),
        ({"SecretString": f'["{CANARY}"]'}, "is a list; expected a JSON object"),
    ],
)
def test_what_is_more_likely_a_slip_is_not_replaced(service: SecretsManager, value: Any, said: str) -> None:
    arn = stored(service, Door(CANARY), **value)
    token = str(uuid.uuid4())
    service.put_placeholder(arn, token)
    service.calls.clear()
    with pytest.raises(SecretError, match=said) as caught:
        Door(CANARY, store=SecretStore(service.client()))(rotation_event("createSecret", arn, token))
    assert CANARY not in str(caught.value)
    assert "PutSecretValue" not in [call.operation for call in service.calls]


@pytest.mark.parametrize("current, pending", [(CANARY, "keys"), ("keys", CANARY)])
def test_law_5_a_pending_value_of_another_form(service: SecretsManager, current: str, pending: str) -> None:
    def form(text: str) -> str:
        return json.dumps({"password": CANARY}) if text == "keys" else text

    door = Door(CANARY, store=SecretStore(service.client()))
    arn = stored(service, door, SecretString=form(current))
    token = str(uuid.uuid4())
    service.client().put_secret_value(
        SecretId=arn, ClientRequestToken=token, SecretString=form(pending), VersionStages=["AWSPENDING"]
    )
    for step in ("setSecret", "testSecret", "finishSecret"):
        with pytest.raises(SecretError, match="has keys and AWSCURRENT has none|is not JSON") as caught:
            door(rotation_event(step, arn, token))
        assert CANARY not in str(caught.value)
    assert door.key == CANARY


def test_who_has_no_keys_names_no_admin(service: SecretsManager) -> None:
    admins: list[Secret | None] = []

    class Curious(Door):
        def set(self, rotation: Rotation) -> None:
            admins.append(rotation.admin)
            super().set(rotation)

    curious = Curious(CANARY, store=SecretStore(service.client()))
    assert rotate(service, stored(service, curious, SecretString=CANARY)).succeeded
    assert admins == [None]


def test_what_is_drawn_is_not_taken_for_broken_json_next_time(
    service: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One in forty passwords begins with a brace or a bracket, and the rotation after it would have refused it."""
    drawn = iter(["{looks like", "[so does", "a right one", "{", "another"])
    monkeypatch.setattr(SecretStore, "random_password", lambda *_: next(drawn))
    door = Door(CANARY, store=SecretStore(service.client()))
    arn = stored(service, door, SecretString=CANARY)
    assert rotate(service, arn).succeeded
    assert door.key == "a right one"
    assert rotate(service, arn).succeeded
    assert door.key == "another"
