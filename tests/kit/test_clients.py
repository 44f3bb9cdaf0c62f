"""Calls are counted without their author marking them, whatever client makes them; and a wrong rotator by each is caught."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rotators.testing import RotatorContract, RotatorSubject, rotate
from rotators.testing.faults import Faults
from tests.kit.relay import CLIENTS, ByUrllib3, Relay

if TYPE_CHECKING:
    from rotators import Rotation
    from rotators.testing import SecretsManager

each_client = pytest.mark.parametrize("client", CLIENTS)


def subject(secret_store: SecretsManager, relay: Relay, client: type[ByUrllib3]) -> RotatorSubject:
    return RotatorSubject(secret_store, client, relay.value(), opens=relay.opens, rejections=lambda: relay.refused)


@each_client
def test_one_call_counts_once(client: type[ByUrllib3], secret_store: SecretsManager, relay: Relay) -> None:
    """setSecret, testSecret and finishSecret ask once each."""
    app = subject(secret_store, relay, client)
    secret_store.calls.clear()
    with Faults().installed() as faults:
        assert rotate(app.service, app.arn).succeeded
    aws = {call.operation for call in secret_store.calls}
    asked = [call for call in faults.seen if call not in aws]
    assert len(asked) == 3 * CLIENTS[client], asked
    assert relay.changes == 1


@each_client
@pytest.mark.parametrize("test", ["test_law_3_a_crash_at_every_call", "test_law_3_an_answer_lost_at_every_call"])
def test_it_survives_all_of_them(
    client: type[ByUrllib3], test: str, secret_store: SecretsManager, relay: Relay
) -> None:
    getattr(RotatorContract(), test)(subject(secret_store, relay, client))


@each_client
def test_one_that_forgets_what_it_has_set_is_caught(
    client: type[ByUrllib3], secret_store: SecretsManager, relay: Relay
) -> None:
    """Law 3: a retry draws another password, and the one that was set is known to nobody."""

    class Forgetful(client):  # type: ignore[valid-type,misc] # made here for each client
        def _create(self, rotation: Rotation, _: object) -> None:
            value = self.create(rotation)
            self.said(self.ask(rotation.current, value["password"]))
            rotation.store(value)

        def set(self, rotation: Rotation) -> None:
            pass

    with pytest.raises(AssertionError) as caught:
        RotatorContract().test_law_3_a_crash_at_every_call(subject(secret_store, relay, Forgetful))
    said = str(caught.value)
    # a client that was cut off may be faster than the service, which then changes its mind later
    assert "law 2 broke: nothing that is stored opens" in said or "law 3 broke: the retries did not heal it" in said
    assert "the process dies" in said


@each_client
def test_an_outage_is_one_for_every_client(client: type[ByUrllib3], secret_store: SecretsManager, relay: Relay) -> None:
    RotatorContract().test_law_8_unreachable_is_not_rejected(subject(secret_store, relay, client))


def test_a_client_that_nobody_knows_is_not_taken_for_proof(secret_store: SecretsManager, relay: Relay) -> None:
    class Silent(ByUrllib3):
        def ask(self, secret: object, password: str | None) -> int:
            return 200 if relay.asked(secret["password"], password) else 401  # type: ignore[index]

    with pytest.raises(AssertionError, match="no call to the target was seen among DescribeSecret"):
        RotatorContract().test_law_3_the_calls_are_seen(subject(secret_store, relay, Silent))
