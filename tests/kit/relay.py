"""A service with one account and one password, over HTTP and over a line on a socket; and rotators of it, by many clients."""

from __future__ import annotations

import asyncio
import functools
import http.client
import json
import socket
import socketserver
import ssl
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from rotators import CredentialRejected, Rotation, Rotator, Secret, TargetUnreachable


class Relay:
    """
    Attributes:
        password: the one that opens it.
        refused: how many did not.
    """

    def __init__(self) -> None:
        self.password, self.refused, self.changes = "first-password", 0, 0
        relay = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body in one segment, or each answer waits 40 ms for the ACK of its headers

            def _answer(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}")
                opens = relay.asked(self.headers["authorization"], body.get("password"))
                self.send_response(200 if opens else 401)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_PUT = _answer  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        class Lines(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked = json.loads(self.rfile.readline() or "{}")
                self.wfile.write(b"yes\n" if relay.asked(asked.get("with"), asked.get("password")) else b"no\n")

        self.servers: list[ThreadingHTTPServer | socketserver.ThreadingTCPServer] = [
            _Http(("127.0.0.1", 0), Requests),
            _Line(("127.0.0.1", 0), Lines),
        ]
        for server in self.servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.servers[0].server_address[1]}"
        self.port: int = self.servers[1].server_address[1]

    def close(self) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def asked(self, given: str | None, wanted: str | None) -> bool:
        if given != self.password:
            self.refused += 1
            return False
        if wanted is not None:
            self.password = wanted
            self.changes += 1
        return True

    def value(self) -> dict[str, Any]:
        return {"url": self.url, "port": self.port, "username": "app", "password": self.password}

    def opens(self, value: Any) -> bool:
        return bool(value["password"] == self.password)


class _Left(socketserver.BaseServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that died while it was answered: here they do so on purpose."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Http(_Left, ThreadingHTTPServer):
    pass


class _Line(_Left, socketserver.ThreadingTCPServer):
    pass


class ByUrllib3(Rotator):
    """What all of them do; the client is in `ask`."""

    def set(self, rotation: Rotation) -> None:
        self.said(self.ask(rotation.current, rotation.pending["password"]))

    def test(self, secret: Secret) -> None:
        self.said(self.ask(secret, None))

    def said(self, status: int) -> None:
        if status == 401:
            raise CredentialRejected("the relay refused the password")

    def ask(self, secret: Secret, password: str | None) -> int:
        import urllib3

        method = "GET" if password is None else "PUT"
        with urllib3.PoolManager(timeout=5.0, retries=False) as pool:
            answer = pool.request(method, secret["url"], headers=self.headers(secret), body=self.body(password))
            return int(answer.status)

    def headers(self, secret: Secret) -> dict[str, str]:
        return {"authorization": str(secret["password"])}

    def body(self, password: str | None) -> bytes:
        return json.dumps({} if password is None else {"password": password}).encode()


class ByRequests(ByUrllib3):
    def ask(self, secret: Secret, password: str | None) -> int:
        import requests

        method = "GET" if password is None else "PUT"
        url = secret["url"]
        return requests.request(
            method, url, headers=self.headers(secret), data=self.body(password), timeout=5
        ).status_code


@functools.cache
def _trusted() -> ssl.SSLContext:
    """As httpx makes it for each request: reading all the system's authorities takes longer than the request."""
    return ssl.create_default_context()


class ByHttpx(ByUrllib3):
    def ask(self, secret: Secret, password: str | None) -> int:
        import httpx

        method = "GET" if password is None else "PUT"
        return httpx.request(
            method, secret["url"], headers=self.headers(secret), content=self.body(password), verify=_trusted()
        ).status_code


class ByAsyncHttpx(ByUrllib3):
    def ask(self, secret: Secret, password: str | None) -> int:
        import httpx

        async def asked() -> int:
            async with httpx.AsyncClient(verify=_trusted()) as client:
                method = "GET" if password is None else "PUT"
                headers, body = self.headers(secret), self.body(password)
                return (await client.request(method, secret["url"], headers=headers, content=body)).status_code

        return asyncio.run(asked())


class ByUrllib(ByUrllib3):
    def ask(self, secret: Secret, password: str | None) -> int:
        method = "GET" if password is None else "PUT"
        body, headers = self.body(password), self.headers(secret)
        request = urllib.request.Request(secret["url"], data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return int(error.code)
        except urllib.error.URLError as error:
            raise TargetUnreachable("the relay did not answer") from error


class ByHttpClient(ByUrllib3):
    def ask(self, secret: Secret, password: str | None) -> int:
        connection = http.client.HTTPConnection(urlsplit(secret["url"]).netloc, timeout=5)
        try:
            connection.request("GET" if password is None else "PUT", "/", self.body(password), self.headers(secret))
            return connection.getresponse().status
        finally:
            connection.close()


class BySocket(ByUrllib3):
    """What nobody knows: a protocol of one's own."""

    def ask(self, secret: Secret, password: str | None) -> int:
        line = {"with": secret["password"]} | ({} if password is None else {"password": password})
        with socket.create_connection(("127.0.0.1", secret["port"]), timeout=5) as connection:
            connection.sendall(json.dumps(line).encode() + b"\n")
            with connection.makefile("rb") as answer:
                said = answer.readline()
        if not said:
            raise TargetUnreachable("the relay hung up")
        return 200 if said == b"yes\n" else 401


class ByThread(ByUrllib3):
    """The call is made on a thread of its own, as `rotators.waiting` makes it."""

    def ask(self, secret: Secret, password: str | None) -> int:
        from rotators import waiting

        asked = {"secret": secret, "password": password}
        return int(waiting.within(5.0, lambda **more: ByUrllib3.ask(self, **more), asked))


#: Each client, and how many external calls one request of it is.
CLIENTS: dict[type[ByUrllib3], int] = {
    ByUrllib3: 1,
    ByRequests: 1,
    ByHttpx: 1,
    ByAsyncHttpx: 1,
    ByUrllib: 2,
    ByHttpClient: 2,
    BySocket: 2,
    ByThread: 1,
}
