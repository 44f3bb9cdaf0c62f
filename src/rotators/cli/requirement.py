"""The line of a requirements file that installs the rotators that runs here, from where it came from."""

from __future__ import annotations

import json
import os
import re
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

if TYPE_CHECKING:
    from pathlib import Path

#: What pip reads as a path in a requirements file, without a quote or an escape.
_PLAIN_PATH = re.compile(r"[\w./+~-]+")


def requirement(directory: Path, *, extra: str = "") -> str:
    """
    Return the line, for a requirements file that is read from `directory`.

    A version, where it came from an index; a path or a URL, where it was installed from one (PEP 610, "direct_url.json"): of
    a checkout there may be no version in any index.

    Args:
        directory: from where pip or `sam build` will be started.
        extra: an extra of ours.

    Example:
        >>> requirement(Path("relay"), extra="testing")
        'rotators[testing]==1.0.0'
    """
    extras = f"[{extra}]" if extra else ""
    try:
        ours = distribution("rotators")
    except PackageNotFoundError:
        return f"rotators{extras}"
    came = json.loads(ours.read_text("direct_url.json") or "{}")
    if not came:
        return f"rotators{extras}=={ours.version}"
    if "vcs_info" in came:
        return f"rotators{extras} @ {came['vcs_info']['vcs']}+{came['url']}@{came['vcs_info']['commit_id']}"
    path = _relative(came["url"], directory) if "dir_info" in came else ""
    return f"{path}{extras}" if path else f"rotators{extras} @ {came['url']}"


def _relative(url: str, directory: Path) -> str:
    """Return the way from one directory to another; nothing where there is none that pip would read."""
    try:
        way = os.path.relpath(url2pathname(urlsplit(url).path), directory.resolve())
    except ValueError:  # another drive
        return ""
    way = way if way.startswith(".") else f"./{way}"
    return way if _PLAIN_PATH.fullmatch(way) else ""
