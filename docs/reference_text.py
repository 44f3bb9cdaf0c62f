"""Make Markdown of a docstring: both of its layouts, sections (Args, Raises) and aligned names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_SECTION = re.compile(r"(Args|Attributes|Raises|Returns|Yields|Examples?):(?: (.+))?$")
_ITEM = re.compile(r"([\w`*, .\[\]]+?):\s+(.*)")


def rendered(text: str, parameters: Collection[str]) -> str:
    """
    Return it as Markdown.

    Args:
        text: the docstring, without its indentation.
        parameters: of what it is about: a line that begins with one, and a colon, explains it.
    """
    blocks = re.split(r"\n\s*\n(?!    )", text)
    return (
        re.sub(r"(?<!`)``([^`\n]+)``(?!`)", r"`\1`", "\n\n".join(_block(block, parameters) for block in blocks)) + "\n"
    )


def _block(block: str, parameters: Collection[str]) -> str:
    lines = block.split("\n")
    title = _SECTION.match(lines[0])
    if lines[0].startswith(">>>"):
        return _session(lines)
    if lines[0].endswith("::"):
        before = lines[0].removesuffix("::").strip()
        return "\n".join([*([f"{before}:", ""] if before else []), "```text", *_dedented(lines[1:]), "```"])
    if title and (len(lines) > 1 or title[2]):
        body = [title[2]] if title[2] else _dedented(lines[1:])
        if title[1].startswith("Example"):
            return _session(body)
        if title[1] in {"Returns", "Yields"}:
            return f"*{title[1]}:* {' '.join(body)}"
        return f"*{title[1]}:*\n\n" + "\n".join(_items(body))
    if all(_names(line, parameters) or line.startswith(" ") for line in lines):
        return "\n".join(_items(lines))
    return "\n".join(lines)


def _names(line: str, parameters: Collection[str]) -> bool:
    item = _ITEM.match(line)
    return bool(item) and all(name.strip(" `*") in parameters for name in item[1].split(","))  # type: ignore[index]


def _items(lines: list[str]) -> Iterator[str]:
    """Yield a list's items; a line further in goes on with the one before."""
    for line in lines:
        item = _ITEM.match(line)
        if line.startswith(" ") or item is None:
            yield f"  {line.strip()}"
        else:
            yield f"- `{item[1].strip('`')}`: {item[2]}"


def _session(lines: list[str]) -> str:
    return "\n".join(["```pycon", *(re.sub(r"\s+# doctest: .*", "", line) for line in lines if line.strip()), "```"])


def _dedented(lines: list[str]) -> list[str]:
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[indent:] for line in lines]
