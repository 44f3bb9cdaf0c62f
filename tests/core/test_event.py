"""The event's shape is checked first, with one error that names what is wrong."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from rotators import RotationRefused
from rotators.event import RotationEvent

GOOD = {"Step": "setSecret", "SecretId": "arn:aws:secretsmanager:x", "ClientRequestToken": "a" * 36}
TOKEN = "rotation-token-canary-0123456789abcdef"


@pytest.mark.parametrize(
    "event, said",
    [
        (None, "not a JSON object but null"),
        ([], "not a JSON object but a list"),
        ([GOOD], "not a JSON object but a list"),
        (7, "not a JSON object but a number"),
        (True, "not a JSON object but true or false"),
        ("createSecret", "not a JSON object but a string"),
        ({}, "has no Step and no SecretId and no ClientRequestToken"),
        ({"Records": []}, "has no Step"),
        ({**GOOD, "Step": None}, "has no Step;"),
        ({**GOOD, "SecretId": None}, "has no SecretId;"),
        ({**GOOD, "ClientRequestToken": None}, "has no ClientRequestToken;"),
        ({**GOOD, "Step": 1}, "Step in the event must be a non-empty string, not a number"),
        ({**GOOD, "Step": ""}, "Step in the event must be a non-empty string, not an empty string"),
        ({**GOOD, "SecretId": ["x"]}, "SecretId in the event must be a non-empty string, not a list"),
        ({**GOOD, "SecretId": {}}, "SecretId in the event must be a non-empty string, not an object"),
        ({**GOOD, "ClientRequestToken": True}, "ClientRequestToken in the event must be a non-empty string"),
        ({**GOOD, "RotationToken": 5}, "RotationToken in the event must be a non-empty string, not a number"),
        ({**GOOD, "Step": "create_secret"}, "did you mean createSecret"),
        ({**GOOD, "Step": "set_secret"}, "did you mean setSecret"),
        ({**GOOD, "Step": "test-secret"}, "did you mean testSecret"),
        ({**GOOD, "Step": "FINISHSECRET"}, "did you mean finishSecret"),
        ({**GOOD, "Step": "dropSecret"}, "it is one of createSecret, setSecret, testSecret, finishSecret"),
    ],
)
def test_a_bad_event_is_refused(event: Any, said: str) -> None:
    with pytest.raises(RotationRefused) as caught:
        RotationEvent.parse(event)
    assert said in str(caught.value)


def test_a_mapping_will_do() -> None:
    assert RotationEvent.parse(MappingProxyType(GOOD)).step == "setSecret"


def test_the_rotation_token_is_silent() -> None:
    event = RotationEvent.parse({**GOOD, "RotationToken": TOKEN})
    assert event.token is not None
    assert event.token.reveal() == TOKEN
    assert TOKEN not in repr(event)
    with pytest.raises(RotationRefused) as caught:
        RotationEvent.parse({**GOOD, "Step": "nope", "RotationToken": TOKEN})
    assert TOKEN not in str(caught.value)
