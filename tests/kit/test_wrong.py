"""A proof that lets a wrong rotator pass proves nothing: each is rejected by the test of its law, and the right one by none."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from rotators import RotatorsError
from rotators.testing import RotatorContract, RotatorSubject
from tests.keys.provider import Provider
from tests.kit import wrong
from tests.kit.relay import ByUrllib3, Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators import Rotator
    from rotators.testing import SecretsManager


class Answering(RotatorSubject):
    """A subject whose relay can be made to accept and to say nothing."""

    relay: Relay

    @contextmanager
    def silence(self) -> Iterator[None]:
        asked, held = self.relay.asked, threading.Event()

        def silent(given: str | None, wanted: str | None) -> bool:
            held.wait(30)
            return asked(given, wanted)

        self.relay.asked = silent  # type: ignore[method-assign] # for as long as the block lasts
        try:
            yield
        finally:
            self.relay.asked = asked  # type: ignore[method-assign]
            held.set()


@pytest.fixture
def password(secret_store: SecretsManager, relay: Relay) -> Callable[[type[Rotator]], Answering]:
    def make(rotator: type[Rotator]) -> Answering:
        value = {**relay.value(), "note": "kept"}
        made = Answering(secret_store, rotator, value, opens=relay.opens, rejections=lambda: relay.refused)
        made.relay = relay
        return made

    return make


@pytest.fixture
def key(secret_store: SecretsManager) -> Iterator[Callable[..., RotatorSubject]]:
    provider = Provider()

    def make(rotator: Callable[..., Rotator]) -> RotatorSubject:
        provider.add("somebody else's")
        made, key = provider.add("by hand")
        return RotatorSubject(
            secret_store,
            rotator,
            {"url": provider.url, "key_id": made, "key": key},
            opens=lambda value: provider.opens(value["key"]),
            keys=lambda: set(provider.keys),
            key_of=lambda value: str(value["key_id"]),
        )

    yield make
    provider.server.shutdown()
    provider.server.server_close()


class Gapless(RotatorContract):
    gapless = True


def run(contract: RotatorContract, test: str, subject: RotatorSubject, request: pytest.FixtureRequest) -> None:
    more: dict[str, Any] = {}
    if "law_9" in test:
        more = {"capfd": request.getfixturevalue("capfd"), "caplog": request.getfixturevalue("caplog")}
    getattr(contract, test)(subject, **more)


@pytest.mark.parametrize(("rotator", "test"), wrong.PASSWORDS.items())
def test_a_wrong_one_is_rejected(
    rotator: type[Rotator],
    test: str,
    password: Callable[[type[Rotator]], Answering],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises((AssertionError, RotatorsError)):
        run(RotatorContract(), test, password(rotator), request)


@pytest.mark.parametrize("test", sorted(set(wrong.PASSWORDS.values())))
def test_the_right_one_is_not(
    test: str, password: Callable[[type[Rotator]], Answering], request: pytest.FixtureRequest
) -> None:
    right = type("Right", (ByUrllib3,), {"ask": in_time})
    run(RotatorContract(), test, password(right), request)


def in_time(self: ByUrllib3, secret: Any, password: str | None) -> int:
    """As `ByUrllib3`, within what is left of the function's time."""
    import urllib3

    from rotators import deadline

    method = "GET" if password is None else "PUT"
    with urllib3.PoolManager(timeout=deadline.current().wait(2.0), retries=False) as pool:
        answer = pool.request(method, secret["url"], headers=self.headers(secret), body=self.body(password))
        return int(answer.status)


@pytest.mark.parametrize(("rotator", "test"), wrong.KEYS.items())
def test_a_wrong_one_of_keys_is_rejected(
    rotator: type[Rotator], test: str, key: Callable[..., RotatorSubject], request: pytest.FixtureRequest
) -> None:
    with pytest.raises(AssertionError):
        run(Gapless(), test, key(rotator), request)


@pytest.mark.parametrize("test", sorted(set(wrong.KEYS.values())))
def test_the_right_one_of_keys_is_not(
    test: str, key: Callable[..., RotatorSubject], request: pytest.FixtureRequest
) -> None:
    run(Gapless(), test, key(wrong.right), request)
