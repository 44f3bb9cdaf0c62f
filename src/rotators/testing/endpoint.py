"""Secrets Manager over HTTP on this machine."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any

from rotators.testing.wire import TARGET, Responder, answer_headers

if TYPE_CHECKING:
    from types import TracebackType


class Endpoint:
    """Any SDK's Secrets Manager, at a URL: for boto3 in another process, the AWS CLI, a Lambda container.

    service: a SecretsManager, or anything else that can `respond`
    host:    the address to listen on
    port:    0 for one that is free

    >>> with Endpoint(SecretsManager()) as url:                                          # doctest: +SKIP
    ...     os.environ["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = url

    Signatures are neither required nor checked.
    """

    def __init__(self, service: Responder, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = _Server((host, port), _Request)
        self._server.service = service
        self.port: int = self._server.server_address[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="endpoint", daemon=True)

    def __enter__(self) -> str:
        self.start()
        return self.url

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and hang up on everybody."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()
        if self._thread.is_alive():
            self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client's idle keep-alive connection must not hold up the end
    request_queue_size = 128
    service: Responder

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind without the base's look-up of a name in the DNS, which may take seconds and serves nobody."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silent: a client that hangs up is its own business."""


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one segment
    server: _Server

    def do_POST(self) -> None:
        if "Transfer-Encoding" in self.headers:  # no SDK sends this operation's few bytes in chunks
            self.close_connection = True
            self._answer(411, b"{}")
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, answered = self.server.service.respond(self.headers.get(TARGET, ""), body, dict(self.headers))
        except ConnectionError:  # how a responder loses an answer
            self.close_connection = True
            return
        except Exception as error:  # noqa: BLE001 - an SDK retries a 500 by itself, so it is what a fault must become
            failed = {"__type": "InternalServiceError", "Message": type(error).__name__}
            status, answered = 500, json.dumps(failed).encode()
        self._answer(status, answered)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response_only(status)
        for name, value in answer_headers(body).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def do_GET(self) -> None:
        self._answer(404, b'{"__type": "UnknownOperationException"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Silent."""
