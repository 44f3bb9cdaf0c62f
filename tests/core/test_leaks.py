"""Law 9: canaries in every value, and nothing of them in anything that is written."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import traceback
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators import HookFailed, Rotation, RotationRefused, Rotator, Secret, SecretStore
from rotators.errors import scrub
from rotators.testing import Endpoint, rotation_event
from tests.core.test_guards import Stage

if TYPE_CHECKING:
    from rotators.testing import SecretsManager

CANARY = "leak-c4n4ry-Pa55"
TOKEN = "leak-c4n4ry-rotation-token-0123456789"


class Leaky(Rotator):
    """Raises what a driver or a provider's client might."""

    def set(self, rotation: Rotation) -> None:
        try:
            raise KeyError(f"inner {rotation.pending['password']}")
        except KeyError as error:
            raise ValueError(f"outer {rotation.pending['password']} {rotation.current['key']}") from error

    def test(self, secret: Secret) -> None:
        raise RotationRefused(f"mine, with {secret['password']}")


def test_a_strangers_exception_is_scrubbed(service: SecretsManager, caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(service)
    stage.client.put_secret_value(
        SecretId=stage.arn, SecretString=json.dumps({"password": "x", "key": CANARY + "-key"})
    )
    service.put_placeholder(stage.arn, stage.token)
    stage.client.put_secret_value(
        SecretId=stage.arn,
        ClientRequestToken=stage.token,
        SecretString=json.dumps({"password": CANARY, "key": CANARY + "-key"}),
        VersionStages=["AWSPENDING"],
    )
    rotator = Leaky(store=SecretStore(service.client()))
    with pytest.raises(HookFailed, match=r"ValueError: outer \*\*\* \*\*\* at test_leaks.py:\d+ in set") as caught:
        rotator(rotation_event("setSecret", stage.arn, stage.token, TOKEN))
    assert caught.value.retryable
    with pytest.raises(RotationRefused, match=r"mine, with \*\*\*") as refused:
        rotator(rotation_event("testSecret", stage.arn, stage.token, TOKEN))
    for error in (caught.value, refused.value):
        assert error.__cause__ is None
        assert error.__context__ is None
        assert CANARY not in "".join(traceback.format_exception(error))
    assert CANARY not in caplog.text
    assert TOKEN not in caplog.text


def test_the_longest_secret_is_scrubbed_first() -> None:
    assert scrub("abcdef abc", ["abc", "abcdef", ""]) == "*** ***"


PROGRAM = """
import logging, sys, json
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
logging.getLogger().setLevel(logging.DEBUG)
from rotators.handlers.postgres import handler
for event in json.load(sys.stdin):
    try:
        handler(event)
    except Exception as error:
        logging.exception("failed")
        print(repr(error), vars(error))
"""


@pytest.mark.parametrize("powertools", [{}, {"POWERTOOLS_LOG_LEVEL": "DEBUG", "POWERTOOLS_LOGGER_LOG_EVENT": "true"}])
def test_a_real_process_at_the_chattiest_level(service: SecretsManager, powertools: dict[str, str]) -> None:
    """botocore at DEBUG writes whole requests and answers; not here."""
    client = service.client()
    value = {
        "engine": "postgres",
        "host": "127.0.0.1",
        "port": 1,
        "username": "app",
        "password": CANARY,
        "note": CANARY,
    }
    arn = client.create_secret(Name="leak", SecretString=json.dumps(value))["ARN"]
    token = str(uuid.uuid4())
    service.put_placeholder(arn, token)
    service.account.strict_rotation_token = False
    with Endpoint(service) as url:
        environment = {
            "PATH": "/usr/bin:/bin",
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": url,
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "y",
            "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
            "POWERTOOLS_LOG_LEVEL": "DEBUG",
            **powertools,
        }
        steps: list[Any] = [
            rotation_event(s, arn, token, TOKEN) for s in ("createSecret", "setSecret", "testSecret", "finishSecret")
        ]
        events = [
            *steps,
            [CANARY],
            {"Step": CANARY, "SecretId": arn, "ClientRequestToken": token, "RotationToken": TOKEN},
        ]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], input=json.dumps(events), env=environment,
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
    pending = json.loads(client.get_secret_value(SecretId=arn, VersionStage="AWSPENDING")["SecretString"])["password"]
    said = done.stdout + done.stderr
    assert "createSecret succeeded" in said
    assert "nothing listens there" in said
    assert pending not in said
    assert TOKEN not in said
    assert CANARY not in said.replace(f"Step {CANARY!r}", "").replace(f'"Step":"{CANARY}"', "")
    events_written = said.count('"RotationToken":"***"}')
    assert events_written == (5 if "POWERTOOLS_LOGGER_LOG_EVENT" in powertools else 0)


def test_the_log_line_of_a_step(service: SecretsManager, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stage = Stage(service)
    service.put_placeholder(stage.arn, stage.token)
    stage.rotator(rotation_event("createSecret", stage.arn, stage.token))
    line = next(record for record in caplog.records if record.getMessage() == "createSecret succeeded")
    assert vars(line)["step"] == "createSecret"
    assert vars(line)["secret_id"] == stage.arn
    assert vars(line)["version"] == stage.token
    assert vars(line)["standing"] == "pending"
    assert vars(line)["verdict"] == "run"
    assert vars(line)["calls"] == 5
    assert vars(line)["duration_ms"] > 0
