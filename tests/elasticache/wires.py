"""How the two services speak: ElastiCache the query protocol, which answers in XML, and MemoryDB JSON."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

_MEMBER = re.compile(r"(\w+)\.(?:member|Tag)\.(\d+)(?:\.(\w+))?")


def request(headers: dict[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
    """Return the action and its parameters."""
    if "x-amz-target" in headers:
        return headers["x-amz-target"].removeprefix("AmazonMemoryDB."), json.loads(body)
    found: dict[str, Any] = {}
    for key, (value,) in parse_qs(body.decode(), keep_blank_values=True).items():
        listed = _MEMBER.fullmatch(key)
        if listed is None:
            found[key] = value
        elif listed[3] is None:
            found.setdefault(listed[1], []).append(value)
        else:
            entries = found.setdefault(listed[1], [])
            entries += [{}] * (int(listed[2]) - len(entries))
            entries[-1] = {**entries[-1], listed[3]: value}
    return found.pop("Action"), found


def answer(headers: dict[str, str], action: str, result: dict[str, Any]) -> tuple[str, bytes]:
    """Return the type and the body of an answer."""
    return _sent(
        headers, result, f"<{action}Response><{action}Result>{_xml(result)}</{action}Result></{action}Response>"
    )


def refusal(headers: dict[str, str], code: str, text: str) -> tuple[str, bytes]:
    """Return the type and the body of an error."""
    xml = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(text)}</Message></Error></ErrorResponse>"
    return _sent(headers, {"__type": code, "message": text}, xml)


def _sent(headers: dict[str, str], value: dict[str, Any], xml: str) -> tuple[str, bytes]:
    if "x-amz-target" in headers:
        return "application/x-amz-json-1.1", json.dumps(value).encode()
    return "text/xml", xml.encode()


def _xml(value: Any, name: str = "") -> str:
    if isinstance(value, dict):
        return "".join(f"<{key}>{_xml(inner, key)}</{key}>" for key, inner in value.items())
    if isinstance(value, list):
        member = "Tag" if name == "TagList" else "member"
        return "".join(f"<{member}>{_xml(inner)}</{member}>" for inner in value)
    return escape(str(value))
