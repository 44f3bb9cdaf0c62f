"""Each HTTP client sends a request again when its key was rotated."""

from __future__ import annotations

import asyncio
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import httpx
import requests

from rotators.consumer import CachedSecret, api_key, kept
from rotators.consumer.httpx import Auth as HttpxAuth
from rotators.consumer.requests import Auth as RequestsAuth
from rotators.consumer.urllib3 import Pool

if TYPE_CHECKING:
    from tests.consumer.conftest import Versions


class Site(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = {self.headers.get("Authorization"), self.headers.get("X-Key")}
        self.send_response(200 if said & {"Bearer two", "two"} else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


async def by_httpx(url: str, secret: CachedSecret) -> tuple[int, bytes]:
    async with httpx.AsyncClient(auth=HttpxAuth(secret)) as client:
        answer = await client.post(url, content=b"order")
        return answer.status_code, answer.content


def test_every_client_goes_on_with_the_new_key(versions: Versions) -> None:
    server = HTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    secrets = [versions.cached() for _ in range(4)]
    for secret in secrets:
        secret.get()
    versions.put("two")
    time.sleep(kept.EVERY)
    try:
        with requests.post(url, data=b"order", auth=RequestsAuth(secrets[0]), timeout=10) as one:
            assert (one.status_code, one.content) == (200, b"order")
        with httpx.Client(auth=HttpxAuth(secrets[1], api_key("X-Key"))) as client:
            assert client.post(url, content=b"order").status_code == 200
        assert asyncio.run(by_httpx(url, secrets[2])) == (200, b"order")
        with Pool(secrets[3]) as pool:
            assert pool.request("POST", url, body=b"order").status == 200
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
