"""The command ``rotators``: one module a subcommand, each with an `add` and a `run`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from rotators.cli import check, demo, diagnose, event, lab, new, repair, report, rotate, status
from rotators.cli.account import CommandRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (check, demo, diagnose, event, lab, new, repair, report, rotate, status)
_REFUSED, _INTERRUPTED = 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: the process's own) and return its exit code.

    >>> main(["demo"])
    0
    """
    parser = argparse.ArgumentParser(
        prog="rotators", description="Rotation functions for AWS Secrets Manager, on this machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands).set_defaults(run=command.run)
    arguments = parser.parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except CommandRefused as refused:
        print(f"rotators: {refused}", file=sys.stderr)
        return _REFUSED
    except KeyboardInterrupt:
        print("\nrotators: interrupted; a rotation that was begun goes on in AWS", file=sys.stderr)
        return _INTERRUPTED
    return code
