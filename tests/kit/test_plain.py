"""The contract for secrets without keys: one string, and bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rotators import CredentialRejected, Rotation, Rotator, Secret
from rotators.testing import RotatorContract, RotatorSubject

if TYPE_CHECKING:
    from rotators.testing import SecretsManager
    from tests.kit.relay import Relay


class PlainToken(Rotator):
    """A secret that is one string: no keys, and so no place for a URL in it."""

    url = ""

    def set(self, rotation: Rotation) -> None:
        self.ask(self.text(rotation.current), self.text(rotation.pending))

    def test(self, secret: Secret) -> None:
        self.ask(self.text(secret), None)

    def text(self, secret: Secret) -> str:
        return secret.text

    def ask(self, token: str, wanted: str | None) -> None:
        import urllib3

        body = json.dumps({} if wanted is None else {"password": wanted}).encode()
        with urllib3.PoolManager(timeout=3.0, retries=False) as pool:
            answer = pool.request(
                "GET" if wanted is None else "PUT", self.url, headers={"authorization": token}, body=body
            )
        if answer.status == 401:
            raise CredentialRejected("the relay refused the token")


class BinaryToken(PlainToken):
    """The same as bytes; what is drawn is a string, so `create` says what becomes of it."""

    def create(self, rotation: Rotation) -> Secret:
        return Secret(rotation.draw_password(self.password_policy(rotation)).encode())

    def text(self, secret: Secret) -> str:
        return secret.data.decode()


class TestPlain(RotatorContract):
    rotator: type[PlainToken] = PlainToken

    @pytest.fixture
    def subject(self, secret_store: SecretsManager, relay: Relay) -> RotatorSubject:
        self.rotator.url = relay.url
        relay.password = "plain-first-token"
        return RotatorSubject(
            secret_store, self.rotator, self.first(relay), opens=lambda value: self.opens(relay, value)
        )

    def first(self, relay: Relay) -> Any:
        return relay.password

    def opens(self, relay: Relay, value: Any) -> bool:
        return bool(value == relay.password)


class TestBinary(TestPlain):
    rotator = BinaryToken

    def first(self, relay: Relay) -> Any:
        return relay.password.encode()

    def opens(self, relay: Relay, value: Any) -> bool:
        return isinstance(value, bytes) and value.decode() == relay.password
