"""How the two services speak: the query protocol in XML, and Smithy RPC v2 in CBOR (RFC 8949), or JSON with older SDKs."""

from __future__ import annotations

import json
import re
import struct
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape


def request(path: str, headers: dict[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
    """Return the action and its parameters."""
    if "x-amz-target" in headers:
        return headers["x-amz-target"].rpartition(".")[2], json.loads(body)
    if headers.get("content-type") == "application/cbor":
        return path.rpartition("/")[2], _read(body, 0)[0] if body else {}
    query = {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    found: dict[str, Any] = {}
    for key, value in query.items():
        listed = re.fullmatch(r"(\w+)\.(?:member|Tag)\.(\d+)(?:\.(\w+))?", key)
        if listed is None:
            found[key] = value
            continue
        entries, number = found.setdefault(listed[1], []), int(listed[2])
        if listed[3] is None:
            entries.append(value)
        elif len(entries) < number:
            entries.append({listed[3]: value})
        else:
            entries[number - 1][listed[3]] = value
    return found.pop("Action"), found


def answer(headers: dict[str, str], action: str, result: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Return headers and body of an answer."""
    return _sent(
        headers, result, f"<{action}Response><{action}Result>{_xml(result)}</{action}Result></{action}Response>"
    )


def refusal(headers: dict[str, str], code: str, text: str) -> tuple[dict[str, str], bytes]:
    """Return headers and body of an error."""
    xml = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(text)}</Message></Error></ErrorResponse>"
    return _sent(headers, {"__type": code, "message": text}, xml)


def _sent(headers: dict[str, str], value: dict[str, Any], xml: str) -> tuple[dict[str, str], bytes]:
    if "x-amz-target" in headers:
        return {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(value).encode()
    if headers.get("content-type") == "application/cbor" or "smithy-protocol" in headers:
        return {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, _written(value)
    return {"Content-Type": "text/xml"}, xml.encode()


def _xml(value: Any, name: str = "") -> str:
    if isinstance(value, dict):
        return "".join(f"<{key}>{_xml(inner, key)}</{key}>" for key, inner in value.items() if inner is not None)
    if isinstance(value, list):
        member = "Tag" if name == "TagList" else "member"
        return "".join(f"<{member}>{_xml(inner)}</{member}>" for inner in value)
    return escape(str(value))


def _written(value: Any) -> bytes:
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(_written(each) for each in value)
    return _head(5, len(value)) + b"".join(_written(key) + _written(each) for key, each in value.items())


def _head(kind: int, number: int) -> bytes:
    return bytes([kind << 5 | number]) if number < 24 else bytes([kind << 5 | 25]) + struct.pack(">H", number)


def _read(data: bytes, at: int) -> tuple[Any, int]:
    kind, number = data[at] >> 5, data[at] & 31
    at += 1
    endless = number == 31
    if 24 <= number < 28:
        size = 1 << (number - 24)
        number, at = int.from_bytes(data[at : at + size], "big"), at + size
    if kind == 0:
        return number, at
    if kind == 3:
        return data[at : at + number].decode(), at + number
    values: list[Any] = []
    while (endless and data[at] != 0xFF) or (not endless and len(values) < number * (kind - 3)):
        value, at = _read(data, at)
        values.append(value)
    at += endless
    return (values if kind == 4 else dict(zip(values[::2], values[1::2], strict=True))), at
