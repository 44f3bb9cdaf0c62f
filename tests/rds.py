"""RDS over HTTP on loopback: the two Describe calls, in pages, with the faults a test asks for."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "arn:aws:rds:eu-central-1:123456789012"
SUFFIX = "eu-central-1.rds.amazonaws.com"


class RDSEndpoint:
    """
    Answers in the form of the query protocol.

    Attributes:
        page: how many servers one answer holds.
        faults: (status, code) of the next answers; a code of '' is an answer that never comes.
        asked: (action, identifier, Marker) of each call.
    """

    def __init__(self) -> None:
        self.instances: list[dict[str, Any]] = []
        self.clusters: list[dict[str, Any]] = []
        self.page = 100
        self.faults: list[tuple[int, str]] = []
        self.asked: list[tuple[str, str, str]] = []
        self._silent = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def instance(self, name: str, *, host: str = "", port: int = 5432, **more: Any) -> str:
        """Add an instance; returns its host."""
        host = host or f"{name}.abc.{SUFFIX}"
        endpoint = {"Endpoint": {"Address": host, "Port": port}}
        self.instances.append(
            {"DBInstanceIdentifier": name, "DBInstanceArn": f"{ACCOUNT}:db:{name}", **endpoint, **more}
        )
        return host

    def cluster(self, name: str, *, members: int = 0, port: int = 5432, **more: Any) -> str:
        """Add a cluster and its instances; returns the writer's host."""
        host = f"{name}.cluster-abc.{SUFFIX}"
        reader = f"{name}.cluster-ro-abc.{SUFFIX}"
        self.clusters.append(
            {
                "DBClusterIdentifier": name,
                "DBClusterArn": f"{ACCOUNT}:cluster:{name}",
                "Endpoint": host,
                "ReaderEndpoint": reader,
                "Port": port,
                **more,
            }
        )
        for number in range(members):
            self.instance(f"{name}-{number}", port=port, DBClusterIdentifier=name)
        return host

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._silent.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, body = endpoint._answer({key: values[0] for key, values in parse_qs(text).items()})
                if not status:
                    endpoint._silent.wait(30)
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        return Handler

    def _answer(self, query: dict[str, str]) -> tuple[int, bytes]:
        action = query["Action"]
        kind = "DBInstance" if action == "DescribeDBInstances" else "DBCluster"
        name, marker = query.get(f"{kind}Identifier", ""), query.get("Marker", "")
        self.asked.append((action, name, marker))
        if self.faults:
            status, code = self.faults.pop(0)
            return status, _error(code)
        found = self.instances if kind == "DBInstance" else self.clusters
        if name:
            found = [entry for entry in found if name in {entry[f"{kind}Identifier"], entry[f"{kind}Arn"]}]
            if not found:
                return 404, _error("DBInstanceNotFound" if kind == "DBInstance" else "DBClusterNotFoundFault")
        begin = int(marker or 0)
        page = "".join(f"<{kind}>{_xml(entry)}</{kind}>" for entry in found[begin : begin + self.page])
        more = f"<Marker>{begin + self.page}</Marker>" if begin + self.page < len(found) else ""
        body = f"<{action}Result><{kind}s>{page}</{kind}s>{more}</{action}Result>"
        return 200, (
            f'<{action}Response xmlns="http://rds.amazonaws.com/doc/2014-10-31/">{body}'
            f"<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
        ).encode()


def _error(code: str) -> bytes:
    return (
        '<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>said so</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    ).encode()


def _xml(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{key}>{_xml(inner)}</{key}>" for key, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(inner)}</member>" for inner in value)
    return escape(str(value))


@pytest.fixture
def rds(monkeypatch: pytest.MonkeyPatch) -> Iterator[RDSEndpoint]:
    """RDS, as the environment names it."""
    with RDSEndpoint() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", endpoint.url)
        yield endpoint
