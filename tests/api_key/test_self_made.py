"""Keys that we make ourselves and send: one at a time, or the old one beside it; and the overlaps that no known service has."""

from __future__ import annotations

import base64
import hashlib
import hmac
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing import resume, rotate
from rotators.testing.faults import Crash, Fault, Faults
from tests.api_key.holder import Holder, rotator
from tests.api_key.site import Asked, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rotators.testing import SecretsManager

    Make = Callable[..., tuple["Hooks", Holder]]

TOP = """
url = "{secret.url}"
overlap = "self-made"
"""
SECRET = """
[secret]
key = "signing_key"
same = ["hook"]
[draw]
form = "base64"
bytes = 24
prefix = "whsec_"
"""
ONE = """
[push]
path = "/hooks/{secret.hook}"
headers = { X-Key = "{current.signing_key}" }
json = { secrets = ["{secret.signing_key}"] }
"""
TWO = """
[push]
path = "/hooks/{secret.hook}"
headers = { X-Token = "{by.token}" }
json = { secrets = ["{secret.signing_key}", "{current.signing_key}"] }
"""
TEST = """
[test]
method = "POST"
path = "/hooks/{secret.hook}/ping"
headers = { X-Signature = "{signature}" }
sign = { key = "{secret.signing_key}", text = "ping {secret.hook}" }
expects = { "/pong/0" = "{secret.signing_key|sha256}" }
"""


class Hooks(Site):
    """A service that signs with what it is told, and knows a key by its signature."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets = ["whsec_first"]
        self.deaf = False
        self.token = "the-token"

    def holds(self, value: dict[str, Any]) -> bool:
        return value["signing_key"] in self.secrets

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.path == "/hooks/h1/ping":
            for secret in self.secrets:
                signed = base64.b64encode(hmac.digest(secret.encode(), b"ping h1", "sha256")).decode()
                if asked.headers["x-signature"] == signed:
                    return 200, {"pong": [hashlib.sha256(secret.encode()).hexdigest()]}
            return 401, {}
        if asked.path != "/hooks/h1":
            return 404, {}
        if asked.headers.get("x-token", self.token) != self.token:
            return 401, {}
        if "x-key" in asked.headers and asked.headers["x-key"] not in self.secrets:
            return 401, {}
        told = asked.json["secrets"]
        self.secrets = ["deaf to it", *told[1:]] if self.deaf and told[0] != "whsec_first" else told
        return 200, {}


@pytest.fixture
def make(service: SecretsManager, tmp_path: Path) -> Iterator[Make]:
    sites: list[Hooks] = []

    def made(text: str, **more: Any) -> tuple[Hooks, Holder]:
        site = Hooks()
        sites.append(site)
        path = tmp_path / "hooks.toml"
        path.write_text(text)
        value = {"url": site.url, "hook": "h1", "signing_key": "whsec_first", "note": 1, "provider": "hooks", **more}
        return site, Holder(service, site, rotator(path), value)

    yield made
    for site in sites:
        site.close()


@pytest.mark.parametrize("push", [ONE, TWO])
def test_four_rotations(make: Make, push: str) -> None:
    site, app = make(TOP + SECRET + push + TEST, token="the-token")
    for _ in range(4):
        before = app.value()
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        key = app.value()["signing_key"]
        assert site.secrets == ([key, before["signing_key"]] if push == TWO else [key])
        assert len(base64.b64decode(key.removeprefix("whsec_"), validate=True)) == 24
        assert list(app.value()) == list(before)


@pytest.mark.parametrize("push", [ONE, TWO])
@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.LOST_ANSWER])
def test_it_dies_at_every_call(make: Make, push: str, fault: Fault) -> None:
    """With one at a time, setSecret's retry finds current refused, and pending set already (law 4)."""
    _, app = make(TOP + SECRET + push + TEST, token="the-token")
    with Faults().installed() as faults:
        assert rotate(app.service, app.arn).succeeded
    for number in range(len(faults.seen)):
        site, app = make(TOP + SECRET + push + TEST, token="the-token")
        outcome: Any = None
        with Faults(number, fault).installed(), suppress(Crash):
            outcome = rotate(app.service, app.arn)
        app.new_sandbox()
        if push == TWO:
            assert site.holds(app.value())
        if outcome is None or not outcome.succeeded:
            assert resume(app.service, app.arn).succeeded, faults.seen[number]
        assert site.holds(app.value())


