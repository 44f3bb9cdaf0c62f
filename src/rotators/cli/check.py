"""``rotators check SECRET``: everything that can be asked before its rotation is switched on; nothing is changed."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

from rotators.cli import account
from rotators.cli.account import Account, CommandRefused
from rotators.cli.terminal import FAINT, GREEN, RED, YELLOW, coloured, printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from rotators.diagnosis.beforehand import Line, Subject

_FAILED = 1
_COLOURS = {"passed": GREEN, "warning": YELLOW, "failed": RED, "not asked": FAINT}


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "check",
        help="what would stop a secret's rotation, asked before it is switched on",
        description=(
            "Asks whether a secret can be rotated: its value, its labels and policies, the server, the credentials, the rights of "
            "the user and the admin, the room for keys, the function, its network, the schedule. It logs in and reads; nothing is "
            "changed. Exit code 0: nothing failed; 1: something did; 2: refused."
        ),
    )
    parser.add_argument("secret", metavar="SECRET", help="its name or ARN")
    parser.add_argument(
        "--handler", default="", metavar="MODULE.ATTRIBUTE", help="of a rotator of your own, as the function names it"
    )
    parser.add_argument(
        "--function", default="", metavar="ARN", help="that is to rotate it (default: the one the secret names)"
    )
    parser.add_argument(
        "--schedule", metavar="EXPR", help="that is thought of, such as 'rate(30 days)' (default: the secret's)"
    )
    parser.add_argument("--duration", metavar="H", help="of its window, in hours, such as 2h")
    account.options(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Ask."""
    from rotators.diagnosis.beforehand import Answer, checked  # noqa: PLC0415 - engines and all

    subject = _subject(arguments)
    found: list[Line] = []
    for line in checked(subject):
        found.append(line)
        if not arguments.json:
            _print(line)
    failed = sum(line.answer is Answer.FAILED for line in found)
    if arguments.json:
        print(json.dumps(_json(subject, found), indent=2))
    else:
        others = [f"{sum(line.answer is one for line in found)} {one}" for one in Answer if one is not Answer.FAILED]
        print(f"\n{failed} failed, {', '.join(others)}; nothing was changed")
    return _FAILED if failed else 0


def _subject(arguments: argparse.Namespace) -> Subject:
    from rotators.diagnosis.beforehand import Subject  # noqa: PLC0415
    from rotators.diagnosis.beforehand.asking import NotAsked, NotThere  # noqa: PLC0415

    owner = Account(arguments)
    secret = arguments.secret
    region = owner.region_of(secret)
    problem = ""
    try:
        return Subject(
            lambda service: owner.client(service, region=region, hurried=True),
            secret,
            region=region,
            handler=arguments.handler,
            function=arguments.function,
            schedule=_schedule(arguments),
        )
    except NotThere:
        problem = f"there is no secret {printable(secret)} in {region}: see `rotators status`, or give --region"
    except NotAsked as error:
        problem = f"{printable(secret)} can't be described: {error}"
    raise CommandRefused(problem)


def _schedule(arguments: argparse.Namespace) -> dict[str, str] | None:
    if arguments.duration is not None and not re.fullmatch(r"[0-9]{1,2}h?", arguments.duration):
        raise CommandRefused("--duration is a number of hours, such as 2h")
    if arguments.schedule is None:
        if arguments.duration is not None:
            raise CommandRefused("--duration belongs to a --schedule: give both")
        return None
    window = {"Duration": f"{arguments.duration.removesuffix('h')}h"} if arguments.duration is not None else {}
    return {"ScheduleExpression": arguments.schedule, **window}


def _print(line: Line) -> None:
    answer = coloured(f"{line.answer:<9}", _COLOURS[line.answer], sys.stdout)
    print(f"{answer}  {line.name:<15}  {printable(line.text)}", flush=True)
    if line.remedy:
        print(f"{'':28}{coloured('→', FAINT, sys.stdout)} {printable(line.remedy)}", flush=True)


def _json(subject: Subject, found: Iterable[Line]) -> dict[str, Any]:
    return {
        "secret": subject.arn,
        "region": subject.region,
        "checks": [
            {"check": line.name, "answer": line.answer.value, "text": line.text, "remedy": line.remedy}
            for line in found
        ],
    }
