"""``Table``: one table of a TOML file, read key by key; what is wrong is said with the file, the line and the key."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from rotators.engines.api_key.pointer import Pointer
from rotators.engines.api_key.template import BadTemplate, Template
from rotators.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

#: What a value's type is called.
TYPES = {str: "a string", int: "a whole number", bool: "true or false", dict: "a table", list: "a list"}


class Table:
    """
    A table that complains about what it does not know.

    Args:
        file: what errors call the file.
        source: the file's text, to find lines in.
        where: the table's name; empty for the top.
        values: what is in it.
        known: the keys it may have.

    Raises:
        ConfigurationError: it has another key; names the nearest known one.
    """

    def __init__(
        self, file: str, source: str, where: str, values: Mapping[str, Any], *, known: Collection[str]
    ) -> None:
        self.file, self.source, self.where = file, source, where
        self.values = values
        for key in values:
            if key not in known:
                near = get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"
                self.wrong(key, f"is not known here{hint}")

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def wrong(self, key: str, problem: str) -> NoReturn:
        """
        Complain about a key.

        Raises:
            ConfigurationError: always.
        """
        place = f"[{self.where}] {key!r}" if self.where else repr(key)
        raise ConfigurationError(f"{self.file}{self._line(key)}: {place} {problem}")

    def get(self, key: str, kind: type, default: Any = None, *, required: bool = False) -> Any:
        """Return a value of a type."""
        if key not in self.values:
            if required:
                self.wrong(key, f"is missing; expected {TYPES[kind]}")
            return default
        value = self.values[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.wrong(key, f"is not {TYPES[kind]}")
        return value

    def number(self, key: str, default: int | None, *, least: int, most: int = 10**9) -> Any:
        """Return a whole number within bounds."""
        value = self.get(key, int, default)
        if value is not None and not least <= value <= most:
            self.wrong(
                key,
                f"is {value}; expected {least} to {most}" if most < 10**9 else f"is {value}; expected {least} or more",
            )
        return value

    def word(self, key: str, known: Collection[str], default: str | None = None) -> str:
        """Return one of some words."""
        value: str = self.get(key, str, default, required=default is None)
        if value not in known:
            self.wrong(key, f"is {value!r}; expected {' or '.join(known)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings."""
        values = self.get(key, list, [])
        if not all(isinstance(value, str) and value for value in values):
            self.wrong(key, "is not a list of strings")
        return tuple(values)

    def statuses(self, key: str, default: Collection[int]) -> frozenset[int]:
        """Return a list of HTTP statuses."""
        values = self.get(key, list, list(default))
        if not all(isinstance(value, int) and 100 <= value <= 599 for value in values):  # noqa: PLR2004 - what HTTP has
            self.wrong(key, "is not a list of HTTP statuses, such as [200, 201]")
        return frozenset(values)

    def template(self, key: str, allowed: frozenset[str], default: str | None = None) -> Template:
        """Return a text with braces."""
        value = self.get(key, str, default, required=default is None)
        made: Template = self.read(key, partial(Template, value, allowed=allowed))
        return made

    def templates(self, key: str, allowed: frozenset[str]) -> dict[str, Template]:
        """Return a table of texts with braces."""
        values = self.get(key, dict, {})
        return {name: self.read(key, partial(_template, text, allowed), name) for name, text in values.items()}

    def shape(self, key: str, allowed: frozenset[str]) -> Any:
        """Return a value of any shape, with braces in its strings."""

        def made(value: Any) -> Any:
            if isinstance(value, str):
                return Template(value, allowed=allowed)
            if isinstance(value, dict):
                return {name: made(inner) for name, inner in value.items()}
            if isinstance(value, list):
                return [made(inner) for inner in value]
            return value

        return self.read(key, lambda: made(self.get(key, dict)))

    def pointer(self, key: str, default: str | None = None) -> Pointer:
        """Return a place in an answer."""
        value = self.get(key, str, default, required=default is None)
        made: Pointer = self.read(key, partial(Pointer, value))
        return made

    def pointers(self, key: str) -> dict[str, Pointer]:
        """Return a table of places in an answer."""
        values = self.get(key, dict, {})
        return {name: self.read(key, partial(_pointer, text), name) for name, text in values.items()}

    def read(self, key: str, make: Callable[[], Any], inner: str = "") -> Any:
        """Make something of a value, or complain about its key."""
        problem = ""
        try:
            return make()
        except BadTemplate as error:
            problem = str(error)
        return self.wrong(f"{key}.{inner}" if inner else key, problem)

    def table(self, key: str, known: Collection[str]) -> Table:
        """Return the table under a key."""
        where = f"{self.where}.{key}" if self.where else key
        return Table(self.file, self.source, where, self.get(key, dict, {}), known=known)

    def _line(self, key: str) -> str:
        """Say in which line a key stands; where it is missing, its table."""
        path = f"{self.where}.{key}" if self.where else key
        lines = _lines(self.source)
        while path and path not in lines:
            path = path.rpartition(".")[0]
        return f", line {lines[path]}" if path else ""


def _lines(source: str) -> dict[str, int]:
    """Return the line of each key and table, by its path. tomllib keeps none."""
    found: dict[str, int] = {}
    section = ""
    for number, line in enumerate(source.splitlines(), 1):
        header = re.match(r"\s*\[([^\[\]]+)\]", line)
        key = re.match(r"""\s*["']?([\w.-]+)["']?\s*=""", line)
        if header:
            section = header[1].strip().replace('"', "")
            found.setdefault(section, number)
        elif key:
            found.setdefault(f"{section}.{key[1]}" if section else key[1], number)
    return found


def _template(text: Any, allowed: frozenset[str]) -> Template:
    if not isinstance(text, str):
        raise BadTemplate("is not a string")
    return Template(text, allowed=allowed)


def _pointer(text: Any) -> Pointer:
    if not isinstance(text, str):
        raise BadTemplate("is not a string such as /data/id")
    return Pointer(text)
