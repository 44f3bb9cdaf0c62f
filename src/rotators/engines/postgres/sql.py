"""Names and texts as PostgreSQL's SQL wants them, whatever characters they are made of."""

from __future__ import annotations

import re

_ELEMENT = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,"]*?))\s*(?:,|$)')


def identifier(name: str) -> str:
    """
    Quote a name.

    Example:
        >>> identifier('an "app"s')
        '"an ""app""s"'
    """
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a string; a backslash would need E'' where standard_conforming_strings is off."""
    quoted = text.replace("'", "''")
    return f" E'{quoted.replace(chr(92), chr(92) * 2)}'" if "\\" in text else f"'{quoted}'"


def literals(flattened: str) -> str:
    """
    Quote each element of a list of names, as the catalogs hold it for parameters such as search_path.

    Example:
        >>> literals('"$user", public')
        "'$user', 'public'"
    """
    elements, at = [], 0
    while at < len(flattened) and (found := _ELEMENT.match(flattened, at)):
        quoted, plain = found.groups()
        elements.append(literal(plain if quoted is None else quoted.replace('""', '"')))
        at = found.end()
    return ", ".join(elements) or "''"
