"""The engine of docs/proving.md, as it stands there, against a real HTTP service, under the whole contract."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing import SecretsManager, rotate
from tests.docs.test_docs import BLOCK, ROOT
from tests.world import Stored

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION = (ROOT / "docs/proving.md").read_text().split("## An engine of your own")[1].split("\n## ")[0]


class Service:
    """Users and their passwords; `admin` may change all of them, everybody else the own one."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.refused = 0
        service = self

        class Requests(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(service.answer(self.path, asked))
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign] # the connections that are cut
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, path: str, asked: dict[str, str]) -> int:
        if self.passwords.get(asked["username"]) != asked["password"]:
            self.refused += 1
            return 401
        if path == "/login":
            return 200
        if asked["username"] not in {"admin", asked["user"]}:
            return 403
        if asked["user"] not in self.passwords:
            return 404
        self.passwords[asked["user"]] = asked["to"]
        return 200


@pytest.fixture
def gate() -> Iterator[Service]:
    gate = Service()
    yield gate
    gate.server.shutdown()
    gate.server.server_close()


for _, code in BLOCK.findall(SECTION):
    exec(compile(code, "proving.md", "exec"), globals())


def test_it_is_a_handler(gate: Service, service: SecretsManager) -> None:
    target = globals()["GateTarget"](gate)
    stored = Stored(service, globals()["Gate"](), target.account("app", "the first"), {})
    for _ in range(2):
        assert rotate(service, stored.arn).succeeded
        assert target.opens(stored.value())
    assert gate.refused == 0
