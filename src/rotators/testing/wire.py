"""AWS JSON 1.1: requests and answers as bytes, and a botocore client that never opens a socket."""

from __future__ import annotations

import functools
import json
import os
import re
import threading
import uuid
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Protocol

from rotators.testing.service_error import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.config import Config
    from botocore.session import Session

CONTENT_TYPE = "application/x-amz-json-1.1"
TARGET = "X-Amz-Target"
# The service's own errors spell it "Message", the protocol layer's "message"; SDKs read both.
_PROTOCOL_ERRORS = {"ValidationException", "SerializationException", "UnknownOperationException"}


class Responder(Protocol):
    """Whatever can answer a request: the service itself, or something that stands before it and loses answers."""

    def respond(self, target: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Answer one request with an HTTP status and a JSON body."""
        ...


def operation_of(target: str) -> str:
    """The operation in X-Amz-Target: ``secretsmanager.GetSecretValue``."""
    prefix, _, operation = target.partition(".")
    return operation if prefix == "secretsmanager" else ""


def region_of(headers: Mapping[str, str]) -> str | None:
    """The Region that a signature is for: ``Credential=AKID/20260101/eu-west-1/secretsmanager/aws4_request``."""
    found = re.search(r"Credential=[^/,]+/[0-9]+/([\w-]+)/secretsmanager/", headers.get("Authorization", ""))
    return found[1] if found else None


def request_of(body: bytes) -> dict[str, Any]:
    """The JSON object in a request."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        raise ServiceError("SerializationException", "The request body is not JSON.") from None
    if not isinstance(request, dict):
        raise ServiceError("SerializationException", "The request body is not a JSON object.")
    return request


def success(response: dict[str, Any]) -> tuple[int, bytes]:
    """Status and body of a result."""
    return 200, json.dumps(response).encode()


def failure(error: ServiceError) -> tuple[int, bytes]:
    """Status and body of a refusal."""
    field = "message" if error.code in _PROTOCOL_ERRORS else "Message"
    return error.status, json.dumps({"__type": error.code, field: error.message}).encode()


def answer_headers(body: bytes) -> dict[str, str]:
    """The headers that go with a body."""
    return {
        "x-amzn-RequestId": str(uuid.uuid4()),
        "Content-Type": CONTENT_TYPE,
        "Content-Length": str(len(body)),
        "Date": formatdate(usegmt=True),
    }


class _Body:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_options: object) -> Iterator[bytes]:
        yield self._content


@functools.cache
def _session() -> Session:
    """One session for all clients, so that botocore reads its models once; blind to the user's profile and files."""
    from botocore.session import Session  # noqa: PLC0415

    session = Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        },
    )
    session.set_credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    return session


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(body: str | bytes | None) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


_lock = threading.Lock()


def client(responder: Responder, region: str, config: Config | None = None) -> Any:
    """A real boto3 client whose requests are answered by `responder` in this process.

    Serialisation, parameter checks, retries and ClientError are boto3's own.
    """
    import boto3  # noqa: PLC0415 - heavy, and not needed by who only listens on HTTP
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    def answer(request: Any, **_: object) -> Any:
        headers = {name: _text(value) for name, value in request.headers.items()}
        status, answered = responder.respond(headers.get(TARGET, ""), _bytes(request.body), headers)
        raw: Any = _Body(answered)
        sent: Any = answer_headers(answered)
        return AWSResponse(request.url, status, sent, raw)

    # A user's AWS_ENDPOINT_URL points at something else; this client has no endpoint.
    blind: dict[str, Any] = {"ignore_configured_endpoint_urls": True}
    own = Config(**blind)
    with _lock:  # a session is not thread-safe
        session = boto3.session.Session(botocore_session=_session(), region_name=region)
        made = session.client("secretsmanager", region_name=region, config=own.merge(config) if config else own)
    made.meta.events.register("before-send.secrets-manager", answer)
    return made
