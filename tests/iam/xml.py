"""The XML of the query protocol, as IAM and STS answer in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

_NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}


def answer(action: str, result: dict[str, Any] | None, service: str) -> bytes:
    inner = f"<{action}Result>{_xml(result)}</{action}Result>" if result is not None else ""
    return (
        f'<{action}Response xmlns="{_NAMESPACES[service]}">{inner}'
        f"<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>"
    ).encode()


def refusal(code: str, text: str) -> bytes:
    return (
        f'<ErrorResponse xmlns="{_NAMESPACES["iam"]}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{escape(text)}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    ).encode()


def stamp(seconds: float) -> str:
    """A date as IAM gives it: in whole seconds."""
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%dT%H:%M:%SZ}"


def _xml(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{key}>{_xml(inner)}</{key}>" for key, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(inner)}</member>" for inner in value)
    return escape(str(value))
