"""
What a description writes in braces: ``{by.api_key}``, ``{name}``, ``{secret.host|url}``; ``{{`` and ``}}`` are braces.

A template is read once, when the description is, and a name that means nothing there is found then.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rotators.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
NAME = re.compile(r"([a-z]+)(?:\.([A-Za-z_][A-Za-z0-9_.-]*))?")


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


#: What may follow a name, after ``|``.
FILTERS: dict[str, Callable[[Any], Any]] = {
    "base64": lambda value: base64.b64encode(_bytes(value)).decode(),
    "unbase64": lambda value: base64.b64decode(_bytes(value)),
    "sha256": lambda value: hashlib.sha256(_bytes(value)).hexdigest(),
    "url": lambda value: quote(_bytes(value), safe=""),
    "text": str,
}


class BadTemplate(ValueError):
    """A text in braces that means nothing; says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """
    One pair of braces.

    Attributes:
        source: what stands before the dot: by, secret, name, …
        key: what stands behind it; empty where there is none.
        filters: what is done with the value, in order.
    """

    source: str
    key: str
    filters: tuple[str, ...]

    def value(self, sources: Mapping[str, Any]) -> Any:
        """
        Look it up.

        Raises:
            SecretError: the secret, or what else is meant, does not have it.
        """
        found = sources[self.source]
        if self.source == "like" and self.key in found and found[self.key] is None:
            return None  # a place in the answer where nothing may be
        if self.key:
            found = found.get(self.key)
        if found is None:
            raise SecretError(f"'{self.key or self.source}' is missing in {OWNERS.get(self.source, self.source)}")
        for name in self.filters:
            problem = False
            try:
                found = FILTERS[name](found)
            except ValueError:
                problem = True
            if problem:
                raise SecretError(
                    f"'{self.key or self.source}' in {OWNERS.get(self.source, self.source)} is not {name[2:]}"
                )
        return found


#: Whose a missing value is.
OWNERS = {
    "secret": "the secret",
    "by": "the secret that authorises the call",
    "current": "the secret",
    "like": "what the provider said of the current key",
    "login": "the provider's answer to `login`",
}


class Template:
    """
    A text with braces.

    Args:
        text: as it stands in the description.
        allowed: the names that mean something there.

    Raises:
        BadTemplate: it can't be read.

    Example:
        >>> Template("Bearer {by.key}", allowed={"by"}).fill({"by": {"key": "k"}})
        'Bearer k'
    """

    __slots__ = ("parts", "text")

    def __init__(self, text: str, *, allowed: frozenset[str] | set[str]) -> None:
        self.text = text
        #: Literal texts and places, in order.
        self.parts: list[str | Place] = []
        end = 0
        for match in PLACE.finditer(text):
            self.parts.append(text[end : match.start()])
            end = match.end()
            if match[0] in {"{{", "}}"}:
                self.parts.append(match[0][0])
            elif match[1] is None:
                raise BadTemplate(f"has a single {match[0]}; write {match[0] * 2} for the character itself")
            else:
                self.parts.append(_place(match[1], allowed))
        self.parts.append(text[end:])
        self.parts = [part for part in self.parts if part]

    def places(self) -> list[Place]:
        """Return the braces in it."""
        return [part for part in self.parts if isinstance(part, Place)]

    def value(self, sources: Mapping[str, Any]) -> Any:
        """Return what it stands for; where it is one pair of braces and nothing else, with the type that the value has."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Place):
            return self.parts[0].value(sources)
        return self.fill(sources)

    def fill(self, sources: Mapping[str, Any], *, quoted: Callable[[str], str] = str) -> str:
        """
        Return the text with every value put in.

        Args:
            sources: where the values are, by name.
            quoted: what is done to each value.

        Raises:
            SecretError: a value is missing.
        """
        return "".join(part if isinstance(part, str) else quoted(text_of(part.value(sources))) for part in self.parts)


def _place(inside: str, allowed: frozenset[str] | set[str]) -> Place:
    name, *filters = (part.strip() for part in inside.split("|"))
    match = NAME.fullmatch(name)
    if match is None or match[1] not in allowed:
        raise BadTemplate(f"has {{{inside}}}; known here are {', '.join(sorted(allowed))}")
    if bool(match[2]) != (match[1] in KEYED):
        raise BadTemplate(
            f"has {{{inside}}}; "
            + (f"say which key, as in {{{match[1]}.key}}" if not match[2] else f"{match[1]} has no keys")
        )
    for word in filters:
        if word not in FILTERS:
            raise BadTemplate(f"has {{{inside}}}; behind | may stand {', '.join(sorted(FILTERS))}")
    return Place(match[1], match[2] or "", tuple(filters))


#: The names that stand for several values.
KEYED = frozenset({"by", "secret", "current", "like", "login", "expires"})


def text_of(value: Any) -> str:
    """Return a value as it stands in a text: true, 7, or the string itself."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
