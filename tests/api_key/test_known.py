"""Every description that we ship, run against a stand-in of its service."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from rotators import RotatorsError, key_room
from rotators.testing import LambdaContext, resume, rotate, rotation_event
from rotators.testing.faults import Crash, Fault, Faults
from tests.api_key.holder import Holder, placed, rotator
from tests.api_key.known import ADMIN, KNOWN, Known

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rotators.testing import SecretsManager

    Make = Callable[[str], tuple[Known, Holder]]


@pytest.fixture
def make(service: SecretsManager, tmp_path: Path) -> Iterator[Make]:
    sites: list[Known] = []

    def made(name: str) -> tuple[Known, Holder]:
        site = KNOWN[name]()
        sites.append(site)
        site.fails_after = 0
        return site, Holder(service, site, rotator(placed(name, site, tmp_path)), site.value(), admin=site.admin)

    yield made
    for site in sites:
        site.close()


@pytest.mark.parametrize("name", KNOWN)
def test_four_rotations(make: Make, name: str) -> None:
    site, app = make(name)
    if site.listed:
        foreign, _ = site.add("somebody else's")
    first = app.value()
    for _ in range(4):
        before = app.value()
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        after = app.value()
        assert list(after)[: len(first)] == list(first)
        assert after != before
        assert site.holds(after)
        assert site.holds(before) == (name != "twilio-auth-token")
    if site.listed:
        held = {site.id_of(app.value(label)) for label in ("AWSCURRENT", "AWSPREVIOUS")}
        assert set(site.keys) == held | {foreign, site.id_of(first)}  # stored by hand: left, and warned of


def test_every_description_has_a_stand_in() -> None:
    from rotators.engines.api_key.catalogue import BUNDLED

    assert {path.stem for path in BUNDLED.glob("*.toml")} == set(KNOWN)
    for path in BUNDLED.glob("*.toml"):
        assert "NOT RUN AGAINST THE LIVE SERVICE" in path.read_text()


def calls(make: Make, name: str) -> int:
    """Count the external calls of a rotation after the first."""
    _, app = make(name)
    assert rotate(app.service, app.arn).succeeded
    with Faults().installed() as faults:
        assert rotate(app.service, app.arn).succeeded
    return len(faults.seen)


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.LOST_ANSWER])
@pytest.mark.parametrize("name", KNOWN)
def test_it_dies_at_every_call(make: Make, name: str, fault: Fault) -> None:
    """And is run again: AWSCURRENT works at the end, and no key of ours is left that nobody holds, none of others' is gone."""
    for number in range(calls(make, name)):
        site, app = make(name)
        foreign = site.add("somebody else's")[0] if site.listed else ""
        first = app.value()
        assert rotate(app.service, app.arn).succeeded
        outcome: Any = None
        with Faults(number, fault).installed() as faults, suppress(Crash):
            outcome = rotate(app.service, app.arn)
        assert len(faults.seen) > number
        app.new_sandbox()
        if name != "twilio-auth-token":
            assert site.holds(app.value()), faults.seen[number]
        if outcome is None or not outcome.succeeded:
            assert resume(app.service, app.arn).succeeded, faults.seen[number]
        assert site.holds(app.value()), faults.seen[number]
        assert rotate(app.service, app.arn).succeeded, faults.seen[number]
        assert site.holds(app.value()), faults.seen[number]
        if site.listed:
            held = {site.id_of(app.value(label)) for label in ("AWSCURRENT", "AWSPREVIOUS")}
            assert set(site.keys) == held | {foreign, site.id_of(first)}, faults.seen[number]


@pytest.mark.parametrize("name", [name for name, site in KNOWN.items() if site.listed])
def test_a_500_after_the_work_was_done(make: Make, name: str) -> None:
    """What was issued and never seen is revoked at the end of the retry; nothing of the answer is told."""
    site, app = make(name)
    first = site.id_of(app.value())
    site.fails_after = 1
    outcome = rotate(app.service, app.arn)
    assert not outcome.succeeded
    assert "not well" in str(outcome.error)
    assert "CANARY" not in str(outcome.error)
    assert resume(app.service, app.arn).succeeded
    assert set(site.keys) == {first, site.id_of(app.value())}


