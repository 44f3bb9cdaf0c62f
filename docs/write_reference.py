"""
Write ``docs/reference.md``: every public name, from its own docstring.

Run it with ``python docs/write_reference.py``; a test fails where the committed page is not what this writes. A variable or
a tag that the code reads and no table here explains ends it with a sentence that names it.
"""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from reference_text import rendered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

PAGE = Path(__file__).parent / "reference.md"
PACKAGE = Path(__file__).parents[1] / "src" / "rotators"
MODULES = {
    "rotators": "What a rotator is made of. Each name is loaded when it is first used.",
    "rotators.abc": "The Protocols: what is plugged in.",
    "rotators.consumer": "For applications: read a secret, and live through its rotation.",
    "rotators.testing": "What proves a rotator: [Proving a rotator](proving.md).",
}
VARIABLES = {
    "SECRETS_MANAGER_ENDPOINT": "URL of Secrets Manager, where it is not the region's own",
    "PASSWORD_LENGTH": "length of a new password, in characters; 32",
    "EXCLUDE_CHARACTERS": "characters that a new password does not contain; `default`: the engine's own list",
    "EXCLUDE_NUMBERS": "`true` leaves out digits",
    "EXCLUDE_PUNCTUATION": "`true` leaves out punctuation",
    "EXCLUDE_UPPERCASE": "`true` leaves out capitals",
    "EXCLUDE_LOWERCASE": "`true` leaves out small letters",
    "REQUIRE_EACH_INCLUDED_TYPE": "`false` allows a password without one of the kinds of characters; `true`",
    "USERNAME_CHARACTER_LIMIT": "how long the name of a pair's second user may be",
    "USER_NAME": "the one user of ElastiCache or MemoryDB that the function is for; without it, any that its role may change",
    "ROTATORS_STRATEGY": "`single` or `alternating` users, for every secret",
    "ROTATORS_DISCARD_OLD": "`true` ends the old of two passwords with the rotation (MySQL, Redis, ElastiCache, MemoryDB)",
    "ROTATORS_REASSIGN_OWNED": "`true` gives what a `_clone` of AWS's template owns to the first of the pair (PostgreSQL)",
    "ROTATORS_HOST_ALIASES": "names of one server, groups parted by commas, the names of a group by `=`",
    "ROTATORS_PROVIDER": "the description of the provider of the secrets' keys, where a secret names none",
    "ROTATORS_IAM_AUTHORITY": "who makes and deletes an IAM user's keys: `role` (the function's), `admin` or `self`",
    "ROTATORS_IAM_UNUSED_DAYS": "how many days nobody must have used an access key that is deleted; 3",
    "POWERTOOLS_SERVICE_NAME": "what the log calls the function; `rotators`",
    "POWERTOOLS_METRICS_NAMESPACE": "of the metrics; `Rotators`",
    "ROTATORS_CA_BUNDLE": "a PEM file of authorities to trust",
}
TAGS = {
    "rotators:strategy": "`single` or `alternating` users",
    "rotators:discard-old": "`true` or `false`, as `ROTATORS_DISCARD_OLD`",
    "rotators:password-length": "as `PASSWORD_LENGTH`",
    "rotators:exclude-characters": "as `EXCLUDE_CHARACTERS`",
    "rotators:apart": "secrets with the same value are never rotated at the same time by `rotators rotate`",
    "rotators:iam-authority": "as `ROTATORS_IAM_AUTHORITY`",
    "rotators:unused-days": "as `ROTATORS_IAM_UNUSED_DAYS`",
    "rotators:set": "on a user of ElastiCache or MemoryDB, not on a secret, written by the function: which password it has set",
    "rotators:adopt": "`true` or `false`: revoke keys too that were stored in this secret by hand",
}
_HEAD = """# Reference

Written by `python docs/write_reference.py` from the docstrings; what is wrong here is wrong there.
How to use it all: [Write your own](write-your-own.md) and [Proving a rotator](proving.md).
"""


def write() -> str:
    """
    Return the page.

    Raises:
        SystemExit: the code reads a variable or a tag that is not explained here.
    """
    unexplained = sorted(settings() - VARIABLES.keys() - TAGS.keys())
    if unexplained:
        sys.exit(f"docs/write_reference.py explains no {', '.join(unexplained)}: add a line to VARIABLES or TAGS")
    parts = [_HEAD]
    for name, about in MODULES.items():
        module = import_module(name)
        contents = " · ".join(f"[`{public}`](#{public.lower()})" for public in module.__all__)
        parts += [f"## {name}\n", f"{about}\n", f"{contents}\n"]
        if name == "rotators":
            parts += [*_errors()]
        for public in module.__all__:
            parts += entry(public, getattr(module, public))
    parts += [*_handlers(), *_commands()]
    parts += ["## Variables\n", "Of the function, all optional.\n", *_table(VARIABLES)]
    parts += ["## Tags\n", "Of a secret; each overrules the function's variable.\n", *_table(TAGS)]
    return "\n".join(parts)


