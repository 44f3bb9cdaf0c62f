"""The worked example: what its description says happens, over real HTTP, with everything going wrong that can."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from rotators import CredentialRejected, Step, TargetUnreachable, key_room
from rotators.testing import resume, rotate, rotation_event
from rotators.testing.context import LambdaContext
from rotators.testing.contract import RotatorContract
from tests.api_key.courier import DESCRIPTION, EXAMPLE, Courier
from tests.api_key.holder import Holder, rotator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.testing import SecretsManager


@pytest.fixture
def courier() -> Iterator[Courier]:
    made = Courier()
    yield made
    made.close()


@pytest.fixture
def app(service: SecretsManager, courier: Courier) -> Holder:
    return Holder(service, courier, rotator(DESCRIPTION), courier.value())


class TestCourier(RotatorContract):
    asking = (Step.TEST, Step.FINISH)

    @pytest.fixture
    def subject(self, app: Holder, monkeypatch: pytest.MonkeyPatch) -> Holder:
        monkeypatch.setattr(
            key_room, "ABANDONED", 0.3
        )  # nobody is about to store anything: the contract's process is dead
        return app


def test_the_example_runs() -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLE / "rotate.py"], capture_output=True, text=True, timeout=60, check=True
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines[2:]] == [["rotation", str(number)] for number in range(1, 5)]
    for line in lines[2:]:
        current, previous, *keys = (word.strip(",") for word in line[2:])
        assert {current, previous} <= set(keys)
    assert done.stderr == ""


def test_a_new_key_is_known_late(app: Holder, courier: Courier) -> None:
    courier.courier.late = 1.2
    assert rotate(app.service, app.arn).succeeded
    assert courier.holds(app.value())


def test_too_late_is_retryable(app: Holder, courier: Courier) -> None:
    courier.courier.late = 3600.0
    token = app.begin()
    app.step("createSecret", token)
    begun = time.monotonic()
    with pytest.raises(CredentialRejected) as caught:
        app.handler(rotation_event("testSecret", app.arn, token), LambdaContext(timeout=4))
    assert caught.value.retryable
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize("wait", ["0", "1", "date", None])
def test_it_is_asked_too_often(app: Holder, courier: Courier, wait: str | None) -> None:
    """Retry-After in seconds or as a date is obeyed; without one there is a pause."""
    from email.utils import formatdate

    said = formatdate(time.time() + 2, usegmt=True) if wait == "date" else wait
    courier.busy = [(429, {} if said is None else {"retry-after": said})] * 2 + [(503, {"retry-after": "0"})]
    begun = time.monotonic()
    assert rotate(app.service, app.arn).succeeded
    assert not courier.busy
    least = {"0": 0.0, "1": 2.0, "date": 0.5, None: 2.5}[wait]
    assert time.monotonic() - begun >= least


def test_it_asks_to_wait_for_longer_than_there_is(app: Holder, courier: Courier) -> None:
    courier.busy = [(429, {"retry-after": "600"})]
    begun = time.monotonic()
    with pytest.raises(TargetUnreachable, match="to wait 600 s: longer than this step has") as caught:
        app.step("createSecret", app.begin())
    assert caught.value.retryable
    assert caught.value.cause == "busy"
    assert time.monotonic() - begun < 5
    assert len(courier.ids()) == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (302, "redirects are not followed, as the key would go with them"),
        (403, "the key has not the right to do it"),
        (404, "'url' or 'path' is another than the provider's"),
        (418, "see the provider's reference"),
        (500, "courier is not well (HTTP 500 to [list] GET /keys)"),
        (503, "courier is not well (HTTP 503"),
    ],
)
def test_other_answers(app: Holder, courier: Courier, status: int, said: str) -> None:
    elsewhere = {"location": f"{courier.url}/elsewhere"} if status == 302 else {}
    courier.busy = [(status, elsewhere)]
    seen = len(courier.seen)
    told = app.refuse()
    assert said in told
    assert ("TargetUnreachable" in told) == (status >= 500)
    assert len(courier.seen) == seen + 1
    assert "elsewhere" not in courier.seen[-1].path


def test_a_list_that_goes_on_elsewhere(service: SecretsManager, courier: Courier, tmp_path: Any) -> None:
    """The next page's URL comes with the answer: the key goes to no other host."""
    text = DESCRIPTION.read_text().replace('next = { at = "/next", query = "after" }', 'next = { at = "/next" }')
    path = tmp_path / "courier.toml"
    path.write_text(text)
    app = Holder(service, courier, rotator(path), courier.value())
    answer = courier.courier.answer
    for following in ("https://evil.example/keys", "//evil.example/keys"):
        courier.courier.answer = lambda *asked, following=following: (
            (200, {"keys": [{"id": "x", "label": "y"}], "next": following}) if asked[1] == "/keys" else answer(*asked)
        )
        assert "names a next page at another host; it was not asked" in app.refuse()


