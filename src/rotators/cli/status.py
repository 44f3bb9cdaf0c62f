"""``rotators status``: how the rotation of every secret stands, worst first."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rotators.cli import account
from rotators.cli.account import Account, CommandRefused

if TYPE_CHECKING:
    import argparse

    from rotators.fleet import Rotated

_BAD = 1


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "status",
        help="how the rotation of every secret stands, worst first",
        description=(
            "Lists every secret that has a rotation: stuck, overdue, never rotated, off, pending, deleted, fine. It reads "
            "ListSecrets alone, a hundred secrets a call, and no value. Exit code 0: nothing is stuck, overdue or was never "
            "rotated; 1: something is; 2: refused."
        ),
    )
    parser.add_argument("--prefix", default="", help="of the names")
    parser.add_argument(
        "--tag", action="append", default=[], metavar="KEY[=VALUE]", help="that the secrets have; may be said again"
    )
    account.options(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """List them."""
    from rotators.fleet import listed  # noqa: PLC0415 - with boto3's exceptions below

    owner = Account(arguments)
    tags = [(key, value if said else None) for key, said, value in (tag.partition("=") for tag in arguments.tag)]
    found: list[Rotated] = []
    for region in owner.regions:
        client = owner.client("secretsmanager", region=region)
        try:
            found += listed(client, region=region, prefix=arguments.prefix, tags=tags, progress=_progress(region))
        except Exception as error:
            if not type(error).__module__.startswith("botocore"):
                raise
            raise CommandRefused(f"{region}: {error}") from None
    found.sort(key=lambda secret: secret.order)
    if arguments.json:
        print(json.dumps([secret.as_json() for secret in found], indent=2))
    else:
        _print(found)
    return _BAD if any(secret.standing.bad for secret in found) else 0


def _progress(region: str) -> Any:
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda read: print(f"\r{region}: {read} secrets read ", end="", file=sys.stderr, flush=True)


def _print(found: list[Rotated]) -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if not found:
        print("no secret with a rotation")
        return
    now = datetime.now(UTC)
    rows = [("", "secret", "last rotated", "next by", "rule")]
    for secret in found:
        told = secret.standing.value
        if secret.pending_since is not None:
            told += f" for {_days(now - secret.pending_since)}"
        rows.append((told, secret.name, _date(secret.last), _date(secret.next), secret.rule))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    bad = sum(secret.standing.bad for secret in found)
    print(f"\n{len(found)} secrets with a rotation, {bad} of which need somebody")


def _date(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}" if at else "-"


def _days(span: Any) -> str:
    hours = int(span.total_seconds() // 3600)
    return f"{hours // 24} d" if hours >= 24 else f"{hours} h"  # noqa: PLR2004
