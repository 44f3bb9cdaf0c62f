"""``rotators event STEP``: print an event as Secrets Manager sends it; SAM's own generator has none for it."""

from __future__ import annotations

import json
import re
import sys
import uuid
from typing import TYPE_CHECKING, Any

from rotators.machine import Step

if TYPE_CHECKING:
    import argparse

#: The secret and version of the files in events/, which `rotators lab` has ready.
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rotators/database-AbCdEf"
TOKEN = "0f8c4d9e-5b1a-4c6e-9a37-2d1f7be0c5a4"
_REFUSED = 2
#: Source: API reference, RotateSecret, ClientRequestToken.
_SHORTEST, _LONGEST = 32, 64


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "event",
        help="print the event of a step, for `sam local invoke -e -`",
        description="Prints the event with which Secrets Manager calls a function for a step. Exit code 0; 2: refused.",
    )
    parser.add_argument(
        "step", metavar="STEP", choices=[step.value for step in Step], help="createSecret, setSecret, …"
    )
    parser.add_argument("--secret-id", default=SECRET, metavar="ARN", help="of the secret (default: the lab's)")
    parser.add_argument(
        "--token",
        default=TOKEN,
        metavar="TOKEN",
        help="the version's ClientRequestToken; `new` makes one (default: the lab's)",
    )
    parser.add_argument(
        "--rotation-token", action="store_true", help="with a RotationToken, as where the secret is of another account"
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    token = str(uuid.uuid4()) if arguments.token == "new" else arguments.token
    if not _SHORTEST <= len(token) <= _LONGEST:
        print(
            f"rotators event: a ClientRequestToken has {_SHORTEST} to {_LONGEST} characters, and this one {len(token)}: "
            "take a version's id, or --token new",
            file=sys.stderr,
        )
        return _REFUSED
    if not re.fullmatch(r"arn:\S+", arguments.secret_id):
        print(
            f"rotators event: Secrets Manager names a secret by its ARN, and {arguments.secret_id!r} is none: "
            "`aws secretsmanager describe-secret --secret-id NAME --query ARN` prints it",
            file=sys.stderr,
        )
        return _REFUSED
    event = {"Step": arguments.step, "SecretId": arguments.secret_id, "ClientRequestToken": token}
    if arguments.rotation_token:
        event["RotationToken"] = str(uuid.uuid4())
    print(json.dumps(event, indent=2))
    return 0
