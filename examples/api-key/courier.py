"""A courier with an API and keys for it: what `providers/courier.toml` describes, as a real HTTP service on this machine."""

from __future__ import annotations

import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

PAGE = 2


@dataclass
class Key:
    """A key, which is shown once; `known` is when the courier's servers have all heard of it."""

    label: str
    rights: list[str]
    value: str = field(default_factory=lambda: f"ck_{secrets.token_hex(20)}")
    known: float = field(default_factory=time.monotonic)


class Courier:
    """
    The service.

    Attributes:
        keys: by id.
        most: how many there may be.
        late: seconds until a new key is known everywhere.
    """

    def __init__(self, *, most: int = 3, late: float = 0.0) -> None:
        self.keys: dict[str, Key] = {}
        self.most, self.late = most, late
        self._lock = threading.Lock()
        courier = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, said = courier.answer(self.command, self.path, self.headers["authorization"] or "", body)
                text = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def issue(self, label: str, rights: list[str]) -> tuple[str, str]:
        """Make a key, and return its id and itself."""
        name, key = f"k{secrets.token_hex(4)}", Key(label, rights, known=time.monotonic() + self.late)
        self.keys[name] = key
        return name, key.value

    def opens(self, value: str) -> bool:
        """Say whether a key works."""
        return any(key.value == value and key.known <= time.monotonic() for key in self.keys.values())

    def answer(self, method: str, target: str, authorization: str, body: bytes) -> tuple[int, Any]:
        """Answer a request."""
        parts = urlsplit(target)
        with self._lock:
            if not self.opens(authorization.removeprefix("Bearer ")):
                return 401, {"error": "unknown key"}
            _, kind, *rest = parts.path.split("/")
            if (method, kind) == ("GET", "parcels"):
                return 200, {"parcels": []}
            if kind == "keys":
                return self._keys(method, rest[0] if rest else "", parse_qs(parts.query), body)
            return 404, {"error": "no such thing"}

    def _keys(self, method: str, name: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        if method == "POST":
            if len(self.keys) >= self.most:
                return 409, {"error": f"{self.most} keys at most"}
            asked = json.loads(body)
            made, value = self.issue(asked["label"], asked["rights"])
            return 201, {"id": made, "key": value}
        if not name:
            names = sorted(self.keys)
            after = query.get("after", [""])[0]
            page = [each for each in names if each > after][:PAGE]
            listed = [{"id": each, "label": self.keys[each].label} for each in page]
            return 200, {"keys": listed, "next": page[-1] if page and page[-1] != names[-1] else None}
        if name not in self.keys:
            return 404, {"error": "no such key"}
        if method == "DELETE":
            del self.keys[name]
            return 200, {}
        return 200, {"id": name, "label": self.keys[name].label, "rights": self.keys[name].rights}
