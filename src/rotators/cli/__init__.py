"""The command ``rotators``: one module a subcommand, each with an `add` and a `run`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from rotators.cli import check, demo, diagnose, event, lab, new, repair, report, rotate, status
from rotators.cli.account import CommandRefused
from rotators.cli.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = (check, demo, diagnose, event, lab, new, repair, report, rotate, status)
#: The last two as shells count them: 128 and the signal's number.
_REFUSED, _INTERRUPTED, _PIPE = 2, 130, 141


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
        sys.stdout.flush()  # what fails here shall be told here
    except CommandRefused as refused:
        print(f"rotators: {printable(str(refused))}", file=sys.stderr)
        return _REFUSED
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's own last flush fails
        return _PIPE
    except KeyboardInterrupt:
        print("\nrotators: interrupted; a rotation that was begun goes on in AWS", file=sys.stderr)
        return _INTERRUPTED
    return code
