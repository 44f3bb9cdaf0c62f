"""The code of docs/write-your-own.md, as it stands there, against a real HTTP service."""

from __future__ import annotations

import json
import re
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from rotators import ChangeRefused, CredentialRejected, SecretError, SecretStore, TargetUnreachable
from rotators.cli.new import KINDS, rendered
from rotators.cli.project_name import ProjectName
from rotators.testing import Outcome, SecretsManager, resume, rotate
from tests.cli.project import Project
from tests.docs.test_docs import BLOCK, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = (ROOT / "docs/write-your-own.md").read_text()
NAMES: dict[str, Any] = {"StandIn": object}  # in the project, imported from the file beside the test
for language, code in BLOCK.findall(PAGE):
    if language == "python":
        exec(compile(code, "write-your-own.md", "exec"), NAMES)


class Service:
    """Keys; whoever holds one may set, add, remove, issue, list and revoke. Scopes are the same for all, until they are not."""

    def __init__(self) -> None:
        self.keys = {"id-0": "the-first-key"}
        self.names = {"id-0": "by hand"}
        self.scopes: dict[str, list[str]] = {}
        self.down = False
        self.refused = 0
        service = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                said = json.loads(body) if body else {}
                status, answered = service.answer(self.command, self.path, self.headers["authorization"], said)
                text = json.dumps(answered).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def answer(self, method: str, path: str, authorization: str, said: dict[str, str]) -> tuple[int, Any]:
        key = authorization.removeprefix("Bearer ")
        if self.down:
            return 503, {}
        if key not in self.keys.values():
            self.refused += 1
            return 401, {}
        match method, path.removeprefix("/hook"):
            case "GET", "/scopes":
                return 200, self.scopes.get(key, ["read", "write"])
            case "GET", "/keys":
                return 200, [{"id": made, "name": self.names[made]} for made in self.keys]
            case "POST", "/keys":
                made = f"id-{secrets.token_hex(4)}"
                self.keys[made], self.names[made] = secrets.token_hex(16), said["name"]
                return 201, {"id": made, "key": self.keys[made]}
            case "PUT", "":
                self.keys = {"id-0": said["key"]}
            case "POST", "":
                self.keys[said["key"]] = said["key"]
            case "DELETE", "":
                self.keys = {made: one for made, one in self.keys.items() if one != said["key"]}
            case "DELETE", one:
                return (200, {}) if self.keys.pop(one.rpartition("/")[2], None) else (404, {})
        return 200, {}


class Kept:
    """A secret with a rotator of the page's."""

    def __init__(self, service: SecretsManager, name: str, value: str | bytes) -> None:
        self.service = service
        self.client = service.client()
        stored: dict[str, Any] = {"SecretString": value} if isinstance(value, str) else {"SecretBinary": value}
        self.arn: str = self.client.create_secret(Name=name, **stored)["ARN"]
        store = SecretStore(self.client)
        provider = NAMES[name]
        self.handler = (
            NAMES["KeyRotator"](provider(), store=store) if hasattr(provider, "issue") else provider(store=store)
        )

    def rotate(self) -> Outcome:
        return rotate(self.service, self.arn, self.handler)

    def value(self, label: str = "AWSCURRENT") -> Any:
        answer = self.client.get_secret_value(SecretId=self.arn, VersionStage=label)
        text = answer.get("SecretString")
        if text is None:
            return answer["SecretBinary"]
        return json.loads(text) if text.startswith("{") else text


@pytest.fixture
def relay() -> Iterator[Service]:
    relay = Service()
    yield relay
    relay.server.shutdown()
    relay.server.server_close()


def keyed(relay: Service, **more: str) -> str:
    return json.dumps({"url": relay.url, "password": "the-first-key", "note": "kept", **more})


def same_code(mine: str, other: str) -> bool:
    def bare(text: str) -> list[str]:
        lines = [line.split("  # noqa")[0] for line in text.splitlines()]
        return [
            line for line in lines if line.strip() and not line.startswith(("from ", "import ", '    """', "handler"))
        ]

    return [line for line in bare(mine) if line not in bare(other)] == []


@pytest.mark.parametrize("kind, name", [("password", "Relay"), ("plain", "PlainRelay"), ("key", "KeyRelay")])
def test_what_is_shown_is_what_is_written(kind: str, name: str, tmp_path: Path) -> None:
    files = rendered(ProjectName.of("relay"), kind=kind, runtime="python3.13", directory=tmp_path)
    (block,) = [code for _, code in BLOCK.findall(PAGE) if re.search(rf"^class {name}\b", code, re.MULTILINE)]
    written = files["function/relay.py"].split('"""', 2)[2].replace("class Relay", f"class {name}")
    assert same_code(written.split("http = ")[-1].split("\n", 1)[1], block)
    assert f"| `{kind}` |" in PAGE
    assert f"{kind}" in KINDS


@pytest.mark.parametrize("name", ["Relay", "HexRelay", "TenantRelay"])
def test_it_rotates(name: str, service: SecretsManager, relay: Service) -> None:
    kept = Kept(service, name, keyed(relay, tenant="a"))
    for _ in range(2):
        outcome = kept.rotate()
        assert outcome.succeeded, outcome.error
        assert list(relay.keys.values()) == [kept.value()["password"]]
    assert kept.value()["note"] == "kept"
    assert relay.refused == 0
    if name == "HexRelay":
        assert len(bytes.fromhex(kept.value()["password"])) == 32


