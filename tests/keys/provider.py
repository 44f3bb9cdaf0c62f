"""A provider of keys over real HTTP, with the quirks of real ones, and what speaks to it."""

from __future__ import annotations

import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3

from rotators import ChangeRefused, CredentialRejected, Secret, TargetUnreachable
from rotators.abc import Key

http = urllib3.PoolManager(timeout=5.0, retries=False)


class Provider:
    """
    Keys that are shown once.

    Attributes:
        most: how many there may be.
        late: seconds until a new key is known.
        fails_after: requests that do their work and then answer 500, counted down.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.keys: dict[str, dict[str, Any]] = {}
        self.most, self.late, self.fails_after = 1000, 0.0, 0
        self.refused = 0
        self.down = False
        provider = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, said = provider.handle(self.command, self.path, self.headers["authorization"], body)
                text = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def add(self, name: str) -> tuple[str, str]:
        """Make a key as a person would, by hand."""
        made, key = f"id-{secrets.token_hex(4)}", f"key-{secrets.token_hex(16)}"
        self.keys[made] = {"name": name, "key": key, "from": time.monotonic()}
        return made, key

    def opens(self, key: str) -> bool:
        return any(entry["key"] == key and entry["from"] <= time.monotonic() for entry in self.keys.values())

    def handle(self, method: str, path: str, authorization: str, body: bytes) -> tuple[int, Any]:
        with self.lock:
            if self.down:
                return 503, {}
            if not self.opens(authorization.removeprefix("Bearer ")):
                self.refused += 1
                return 401, {}
            status, said = self.work(method, path, body)
            if method != "GET" and self.fails_after:
                self.fails_after -= 1
                return 500, {}
            return status, said

    def work(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        if method == "POST":
            if len(self.keys) >= self.most:
                return 409, {"error": "too many keys"}
            made, key = self.add(json.loads(body)["name"])
            self.keys[made]["from"] += self.late
            return 201, {"id": made, "key": key}
        if method == "DELETE":
            return (200, {}) if self.keys.pop(path.rpartition("/")[2], None) else (404, {})
        return 200, [{"id": made, "name": entry["name"]} for made, entry in self.keys.items()]


class Speaks:
    """What a `KeyRotator` needs to know of it."""

    name = "provider"

    def __init__(self, *, most: int | None = None, settles: float = 0.0) -> None:
        self.most, self.settles = most, settles

    def resource(self, secret: Secret) -> dict[str, str]:
        return {"url": str(secret["url"])}

    def key_of(self, secret: Secret) -> str:
        return str(secret.get("key_id", ""))

    def test(self, secret: Secret) -> None:
        self._call("GET", "/keys", secret)

    def keys(self, *, by: Secret, like: Secret) -> list[Key]:
        return [Key(entry["id"], entry["name"]) for entry in self._call("GET", "/keys", by)]

    def issue(self, name: str, *, by: Secret, like: Secret) -> Secret:
        made = self._call("POST", "/keys", by, {"name": name})
        return like.replace(key_id=made["id"], key=made["key"])

    def revoke(self, key: str, *, by: Secret, like: Secret) -> None:
        self._call("DELETE", f"/keys/{key}", by)

    def _call(self, method: str, path: str, by: Secret, body: dict[str, str] | None = None) -> Any:
        answer = http.request(method, by["url"] + path, json=body, headers={"authorization": f"Bearer {by['key']}"})
        if answer.status == 401:
            raise CredentialRejected("the provider refused the key")
        if answer.status == 409:
            raise ChangeRefused("the provider has no room for a key")
        if answer.status >= 500:
            raise TargetUnreachable(f"the provider answered {answer.status}")
        return answer.json()
