"""
Build the documents as one site, into ``build/site``; a link or an anchor that leads nowhere ends it.

Run it with ``make docs``. The documents are written for whoever reads them in the repository: links that leave docs/ lead to
files there. In the site they lead to the repository on the web, at the same path. That what a link names exists is checked
here, and anchors by Zensical. It is a copy in ``build/docs`` that is changed, not a document.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
DOCS, COPY, SITE = ROOT / "docs", ROOT / "build" / "docs", ROOT / "build" / "site"
ZENSICAL = ROOT / ".tools" / "docs" / "bin" / "zensical"
REPOSITORY = "https://github.com/rotators/rotators"
_FENCE = re.compile(r"^(```.*?^```)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")


def main() -> None:
    """
    Write the copy, and have Zensical build it.

    Raises:
        SystemExit: something leads nowhere; says where.
    """
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.rmtree(SITE, ignore_errors=True)
    for path in sorted(DOCS.rglob("*")):
        to = COPY / path.relative_to(DOCS)
        if path.suffix == ".md":
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text(indented(linked(path.read_text(), path)))
        elif path.suffix in {".svg", ".png", ".css"}:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, to)
    sys.exit(subprocess.call([ZENSICAL, "build", "--strict", "--clean"], cwd=ROOT))  # noqa: S603 - ours


def linked(text: str, path: Path) -> str:
    """
    Return a document whose links that leave docs/ lead to the repository on the web.

    Args:
        text: Markdown.
        path: where it is, in the repository.

    Raises:
        SystemExit: such a link leads nowhere.

    Example:
        >>> linked("[errors](../src/rotators/errors.py)", DOCS / "laws.md")
        '[errors](https://github.com/rotators/rotators/blob/main/src/rotators/errors.py)'
    """

    def changed(link: re.Match[str]) -> str:
        target = Path(os.path.normpath(path.parent / link[1]))
        if not target.is_relative_to(ROOT) or not target.exists():
            sys.exit(f"{path.relative_to(ROOT)}: {link[1]} leads nowhere")
        if target.is_relative_to(DOCS) and target.suffix in {".md", ".svg", ".png"}:
            return link[0]
        kind = "tree" if target.is_dir() else "blob"
        return f"{REPOSITORY}/{kind}/main/{target.relative_to(ROOT).as_posix()}{link[2] or ''}"

    return _outside_code(text, lambda part: _LINK.sub(changed, part))


def indented(text: str) -> str:
    r"""
    Return a document whose lists are indented for Zensical: by four, where GitHub is content with two.

    Example:
        >>> indented("- a\n  - b\n")
        '- a\n    - b\n'
    """
    return _outside_code(text, lambda part: re.sub(r"(?m)^( {2,})(?=\S)", lambda found: 2 * found[1], part))


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if part.startswith("```") else change(part) for part in _FENCE.split(text))


if __name__ == "__main__":
    main()
