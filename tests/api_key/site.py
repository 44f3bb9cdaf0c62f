"""A service on this machine over real HTTP, with the troubles that real ones have; what it answers is a subclass's."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}

    @property
    def bearer(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def basic(self) -> tuple[str, str]:
        user, _, password = (
            base64.b64decode(self.headers.get("authorization", "").removeprefix("Basic ")).decode().partition(":")
        )
        return user, password


@dataclass
class Made:
    name: str
    value: str
    known: float = field(default_factory=time.monotonic)
    more: dict[str, Any] = field(default_factory=dict)


class Site:
    """
    Attributes:
        keys: by id.
        late: seconds until a new key is known.
        fails_after: how many changing requests do their work and then answer 500.
        busy: (status, headers) of the next answers, which do nothing.
        seen: the requests, in order.
        refused: how many had no valid key.
    """

    def __init__(self) -> None:
        self.keys: dict[str, Made] = {}
        self.most, self.late, self.fails_after = 10**6, 0.0, 0
        self.busy: list[tuple[int, dict[str, str]]] = []
        self.down = False
        self.refused = 0
        self.seen: list[Asked] = []
        self.lock = threading.Lock()
        site = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                parts = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                headers = {key.lower(): value for key, value in self.headers.items()}
                status, said, more = site.handle(Asked(self.command, unquote(parts.path), query, headers, body))
                text = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                for key, value in more.items():
                    self.send_header(key, value)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def handle(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        with self.lock:
            self.seen.append(asked)
            if self.down:
                return 503, {"error": "down"}, {}
            if self.busy:
                status, headers = self.busy.pop(0)
                return status, {"error": "slow down"}, headers
            status, said = self.answer(asked)
            self.refused += status == 401
            if asked.method != "GET" and status < 300 and self.fails_after:
                self.fails_after -= 1
                return 500, {"error": "sorry", "key": "CANARY-IN-A-BODY"}, {}
            return status, said, {}

    def answer(self, asked: Asked) -> tuple[int, Any]:
        raise NotImplementedError

    def add(self, name: str, **more: Any) -> tuple[str, str]:
        """Make a key, as a person would."""
        made, value = f"id{secrets.token_hex(4)}", f"key-{secrets.token_hex(16)}"
        self.keys[made] = Made(name, value, time.monotonic() + (self.late if name != "by hand" else 0), more)
        return made, value

    def opens(self, value: str) -> bool:
        return any(key.value == value and key.known <= time.monotonic() for key in self.keys.values())