@pytest.mark.parametrize(("form", "length"), [("hex", 48), ("base64url", 32), ("password", 32)])
def test_what_a_key_looks_like(make: Make, form: str, length: int) -> None:
    site, app = make(TOP + SECRET.replace('"base64"', f'"{form}"') + TWO + TEST, token="the-token")
    assert rotate(app.service, app.arn).succeeded
    assert len(site.secrets[0].removeprefix("whsec_")) == length


def test_law_10_what_does_not_take_is_undone(make: Make) -> None:
    """The service says yes, and signs with something else."""
    site, app = make(TOP + SECRET + TWO + TEST, token="the-token")
    site.deaf = True
    outcome = rotate(app.service, app.arn)
    assert "does not accept it; the current one was put back" in str(outcome.error)
    assert site.holds(app.value())
    assert app.value()["signing_key"] == "whsec_first"


def test_a_key_that_can_not_be_tested(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Says so in every log."""
    untested = TOP + 'untestable = "the service tells nobody what it signs with"\n' + SECRET + TWO
    site, app = make(untested, token="the-token")
    assert rotate(app.service, app.arn).succeeded
    assert site.holds(app.value())
    assert caplog.text.count("the key was not tested: hooks.toml says the service tells nobody") >= 3


def test_the_service_refuses_who_asks(make: Make) -> None:
    site, app = make(TOP + SECRET + TWO + TEST, token="another token")
    outcome = rotate(app.service, app.arn)
    assert "hooks refused the key (HTTP 401 to [push] PUT /hooks/{secret.hook})" in str(outcome.error)
    assert site.secrets == ["whsec_first"]


REPLACE = """
url = "{secret.url}"
overlap = "replace"
headers = { Authorization = "Bearer {by.key}" }
[secret]
key = "key"
[issue]
path = "/rotate"
take = { key = "/key" }
[test]
path = "/"
"""


class Replaced(Site):
    """One key, which ends as the next is issued."""

    key = "key-0"

    def holds(self, value: dict[str, Any]) -> bool:
        return bool(value["key"] == self.key)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.bearer not in {self.key, "admin"}:
            return 401, {}
        if asked.path == "/rotate":
            self.key = f"key-{int(self.key.rpartition('-')[2]) + 1}"
            return 200, {"key": self.key}
        return 200, {}


@pytest.fixture
def replaced(service: SecretsManager, tmp_path: Path) -> Iterator[tuple[Replaced, Holder]]:
    site = Replaced()
    path = tmp_path / "replaced.toml"
    path.write_text(REPLACE)
    yield site, Holder(service, site, rotator(path), {"url": site.url, "key": "key-0", "provider": "replaced"})
    site.close()


def test_without_an_overlap(replaced: tuple[Replaced, Holder]) -> None:
    site, app = replaced
    for number in range(1, 4):
        assert rotate(app.service, app.arn).succeeded
        assert app.value()["key"] == site.key == f"key-{number}"


def test_without_an_overlap_a_lost_answer_is_lost(replaced: tuple[Replaced, Holder]) -> None:
    """No provider of this kind can be rotated safely; what is to be done is said."""
    site, app = replaced
    site.fails_after = 1
    assert not rotate(app.service, app.arn).succeeded
    outcome = resume(app.service, app.arn)
    assert "refused the key" in str(outcome.error)
    app.put(key=site.key)
    assert rotate(app.service, app.arn).succeeded
    assert site.holds(app.value())