def test_a_list_without_an_end(app: Holder, courier: Courier) -> None:
    answer = courier.courier.answer
    courier.courier.answer = lambda *asked: (
        (200, {"keys": [{"id": "x", "label": "y"}], "next": "x"})
        if asked[1].startswith("/keys?") or asked[1] == "/keys"
        else answer(*asked)
    )
    assert "lists keys without an end" in app.refuse()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": None}, "'url' in the secret is missing"),
        ({"url": "ftp://127.0.0.1"}, "makes no URL of '{secret.url}'"),
        ({"url": "http://user@127.0.0.1"}, "makes no URL of"),
        ({"url": "http://127.0.0.1/?a=b"}, "makes no URL of"),
        ({"url": "http://api.example.com"}, "keys would be sent unencrypted"),
        ({"api_key": None}, "'api_key' in the secret is missing"),
        ({"api_key": ["CANARY"]}, "'api_key' in the secret is not a string"),
        ({"api_key": "CANARY\r\nx-evil: 1"}, "control character, which the header Authorization can't carry"),
        ({"api_key": "CANARY\u2028"}, "not Latin-1"),
        ({"key_id": None}, "'key_id' is missing in the secret"),
        ({"provider": "courier", "url": "http://127.0.0.1:1"}, "nothing listens there"),
    ],
)
def test_bad_secrets(app: Holder, courier: Courier, changes: dict[str, Any], said: str) -> None:
    seen = len(courier.seen)
    told = app.refuse(**changes)
    assert said in told
    assert "CANARY" not in told
    assert len(courier.ids()) == 1
    assert all(asked.method == "GET" for asked in courier.seen[seen:])


def test_an_id_is_no_way_to_another_path(app: Holder, courier: Courier) -> None:
    """What a secret holds is quoted in a path: it names a key, or none."""
    app.refuse(key_id="../parcels?x=1#")
    assert courier.seen[-1].path == "/keys/../parcels?x=1#"  # as one segment, unquoted by the server
    assert courier.seen[-1].query == {}


def test_nobody_speaks_tls_there(app: Holder, courier: Courier) -> None:
    told = app.refuse(url=courier.url.replace("http:", "https:"))
    assert "the TLS handshake failed or the certificate is not trusted" in told


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_no_key_is_told(
    app: Holder, courier: Courier, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], level: int
) -> None:
    """Law 9: not in a log at DEBUG, urllib3's own included, and not in an error that quotes the request."""
    caplog.set_level(level)
    logging.getLogger("urllib3").setLevel(level)
    assert rotate(app.service, app.arn).succeeded
    courier.fails_after = 2
    assert not rotate(app.service, app.arn).succeeded
    resume(app.service, app.arn)
    told = caplog.text + "".join(capfd.readouterr())
    assert len(courier.ever) > 2
    assert not [value for value in courier.ever if value in told]
    assert "CANARY" not in told


def test_secrets_manager_is_asked_as_little_as_elsewhere(app: Holder) -> None:
    assert rotate(app.service, app.arn).succeeded
    app.service.calls.clear()
    assert rotate(app.service, app.arn).succeeded
    assert len(app.service.calls) <= 13, [call.operation for call in app.service.calls]
    assert json.dumps([call.operation for call in app.service.calls])
