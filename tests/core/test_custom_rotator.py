"""The rotator of the README, against a real HTTP service on loopback, under the whole contract."""

from __future__ import annotations

import importlib.util
import json
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rotators import HookFailed, Rotation, Rotator, Secret, SecretStore, TargetUnreachable
from rotators.lab.ports import free_port
from rotators.testing import SecretsManager, rotation_event
from rotators.testing.contract import RotatorContract

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "examples" / "custom" / "relay.py"


def relay_class() -> type[Rotator]:
    spec = importlib.util.spec_from_file_location("relay", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    relay: type[Rotator] = module.Relay
    return relay


class Service:
    """A relay: one key opens it, and whoever holds it may set another."""

    def __init__(self) -> None:
        self.key = "first-key-Canary"
        self.down = False
        self.refused = 0
        service = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                right = self.headers["authorization"] == f"Bearer {service.key}"
                service.refused += not right
                status = 503 if service.down else 200 if right else 401
                if status == 200 and self.command == "PUT":
                    service.key = json.loads(body)["key"]
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_PUT = answer  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


class RelaySubject:
    """The relay's key in a secret."""

    def __init__(self, service: SecretsManager, relay: Service) -> None:
        self.service = service
        self.relay = relay
        self.handler: Any = None
        self.new_sandbox()
        client = service.client()
        value = {"url": relay.url, "password": relay.key, "note": "kept"}
        self.arn: str = client.create_secret(Name=f"relay/{uuid.uuid4()}", SecretString=json.dumps(value))["ARN"]
        function = service.add_function(f"relay-{uuid.uuid4().hex}", self.handle)
        client.rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=function,
            RotationRules={"AutomaticallyAfterDays": 9},
            RotateImmediately=False,
        )
        service.wait(self.arn, 20)

    def new_sandbox(self) -> None:
        self.handler = relay_class()(store=SecretStore(self.service.client()))

    def handle(self, event: Any, context: Any) -> None:
        self.handler(event, context)

    def opens(self, value: dict[str, Any]) -> bool:
        return bool(value["password"] == self.relay.key)

    def elsewhere(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "url": value["url"] + "/other"}

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.relay.down = True
        yield
        self.relay.down = False

    def rejections(self) -> int:
        return self.relay.refused


class TestRelay(RotatorContract):
    """Ten lines keep every law."""

    @pytest.fixture
    def subject(self, service: SecretsManager) -> Iterator[RelaySubject]:
        relay = Service()
        yield RelaySubject(service, relay)
        relay.server.shutdown()
        relay.server.server_close()


def test_nobody_listens(service: SecretsManager) -> None:
    """urllib3's own exception is an outage, not a bug in the hook."""
    relay = Service()
    subject = RelaySubject(service, relay)
    relay.server.shutdown()
    relay.server.server_close()
    nobody = json.dumps({"url": f"http://127.0.0.1:{free_port('127.0.0.1')}/", "password": "x"})
    service.client().put_secret_value(SecretId=subject.arn, SecretString=nobody)
    token = str(uuid.uuid4())
    service.put_placeholder(subject.arn, token)
    subject.handler(rotation_event("createSecret", subject.arn, token))
    with pytest.raises(TargetUnreachable, match=r"NewConnectionError.*at relay.py:\d+ in call") as caught:
        subject.handler(rotation_event("setSecret", subject.arn, token))
    assert caught.value.cause == "network"


def test_the_rotator_of_the_readme_is_this_one() -> None:
    code = SOURCE.read_text().split('"""', 2)[2].split("from __future__ import annotations\n", 1)[1].strip()
    assert code in (ROOT / "README.md").read_text()


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
