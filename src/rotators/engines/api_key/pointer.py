"""Where something is in a JSON answer: ``/keys/0/value``, or ``/keys[name=primary]/value`` for the item of that name."""

from __future__ import annotations

import re
from typing import Any

from rotators.engines.api_key.template import BadTemplate, Template

SEGMENT = re.compile(r"([^\[\]/]*)(?:\[([^=\[\]/]+)=([^\[\]/]*)\])?")


class Pointer:
    """
    A path into an answer; nothing at all is the whole of it.

    Source: RFC 6901, without its escapes; choosing an item by a value in it is ours.

    Args:
        text: as it stands in the description; may hold ``{slot}``. A question mark at its end says that nothing may be there.

    Raises:
        BadTemplate: it is none.

    Example:
        >>> Pointer("/keys[name=b]/value").find({"keys": [{"name": "b", "value": 7}]})
        7
    """

    __slots__ = ("_segments", "optional", "text")

    def __init__(self, text: str) -> None:
        if text and not text.startswith("/"):
            raise BadTemplate(f"is {text!r}; a place in the answer begins with /, as in /data/id")
        self.text = text
        #: Whether nothing may be there.
        self.optional = text.endswith("?")
        self._segments: list[tuple[str, str, Template | None]] = []
        for part in text.removesuffix("?").split("/")[1:]:
            match = SEGMENT.fullmatch(part)
            if match is None:
                raise BadTemplate(
                    f"is {text!r}; expected names between slashes, as in /data/id or /keys[name=first]/value"
                )
            value = None if match[2] is None else Template(match[3], allowed={"slot"})
            self._segments.append((match[1], match[2] or "", value))

    def find(self, answer: Any, *, slot: str = "") -> Any:
        """Return what is there, None where nothing is."""
        for name, field, value in self._segments:
            answer = _step(answer, name)
            if value is not None:
                wanted = value.fill({"slot": slot})
                items = answer if isinstance(answer, list) else []
                answer = next(
                    (item for item in items if isinstance(item, dict) and str(item.get(field)) == wanted), None
                )
            if answer is None:
                return None
        return answer


def _step(answer: Any, name: str) -> Any:
    if isinstance(answer, dict):
        return answer.get(name)
    if isinstance(answer, list) and name.isdecimal() and int(name) < len(answer):
        return answer[int(name)]
    return answer if not name else None
