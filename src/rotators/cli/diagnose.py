"""``rotators diagnose``: what is wrong with a secret's rotation, why, and the one command that helps."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rotators.cli import account
from rotators.cli.account import Account, CommandRefused
from rotators.cli.terminal import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from rotators.diagnosis.diagnosis import Diagnosis


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "diagnose",
        help="what is wrong with a secret's rotation, why, and the one command that helps",
        description=(
            "Says which version holds which label and what the target says to each, what a retry would do, why the rotation is "
            "stuck, and the one command that helps. Nothing is changed, no value is shown, and as few logins are made as will do. "
            "Exit code 0: healthy; 1: somebody is needed; 2: refused, or the target can't be asked from here."
        ),
    )
    options(parser)
    parser.add_argument(
        "--deep", action="store_true", help="ask AWSPREVIOUS, and versions without a label: each may be a failed login"
    )
    return parser


def options(parser: argparse.ArgumentParser) -> None:
    """Add what `diagnose` and `repair` have in common."""
    parser.add_argument("secret", metavar="SECRET", help="the secret's name or ARN")
    parser.add_argument(
        "--handler",
        default="",
        metavar="PACKAGE.MODULE.ATTRIBUTE",
        help="of a rotator of your own (default: by the value)",
    )
    account.options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Diagnose."""
    with asking(arguments) as secrets:
        found = diagnosed(arguments, secrets, deep=arguments.deep)
    print(json.dumps(found.as_json(), indent=2) if arguments.json else shown(found))
    return found.finding.state.code


def shown(found: Diagnosis) -> str:
    """Return what people read. Whoever writes the secret chooses names that stand in it."""
    return "\n".join(printable(line) for line in found.lines())


def diagnosed(arguments: argparse.Namespace, secrets: Any, *, deep: bool = False) -> Diagnosis:
    """
    Diagnose, for the arguments.

    Raises:
        CommandRefused: the secret can't be read, or no rotator is for it.
    """
    from rotators.diagnosis.diagnosis import diagnose  # noqa: PLC0415 - the engines are loaded for who asks
    from rotators.diagnosis.held import for_people  # noqa: PLC0415
    from rotators.errors import RotatorsError  # noqa: PLC0415

    said: list[str] = []
    for option, value in (("--region", (arguments.region or [""])[0]), ("--profile", arguments.profile)):
        said += [option, value] if value else []
    said += ["--endpoint-url", arguments.endpoint_url] if arguments.endpoint_url else []
    problem = ""
    try:
        return diagnose(arguments.secret, secrets, handler=arguments.handler, deep=deep, options=tuple(said))
    except RotatorsError as error:
        problem = for_people(error)
    raise CommandRefused(problem)


@contextmanager
def asking(arguments: argparse.Namespace) -> Iterator[Any]:
    """
    Make a client for the one Region that the secret is in, and let what a rotator asks beside Secrets Manager (IAM, STS, RDS)
    be asked of the same account and Region.
    """
    owner = Account(arguments)
    region = owner.region_of(arguments.secret)
    named = {"AWS_PROFILE": arguments.profile, "AWS_REGION": region}
    before = {name: os.environ.get(name) for name in named}
    os.environ.update({name: value for name, value in named.items() if value})
    try:
        yield owner.client("secretsmanager", region=region)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
