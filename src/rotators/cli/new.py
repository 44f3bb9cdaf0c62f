"""``rotators new NAME``: write the project of a rotator of one's own, proven and ready to build."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rotators.cli.project_name import NAMES, ProjectName, ProjectRefused
from rotators.cli.requirement import requirement

if TYPE_CHECKING:
    import argparse

_REFUSED = 2
_TEMPLATES = Path(__file__).parent / "project"
KINDS = {
    "password": "a secret with keys, whose password the service takes from whoever holds the old one (the default)",
    "plain": "the same, where the whole secret is one string",
    "key": "keys that a provider issues, shows once, and revokes",
}


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "new",
        help="write the project of a rotator of your own: function, template, events, stand-in and proof",
        description=(
            "Writes a project into a new directory: a rotator, a SAM template, the events of the four steps, a stand-in for "
            "the service and the tests that prove the rotator against it. Nothing that exists is overwritten. Exit code 0: "
            "written; 2: refused, and nothing was written."
        ),
        epilog="kinds: " + "; ".join(f"{kind}: {what}" for kind, what in KINDS.items()),
    )
    parser.add_argument("name", metavar="NAME", help=f"what is rotated: {NAMES}")
    parser.add_argument("--kind", choices=KINDS, default="password", help="kind of credential (default: password)")
    parser.add_argument(
        "--directory", type=Path, help="where to write it (default: a new directory of that name, here)"
    )
    here = "python{}.{}".format(*sys.version_info[:2])
    parser.add_argument(
        "--runtime",
        default=here,
        metavar="PYTHON",
        help=f"the function's runtime, such as python3.13 (default: {here})",
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Write it, and say what to type next."""
    try:
        name = ProjectName.of(arguments.name)
        directory: Path = arguments.directory or Path(name.kebab)
        files = rendered(name, kind=arguments.kind, runtime=_runtime(arguments.runtime), directory=directory)
        _write(directory, files)
    except (ProjectRefused, OSError) as error:
        return _fail(_sentence(error))
    print(f"{directory}/")
    for path in files:
        print(f"  {path}")
    print(f"""
Next:
  cd {directory}
  pip install -r requirements-dev.txt
  pytest -n auto    # the proof, against the stand-in
  sam build
  sam local invoke {name.resource} -e events/createSecret.json    # what it needs, python local.py serves
  sam deploy --guided""")
    return 0


def rendered(name: ProjectName, *, kind: str, runtime: str, directory: Path) -> dict[str, str]:
    """
    Return the project's files, by their path.

    Args:
        name: what is rotated.
        kind: one of `KINDS`.
        runtime: Lambda's name of a Python.
        directory: where they will lie: a rotators that is installed from a directory is named from there.

    Example:
        >>> sorted(rendered(ProjectName.of("relay"), kind="plain", runtime="python3.13", directory=Path("relay")))[0]
        '.gitignore'
    """
    words = {
        **{
            part: _part(kind, part) for part in ("secret", "parameters", "variables")
        },  # first: they have words of their own
        "kebab": name.kebab,
        "module": name.module,
        "MODULE": name.module.upper(),
        "Class": name.cls,
        "noun": name.noun,
        "runtime": runtime,
        "requirement": requirement(directory),
        "requirement_testing": requirement(directory, extra="testing"),
    }
    files: dict[str, str] = {}
    for source in (_TEMPLATES / "common", _TEMPLATES / kind):
        for path in source.rglob("*.in"):
            text = path.read_text(encoding="utf-8")
            for word, value in words.items():
                text = text.replace(f"{{{{{word}}}}}", value)
            target = path.relative_to(source).as_posix().removesuffix(".in").replace("NAME", name.module)
            files[".gitignore" if target == "gitignore" else target] = text
    return dict(sorted(files.items(), key=lambda entry: (entry[0].count("/"), entry[0])))


def _part(kind: str, part: str) -> str:
    """Return what a kind says where the common files leave a place for it."""
    path = _TEMPLATES / kind / "parts" / part
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _runtime(text: str) -> str:
    if not re.fullmatch(r"python3\.(1[1-9]|[2-9][0-9])", text):
        raise ProjectRefused(f"{text!r} is no runtime that rotators runs on: give --runtime python3.11, or a newer one")
    return text


def _write(directory: Path, files: dict[str, str]) -> None:
    if directory.is_dir() and any(directory.iterdir()):
        raise ProjectRefused(
            f"{directory} is not empty, and nothing in it is overwritten: name another with --directory"
        )
    for path, text in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename or 'the directory'} can't be written ({error.strerror}): name another with --directory"
    return str(error)


def _fail(text: str) -> int:
    print(f"rotators new: {text}", file=sys.stderr)
    return _REFUSED