def settings() -> set[str]:
    """Return the variables of ours and the tags that the code reads."""
    sources = [
        path.read_text()
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] not in {"lab", "testing", "cli"}
    ]
    return {name for text in sources for name in re.findall(r'"(ROTATORS_\w+|rotators:[a-z-]+)"', text)}


def undocumented() -> list[str]:
    """Return the public names, and their public members, that say nothing of themselves."""
    found = []
    for module in map(import_module, MODULES):
        for public in module.__all__:
            thing = getattr(module, public)
            if not (vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__):
                found.append(f"{module.__name__}.{public}")
            found += [f"{module.__name__}.{public}.{name}" for name, member in members(thing) if not _doc(member)]
    return found


def members(thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield the methods and properties of a class that are its own and public."""
    if not inspect.isclass(thing):
        return
    for name, member in vars(thing).items():
        is_one = isinstance(member, (property, classmethod, staticmethod)) or inspect.isfunction(member)
        is_one = is_one or type(member).__name__ == "cached_property"
        if is_one and (not name.startswith("_") or name == "__call__"):
            yield name, member


def entry(name: str, thing: Any) -> list[str]:
    """Return a name's part of the page."""
    parts = [f"### {name}\n", f"```py\n{signature(name, thing)}\n```\n"]
    parts.append(rendered(inspect.getdoc(thing) or "", _parameters(thing)))
    for member_name, member in members(thing):
        function = getattr(member, "__func__", getattr(member, "fget", getattr(member, "func", member)))
        is_call = inspect.isfunction(member) or isinstance(member, (classmethod, staticmethod))
        shown = signature(member_name, function, bound=True) if is_call else member_name
        kind = "abstract, " if getattr(member, "__isabstractmethod__", False) and inspect.isabstract(thing) else ""
        text = rendered(_doc(member), _parameters(function)).replace("\n", "\n  ").replace("  \n", "\n").rstrip()
        first, _, rest = text.partition("\n")
        parts.append(
            f"- **`{shown}`** {'(' + kind.rstrip(', ') + ') ' if kind else ''}— {first}\n{rest}".rstrip() + "\n"
        )
    home = inspect.getmodule(thing)
    if home is not None and home.__file__:
        parts.append(f"[source](../src/rotators/{Path(home.__file__).relative_to(PACKAGE).as_posix()})\n")
    return parts


def signature(name: str, thing: Any, *, bound: bool = False) -> str:
    """Return how it is called, as one line."""
    if inspect.isclass(thing) and getattr(thing, "_is_protocol", False):
        return f"class {name}(Protocol)"
    if hasattr(thing, "__members__"):
        return f"class {name}(Enum)  # " + ", ".join(member.value for member in thing)
    try:
        said = inspect.signature(thing)
    except (TypeError, ValueError):
        return name
    parameters = [one.replace(annotation=_bare(one.annotation)) for one in said.parameters.values()]
    if bound and parameters and parameters[0].name in {"self", "cls", "_"}:
        parameters = parameters[1:]
    returned = inspect.Signature.empty if inspect.isclass(thing) else _bare(said.return_annotation)
    text = str(said.replace(parameters=parameters, return_annotation=returned))
    return re.sub(
        r"<(factory|built-in [\w ]+|function \w+ at 0x[0-9a-f]+|[\w.]+ object at 0x[0-9a-f]+)>", "…", f"{name}{text}"
    )


class _Bare(str):
    """An annotation as it stands in the source, without quotes around it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _bare(annotation: Any) -> Any:
    return _Bare(annotation.strip("'")) if isinstance(annotation, str) else annotation


def _doc(member: Any) -> str:
    return inspect.cleandoc(getattr(member, "__doc__", "") or "")


def _parameters(thing: Any) -> set[str]:
    try:
        return set(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return set()


def _errors() -> list[str]:
    tree = (import_module("rotators.errors").__doc__ or "").split("::\n")[1].split("\n\nEach carries")[0]
    return ["The errors are one tree:\n", f"```text\n{inspect.cleandoc(tree)}\n```\n"]


def _handlers() -> Iterator[str]:
    yield "## Handlers\n"
    yield "What a function's `Handler` names.\n"
    package: ModuleType = import_module("rotators.handlers")
    rows = {}
    for found in sorted(iter_modules(package.__path__), key=lambda one: one.name):
        about = (import_module(f"rotators.handlers.{found.name}").__doc__ or "").strip().split("\n\n")[0]
        name, _, what = about.partition(": ")
        rows[name.strip("`")] = " ".join(what.split()).rstrip(".").replace("``", "`")
    yield from _table(rows)


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    yield "`rotators COMMAND --help` says more.\n"
    rows = {}
    for command in import_module("rotators.cli").COMMANDS:
        name, _, what = (command.__doc__ or "").strip().split("\n\n")[0].partition(": ")
        rows[name.strip("`")] = " ".join(what.split()).rstrip(".")
    yield from _table(rows)


def _table(rows: dict[str, str]) -> Iterator[str]:
    lines = [f"| `{name}` | {what} |" for name, what in rows.items()]
    yield "\n".join(["| | |", "| --- | --- |", *lines, ""])


if __name__ == "__main__":
    PAGE.write_text(write())
