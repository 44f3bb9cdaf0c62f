"""What to install where an engine of another package lacks its driver: its own metadata says which extra brings it."""

from __future__ import annotations

import re
from typing import Any

_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*", re.ASCII)
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?[^;]*(?:;(?P<marker>.*))?")
_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")


def module_of(error: BaseException) -> str:
    """
    Return the top of the module that was not there; nothing where the error is another one.

    Example:
        >>> module_of(ModuleNotFoundError("No module named 'cx.wire'", name="cx.wire"))
        'cx'
    """
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    # whoever raises an error may call it anything, and it is going to be read in a log (law 9)
    return name.partition(".")[0] if name and _MODULE.fullmatch(name) else ""


def advice(module: str, distribution: Any) -> str:
    """
    Say what brings a module to who has the package that needs it.

    Args:
        module: its name, without parts.
        distribution: of `importlib.metadata`; None where it is not known.

    Example:
        >>> advice("cx", distribution)
        "pip install 'acme[cx]'"
    """
    if distribution is None:
        return f"pip install '{module}'"
    package, extras = distribution.metadata["Name"], distribution.metadata.get_all("Provides-Extra", [])
    for requirement in distribution.requires or []:
        found = _REQUIREMENT.fullmatch(requirement.strip())
        if found is None or _normal(found["name"]) != _normal(module):
            continue
        extra = _EXTRA.search(found["marker"] or "")
        return f"pip install '{f'{package}[{extra[1]}]' if extra else requirement.partition(';')[0].strip()}'"
    other = f", or {package} with its extra: {', '.join(extras)}" if extras else ""
    return f"pip install '{module}'{other}"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
