"""``rotators report``: one page about every rotation, for an auditor."""

from __future__ import annotations

import getpass
import json
import platform
import shlex
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from rotators.cli import selection
from rotators.cli.account import CommandRefused
from rotators.cli.output import replacing

if TYPE_CHECKING:
    import argparse


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "report",
        help="one page about every rotation, for an auditor",
        description=(
            "Writes one HTML page that needs nothing else: what is stuck or overdue, ages against rules, a timeline, and a "
            "table of every secret with a rotation. It reads ListSecrets alone, a hundred secrets a call, and no value. An "
            "existing file is replaced only by a complete one. Exit code 0: written, whatever it says; 2: refused."
        ),
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="where to write the page")
    parser.add_argument("--by", metavar="NAME", help="who makes it, for the page (default: the user and this machine)")
    selection.options(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Write it."""
    if arguments.html is None and not arguments.json:
        raise CommandRefused("nothing to write: name a file with --html, or give --json")
    from rotators.fleet.report import Figures, Origin, page  # noqa: PLC0415 - for this command alone

    with ExitStack() as stack:
        file = stack.enter_context(replacing(arguments.html)) if arguments.html else None
        found, regions = selection.selected(arguments)
        now = datetime.now(UTC)
        origin = Origin(now, arguments.by or _user(), _command(arguments), regions, _version())
        figures = Figures(found, now)
        if file:
            file.write(page(figures, origin))
    if arguments.json:
        print(json.dumps(origin.as_json() | figures.as_json(), indent=2))
    else:
        print(f"{arguments.html}: {len(found)} secrets with a rotation, {len(figures.bad)} of which need somebody")
    return 0


def _user() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # an id without a name, in a container
        user = "somebody"
    return f"{user} on {platform.node()}"


def _command(arguments: argparse.Namespace) -> str:
    """Return what was typed, but for a password in the URL."""
    typed = ["rotators", "report"]
    for name in ("html", "by", "prefix", "tag", "region", "profile", "endpoint_url"):
        values = getattr(arguments, name)
        for value in values if isinstance(values, list) else [values]:
            if value:
                shown = _without_user(value) if name == "endpoint_url" else str(value)
                typed += [f"--{name.replace('_', '-')}", shown]
    return shlex.join([*typed, "--json"] if arguments.json else typed)


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _version() -> str:
    try:
        return version("rotators")
    except PackageNotFoundError:
        return "from a checkout"
