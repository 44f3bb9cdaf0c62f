"""``rotators status``: how the rotation of every secret stands, worst first."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rotators.cli import selection
from rotators.cli.terminal import FAINT, GREEN, RED, YELLOW, coloured, printable

if TYPE_CHECKING:
    import argparse
    from datetime import timedelta

    from rotators.fleet import Rotated

_BAD = 1


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "status",
        help="how the rotation of every secret stands, worst first",
        description=(
            "Lists every secret that has a rotation: stuck, failing, overdue, never rotated, off, pending, deleted, fine. It reads "
            "ListSecrets alone, a hundred secrets a call, and no value. Exit code 0: nothing is stuck, failing, overdue or was "
            "never rotated; 1: something is; 2: refused."
        ),
    )
    parser.add_argument("--all", action="store_true", help="those too that nobody ever set a rotation up for")
    selection.options(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """List them."""
    found, regions = selection.selected(arguments, everything=arguments.all)
    if arguments.json:
        print(json.dumps([secret.as_json() for secret in found], indent=2))
    else:
        _print(found, regions, everything=arguments.all)
    return _BAD if any(secret.standing.bad for secret in found) else 0


def _print(found: list[Rotated], regions: list[str], *, everything: bool) -> None:
    if not found:
        print(f"no secret{'' if everything else ' with a rotation'} in {', '.join(regions)}")
        return
    now = datetime.now(UTC)
    several = len({secret.region for secret in found}) > 1
    rows = [["", "secret", *(["region"] if several else []), "last rotated", "age", "next by", "rule"]]
    for secret in found:
        told = secret.standing.value
        if secret.pending_since is not None:
            told += f" for {_span(now - secret.pending_since)}"
        age = _span(secret.age) if secret.age is not None else "-"
        age += f" of {_span(secret.limit)}" if secret.limit is not None else ""
        name = [printable(secret.name), *([secret.region] if several else [])]
        rows.append([told, *name, _date(secret.last), age, _date(secret.next), printable(secret.rule)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        colour = _colour(found[number - 1]) if number else ""
        if colour:
            cells[0] = coloured(cells[0], colour, sys.stdout)
        print("  ".join(cells).rstrip())
    bad = sum(secret.standing.bad for secret in found)
    print(f"\n{len(found)} secrets{'' if everything else ' with a rotation'}, {bad} of which need somebody")


def _colour(secret: Rotated) -> str:
    if secret.standing.bad:
        return RED
    return {"fine": GREEN, "pending": YELLOW, "rotation off": YELLOW}.get(secret.standing.value, FAINT)


def _date(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d}" if at else "-"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    hours = minutes // 60
    if not hours:
        return f"{minutes} min"
    return f"{hours // 24} d" if hours >= 24 else f"{hours} h"  # noqa: PLR2004
