"""Each HTTP client sends a request again when its key was rotated, and the key to nobody else."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests

from rotators.consumer import CachedSecret, api_key, basic, bearer, kept
from rotators.consumer.httpx import Auth as HttpxAuth
from rotators.consumer.requests import Auth as RequestsAuth
from rotators.consumer.urllib3 import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@contextmanager
def served(kind: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


def test_every_client_goes_on_with_the_new_key(versions: Versions) -> None:
    secrets = [versions.cached() for _ in range(4)]
    for secret in secrets:
        secret.get()
    versions.put("two")
    time.sleep(kept.EVERY)
    with served(Site) as url:
        with requests.post(url, data=b"order", auth=RequestsAuth(secrets[0]), timeout=10) as one:
            assert (one.status_code, one.content) == (200, b"order")
            assert [each.status_code for each in one.history] == [401]
        with httpx.Client(auth=HttpxAuth(secrets[1], api_key("X-Key"))) as client:
            assert client.post(url, content=b"order").status_code == 200
        assert asyncio.run(by_httpx(url, secrets[2])) == (200, b"order")
        with Pool(secrets[3]) as pool:
            assert pool.request("POST", url, body=b"order").status == 200


def by_requests(url: str, secret: CachedSecret, body: Any = None, **options: Any) -> int:
    with requests.post(url, data=body, auth=RequestsAuth(secret, **options), timeout=10) as answer:
        return answer.status_code


def by_httpx_too(url: str, secret: CachedSecret, body: Any = None, **options: Any) -> int:
    with httpx.Client(auth=HttpxAuth(secret, **options), follow_redirects=True) as client:
        return client.post(url, content=body).status_code


def by_urllib3(url: str, secret: CachedSecret, body: Any = None, **options: Any) -> int:
    with Pool(secret, options.get("headers"), options.get("statuses", (401,))) as pool:
        return int(pool.request("POST", url, body=body).status)


CLIENTS = [by_requests, by_httpx_too, by_urllib3]


def answer(handler: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {**headers, "Content-Length": "0"}.items():
        handler.send_header(name, value)
    handler.end_headers()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_key_that_stays_refused_is_tried_twice_then_once(versions: Versions, client: Callable[..., int]) -> None:
    asked = list[Any]()

    class Shut(Site):
        def do_POST(self) -> None:
            asked.append(self.headers["Authorization"])
            answer(self, 401)

    secret = versions.cached(patience=0.0)
    with served(Shut) as url:
        for tries in (2, 3):
            assert client(url, secret) == 401
            assert asked == ["Bearer one-Canary-1"] * tries


@pytest.mark.parametrize("client", CLIENTS)
def test_other_statuses_and_headers_may_be_said_and_others_are_no_refusal(
    versions: Versions, client: Callable[..., int]
) -> None:
    class Forbidding(Site):
        def do_POST(self) -> None:
            answer(self, 200 if self.headers["X-Key"] == "two" else 403)

    secret = versions.cached(patience=0.0)
    secret.get()
    time.sleep(kept.EVERY)
    versions.put("two")
    with served(Forbidding) as url:
        reads = versions.reads
        assert client(url, secret, headers=api_key("X-Key")) == 403
        assert versions.reads == reads
        assert client(url, secret, headers=api_key("X-Key"), statuses=(401, 403)) == 200


@pytest.mark.parametrize(("client", "status"), [(by_requests, 401), (by_httpx_too, 401), (by_urllib3, 302)])
def test_no_other_host_gets_the_key_by_a_redirect(versions: Versions, client: Callable[..., int], status: int) -> None:
    told = list[Any]()

    class Elsewhere(Site):
        def do_GET(self) -> None:
            told.append(self.headers["Authorization"])
            answer(self, 401)

    class Leading(Site):
        def do_POST(self) -> None:
            answer(self, 302, Location=other)

    with served(Elsewhere) as other, served(Leading) as url:
        assert client(url, versions.cached(patience=0.0)) == status
    assert set(told) <= {None}
    assert bool(told) == (status == 401)  # urllib3's Pool does not follow


def test_a_stream_is_not_sent_twice_and_the_refusal_is_the_answer(versions: Versions) -> None:
    secret = versions.cached()
    secret.get()
    versions.put("two")
    time.sleep(kept.EVERY)

    class Chunked(Site):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
            answer(self, 401)

    with served(Chunked) as url:
        assert by_requests(url, secret, iter([b"order"])) == 401
        assert by_urllib3(url, secret, iter([b"order"])) == 401
    assert secret.get()["key"] == "one-Canary-1"  # nothing was tried


def test_urllib3_sends_what_the_pool_was_given_too(versions: Versions) -> None:
    class Agents(Site):
        def do_GET(self) -> None:
            body = f"{self.headers['X-Client']} {self.headers['X-Key']}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with served(Agents) as url, Pool(versions.cached(), api_key("X-Key"), headers={"X-Client": "shop"}) as pool:
        assert pool.request("GET", url).data == b"shop one-Canary-1"
        assert pool.urlopen("GET", url).data == b"shop one-Canary-1"


def test_headers_of_each_kind(versions: Versions) -> None:
    versions.client.create_secret(Name="plain", SecretString="token-Canary-4")
    plain = CachedSecret("plain", client=versions.client)
    assert bearer(None)(plain.get()) == bearer(None)(plain.get()) == {"Authorization": "Bearer token-Canary-4"}
    assert api_key("X-Key", None)(plain.get()) == {"X-Key": "token-Canary-4"}
    versions.client.create_secret(
        Name="pair", SecretString=json.dumps({"username": "Aladdin", "password": "open sesame"})
    )
    pair = CachedSecret("pair", client=versions.client).get()
    assert basic()(pair) == {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}  # Source: RFC 7617, section 2
