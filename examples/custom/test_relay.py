"""The proof: every law of a rotation, against the stand-in. A failure names the law, the call, and how to see it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rotators.testing import RotatorContract, RotatorSubject, SecretsManager

from relay import Relay
from relay_stand_in import StandIn


class RelaySubject(RotatorSubject):
    """A secret, and the stand-in that it opens."""

    def __init__(self, secret_store: SecretsManager, there: StandIn) -> None:
        self.there = there
        super().__init__(
            secret_store,
            Relay,
            json.loads(there.secret()),
            opens=there.opens,
            rejections=there.rejections,
        )

    def elsewhere(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "url": value["url"] + "/elsewhere"}

    @contextmanager
    def outage(self) -> Iterator[None]:
        with self.there.outage():
            yield


class TestRelay(RotatorContract):
    @pytest.fixture
    def subject(self, secret_store: SecretsManager) -> Iterator[RotatorSubject]:
        with StandIn() as there:
            yield RelaySubject(secret_store, there)