@pytest.mark.parametrize("name", [name for name, site in KNOWN.items() if site.admin])
def test_the_admins_key_goes_nowhere_else(make: Make, name: str) -> None:
    """Law 5: not for a secret whose own key does not work, and not to a provider that its secret does not name."""
    site, app = make(name)
    before = len(site.seen)
    client = app.service.client()
    client.put_secret_value(SecretId=app.admin_arn, SecretString=f'{{"provider": "relay", "api_key": "{ADMIN}"}}')
    assert f'Put "provider": "{name}" into it' in app.refuse()
    assert not [asked for asked in site.seen[before:] if ADMIN in str(asked)]


@pytest.mark.parametrize("name", KNOWN)
def test_a_key_that_does_not_work_is_not_rotated(make: Make, name: str) -> None:
    site, app = make(name)
    key = {"confluent-cloud": "api_secret", "twilio-auth-token": "auth_token", "azure-container-registry": "password"}
    before = len(site.seen)
    said = app.refuse(**{key.get(name, "api_key"): "CANARY-that-never-worked"})
    assert said.startswith("CredentialRejected")
    assert "CANARY" not in said
    assert not [asked for asked in site.seen[before:] if ADMIN in str(asked)]


def test_two_keys_of_sendgrid_have_the_same_scopes(make: Make) -> None:
    """Without scopes it would have issued a key that may do everything."""
    site, app = make("sendgrid")
    assert rotate(app.service, app.arn).succeeded
    assert site.keys[site.id_of(app.value())].more["scopes"] == KNOWN["sendgrid"].scopes  # type: ignore[attr-defined]
    site.keys[site.id_of(app.value())].more["scopes"] = None
    said = app.refuse()
    assert "without 'scopes'" in said
    assert len(site.keys) == 2


def test_the_wrong_place_is_not_filled_anew(make: Make) -> None:
    """Azure: what the secret calls password is what it calls password2."""
    site, app = make("azure-container-registry")
    before = dict(site.passwords)  # type: ignore[attr-defined]
    said = app.refuse(slot="password2")
    assert "is the one in password" in said
    assert site.passwords == before  # type: ignore[attr-defined]
    assert "none of password and password2" in app.refuse(slot="third")


def test_twilios_second_token_of_somebody_else(make: Make) -> None:
    """Made by hand before the first rotation, it may be the one in use: it is left."""
    site, app = make("twilio-auth-token")
    site.second = "made by hand, maybe in use"  # type: ignore[attr-defined]
    assert "no room for another key" in app.refuse()
    assert site.second == "made by hand, maybe in use"  # type: ignore[attr-defined]


def test_twilios_promotion_that_did_not_happen(make: Make) -> None:
    """The label does not move to a token that the next rotation would take for a dead one."""
    site, app = make("twilio-auth-token")
    token = app.begin()
    for step in ("createSecret", "setSecret", "testSecret"):
        app.step(step, token)
    pending = app.value("AWSPENDING")
    site.first, site.second = site.first, ""  # type: ignore[attr-defined] # taken away by hand
    with pytest.raises(RotatorsError):  # asked again for as long as the function has: five seconds, not thirty
        app.handler(rotation_event("finishSecret", app.arn, token), LambdaContext(5.0))
    assert app.value() != pending


@pytest.mark.parametrize("name", ["sendgrid", "datadog"])
def test_no_room(make: Make, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full with other people's keys: none of theirs is touched. Full with ours that nobody holds: they go."""
    site, app = make(name)
    most = 100 if name == "sendgrid" else 50
    before = {site.add(f"theirs {number}")[0] for number in range(most - 1)}
    assert "ChangeRefused" in app.refuse()
    assert before < set(site.keys)
    for made in list(before)[:10]:
        del site.keys[made]
    app.run()
    for _ in range(8):
        app.step("createSecret", app.begin())  # abandoned: the label goes on to the next
    assert len(site.keys) == most - 1 + 1 - 10 + 1 + 8
    site.add("the last place")
    monkeypatch.setattr(key_room, "ABANDONED", 0.0)
    app.step("createSecret", app.begin())
    assert len(site.keys) <= most
    assert site.holds(app.value("AWSPENDING"))
    assert site.holds(app.value())
