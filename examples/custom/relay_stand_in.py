"""A stand-in for the relay, over real HTTP on this machine: what the tests and local.py rotate against."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator


class StandIn:
    """One key opens it, and whoever holds that key may set another.

    address: where it listens
    host:    by which name a function reaches that, if not by the address
    """

    def __init__(self, address: str = "127.0.0.1", host: str = "") -> None:
        self.key = "the-first-key-of-the-relay"
        self._refused = 0
        self._down = False
        self._server = ThreadingHTTPServer((address, 0), _Request)
        self._server.daemon_threads = True
        self._server.stand_in = self  # type: ignore[attr-defined] # how a request finds it
        self.url = f"http://{host or address}:{self._server.server_port}/key"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def secret(self) -> str:
        """What somebody stores by hand, before the first rotation."""
        return json.dumps({"url": self.url, "password": self.key, "note": "other keys of a secret are kept"})

    def variables(self) -> dict[str, str]:
        """What the function's environment must say for it."""
        return {}

    def opens(self, value: dict[str, Any]) -> bool:
        """Whether a secret's value opens it, asked by other means than the rotator's."""
        return bool(value["url"] == self.url and value["password"] == self.key)

    def rejections(self) -> int:
        """How many requests it has refused so far, for their key."""
        return self._refused

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Answer 503 for as long as the block lasts."""
        self._down = True
        try:
            yield
        finally:
            self._down = False

    def answer(self, method: str, authorization: str, body: bytes) -> int:
        """Do what a request asks, and say with which status."""
        if self._down:
            return 503
        if authorization != f"Bearer {self.key}":
            self._refused += 1
            return 401
        if method == "PUT":
            self.key = json.loads(body)["key"]
        return 200


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        stand_in: StandIn = self.server.stand_in  # type: ignore[attr-defined]
        self.send_response(stand_in.answer(self.command, self.headers.get("authorization", ""), body))
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_PUT = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Silent."""