def test_what_is_raised_decides_what_happens(service: SecretsManager, relay: Service) -> None:
    kept = Kept(service, "Relay", keyed(relay))
    relay.down = True
    outcome = kept.rotate()
    assert isinstance(outcome.error, TargetUnreachable)
    assert outcome.error.retryable
    relay.down = False
    assert resume(service, kept.arn).succeeded
    relay.keys = {}
    outcome = kept.rotate()
    assert isinstance(outcome.error, CredentialRejected)
    assert not outcome.error.retryable


@pytest.mark.parametrize("name", ["TwoKeys", "ScopedRelay"])
def test_retire_ends_the_one_before_current(name: str, service: SecretsManager, relay: Service) -> None:
    kept = Kept(service, name, keyed(relay))
    for _ in range(3):
        outcome = kept.rotate()
        assert outcome.succeeded, outcome.error
        assert set(relay.keys.values()) == {kept.value(label)["password"] for label in ("AWSCURRENT", "AWSPREVIOUS")}


def test_another_tenant_is_another_target(service: SecretsManager, relay: Service) -> None:
    kept = Kept(service, "TenantRelay", keyed(relay, tenant="a"))
    token = "0f8c4d9e-5b1a-4c6e-9a37-2d1f7be0c5a4"
    service.put_placeholder(kept.arn, token)
    kept.client.put_secret_value(
        SecretId=kept.arn, ClientRequestToken=token, SecretString=keyed(relay, tenant="b"), VersionStages=["AWSPENDING"]
    )
    with pytest.raises(SecretError, match="'tenant' differ"):
        kept.handler({"Step": "setSecret", "SecretId": kept.arn, "ClientRequestToken": token})
    assert relay.keys == {"id-0": "the-first-key"}


def test_compare_names_the_difference(service: SecretsManager, relay: Service) -> None:
    kept = Kept(service, "ScopedRelay", keyed(relay))
    relay.scopes["the-first-key"] = ["read", "write", "admin"]
    outcome = kept.rotate()
    assert isinstance(outcome.error, ChangeRefused)
    assert "differ from the current one's: admin" in str(outcome.error)
    assert outcome.steps[-1].step == "testSecret"


@pytest.mark.parametrize("name, value", [("PlainRelay", "the-first-key"), ("BinaryRelay", b"\x00\xffthe-first-key")])
def test_without_keys(
    name: str, value: str | bytes, service: SecretsManager, relay: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAY_URL", relay.url)
    relay.keys = {"id-0": value if isinstance(value, str) else value.hex()}
    kept = Kept(service, name, value)
    for _ in range(2):
        outcome = kept.rotate()
        assert outcome.succeeded, outcome.error
        new = kept.value()
        assert type(new) is type(value)
        assert list(relay.keys.values()) == [new if isinstance(new, str) else new.hex()]


def test_keys_that_are_issued(service: SecretsManager, relay: Service) -> None:
    value = json.dumps({"url": relay.url, "key_id": "id-0", "key": "the-first-key"})
    kept = Kept(service, "KeyRelay", value)
    for _ in range(3):
        outcome = kept.rotate()
        assert outcome.succeeded, outcome.error
    held = {kept.value(label)["key_id"] for label in ("AWSCURRENT", "AWSPREVIOUS")}
    assert set(relay.keys) == {"id-0", *held}, "the one by hand is left; the one before previous is revoked"


def test_the_failure_that_is_shown_is_what_is_said(tmp_path: Path) -> None:
    """But for the ids of the versions."""
    project = Project.written(tmp_path / "relay")
    (hasty,) = re.findall(r"class Hasty\(Relay\):\n(.*?)```", PAGE, re.DOTALL)
    project.change("class Relay(Rotator):\n", f"class Relay(Rotator):\n{hasty}\n")
    told = project.tests("-k", "test_law_3_a_crash_at_every_call").stdout
    said = re.search(
        r"AssertionError: (law 2 broke.*?:CRASH_BEFORE)$", re.sub("(?m)^E {7}", "", told), re.DOTALL | re.MULTILINE
    )
    assert said is not None, told
    assert without_ids(said[1]) in without_ids(PAGE)


def without_ids(text: str) -> str:
    return re.sub(r"\([0-9a-f]{8}\)", "(…)", text)


def test_the_subject_that_is_shown_is_what_is_written(tmp_path: Path) -> None:
    written = Project.written(tmp_path / "relay").files()["test_relay.py"]
    (block,) = [code for _, code in BLOCK.findall(PAGE) if "class RelaySubject" in code]
    assert block[block.index("class RelaySubject") :] in written


def test_every_class_of_the_page_is_run_here() -> None:
    from pathlib import Path

    here = Path(__file__).read_text()
    shown = [line.split()[1].split("(")[0].strip(":") for line in PAGE.splitlines() if line.startswith("class ")]
    assert [name for name in shown if f'"{name}"' not in here and f"class {name}" not in here] == []
