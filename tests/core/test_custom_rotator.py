"""The rotator of the README, which is examples/custom/function/relay.py. Its own tests are run by tests/examples."""

from __future__ import annotations

import importlib.util
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rotators import HookFailed, Rotation, Rotator, Secret, SecretStore, TargetUnreachable
from rotators.lab.ports import free_port
from rotators.testing import rotate, rotation_event

if TYPE_CHECKING:
    from rotators.testing import SecretsManager

ROOT = Path(__file__).parents[2]
CUSTOM = ROOT / "examples" / "custom"


def module(path: str) -> Any:
    spec = importlib.util.spec_from_file_location(Path(path).stem, CUSTOM / path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_it_rotates_against_its_stand_in(service: SecretsManager) -> None:
    client = service.client()
    with module("relay_stand_in.py").StandIn() as stand_in:
        first = stand_in.key
        arn = client.create_secret(Name="relay", SecretString=stand_in.secret())["ARN"]
        outcome = rotate(service, arn, module("function/relay.py").Relay(store=SecretStore(client)))
        assert outcome.succeeded, outcome.error
        value = json.loads(client.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"])
        assert stand_in.key == value["password"] != first
        assert value["note"]
        assert stand_in.rejections() == 0


def test_nobody_listens(service: SecretsManager) -> None:
    """urllib3's own exception is an outage, not a bug in the hook."""
    nobody = json.dumps({"url": f"http://127.0.0.1:{free_port('127.0.0.1')}/", "password": "x"})
    arn = service.client().create_secret(Name="relay", SecretString=nobody)["ARN"]
    token = str(uuid.uuid4())
    service.put_placeholder(arn, token)
    handler = module("function/relay.py").Relay(store=SecretStore(service.client()))
    handler(rotation_event("createSecret", arn, token))
    with pytest.raises(TargetUnreachable, match=r"NewConnectionError.*at relay.py:\d+ in call") as caught:
        handler(rotation_event("setSecret", arn, token))
    assert caught.value.cause == "network"


def test_the_rotator_of_the_readme_is_this_one() -> None:
    """But for blank lines: to the README's ruff the package is the author's own, to the example's it is another's."""
    source = (CUSTOM / "function/relay.py").read_text()
    code = source.split('"""', 2)[2].split("from __future__ import annotations\n", 1)[1]
    readme = (ROOT / "README.md").read_text()
    assert "\n".join(code.split("\n\n")).strip() in "\n".join(readme.split("\n\n"))


def test_a_bug_in_a_hook_is_named_and_retryable(service: SecretsManager) -> None:
    class Buggy(Rotator):
        def set(self, rotation: Rotation) -> None:
            _ = rotation.pending["no such key"]

        def test(self, secret: Secret) -> None:
            """Fine."""

    client = service.client()
    arn = client.create_secret(Name="buggy", SecretString='{"password": "x"}')["ARN"]
    token = str(uuid.uuid4())
    service.put_placeholder(arn, token)
    rotator = Buggy(store=SecretStore(client))
    rotator(rotation_event("createSecret", arn, token))
    with pytest.raises(HookFailed, match=r"KeyError: 'no such key' at test_custom_rotator.py:\d+ in set"):
        rotator(rotation_event("setSecret", arn, token))
