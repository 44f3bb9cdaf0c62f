"""
How many Secrets Manager calls does a rotation make? Run it: ``python benchmarks/calls.py``.

It counts at the service, not in our code, and ends with exit code 1 if a rotation in one sandbox makes more than 12.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from stage import OURS, THEIRS, Stage, stage

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 12
OPERATIONS = (
    "DescribeSecret",
    "GetSecretValue",
    "GetRandomPassword",
    "PutSecretValue",
    "UpdateSecretVersionStage",
)
RETRIED = ("createSecret", "setSecret", "finishSecret")


def one_sandbox(on: Stage, handler: str) -> list[Counter[str]]:
    """Two rotations in one process: the first finds nothing in its memory, the second is warm."""
    with on.sandbox(handler) as sandbox:
        return [_counted(on, lambda: on.rotate(sandbox)) for _ in range(2)]


def new_process_each_step(on: Stage, handler: str) -> Counter[str]:
    """One rotation, every step a cold start."""

    def invoke(event: dict[str, Any], context: Any) -> None:
        with on.sandbox(handler) as sandbox:
            sandbox(event, context)

    return _counted(on, lambda: on.rotate(invoke))


def retries(on: Stage, handler: str) -> dict[str, Counter[str]]:
    """What each step asks for when it runs a second time, in the same process, after it has succeeded."""
    found: dict[str, Counter[str]] = {}
    with on.sandbox(handler) as sandbox:

        def invoke(event: dict[str, Any], context: Any) -> None:
            sandbox(event, context)
            if event["Step"] in RETRIED:
                found[event["Step"]] = _counted(on, lambda: sandbox(event, context))

        on.rotate(invoke)
    return found


def _counted(on: Stage, work: Callable[[], None]) -> Counter[str]:
    before = len(on.world.calls)
    work()
    return Counter(on.world.calls[before:])


def measure() -> dict[str, dict[str, Counter[str]]]:
    """Count everything, for ours and for the rotator of the template's shape."""
    found: dict[str, dict[str, Counter[str]]] = {}
    with stage() as on:
        for name, handler in (("ours", OURS), ("template", THEIRS)):
            first, second = one_sandbox(on, handler)
            found[name] = {
                "rotation": first,
                "warm": second,
                "cold steps": new_process_each_step(on, handler),
                **retries(on, handler),
            }
    return found


def table(found: dict[str, dict[str, Counter[str]]]) -> list[str]:
    """Lay the numbers out."""
    ours, theirs = found["ours"], found["template"]
    columns = {
        "template's": theirs["rotation"],
        "(a) first": ours["rotation"],
        "(a) warm": ours["warm"],
        "(b) cold": ours["cold steps"],
    }
    others = sorted(set().union(*columns.values()) - set(OPERATIONS))
    lines = [f"{'Secrets Manager calls of a rotation':36}" + "".join(f"{name:>12}" for name in columns)]
    lines += [
        f"  {operation:34}" + "".join(f"{counts[operation]:>12}" for counts in columns.values())
        for operation in (*OPERATIONS, *others)
    ]
    lines += [f"  {'all':34}" + "".join(f"{counts.total():>12}" for counts in columns.values()), ""]
    lines += [
        "  template's: a rotator of the shape of AWS's PostgreSQL single-user template",
        "  (a) our handler, the four steps in one sandbox: its first rotation, and one when it is warm",
        "  (b) our handler, each step in a new process",
        "",
        f"{'(c) calls of a step that is run again':36}{'template':>12}{'ours':>12}",
    ]
    lines += [f"  {step:34}{theirs[step].total():>12}{ours[step].total():>12}" for step in RETRIED]
    return lines


def main() -> int:
    """Print the table; 0 if a rotation stays within the limit."""
    parser = argparse.ArgumentParser(description="Count the Secrets Manager calls of a rotation.")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    found = measure()
    most = max(found["ours"][which].total() for which in ("rotation", "warm"))
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(table(found)))
        print(f"\nat most {MOST} in one sandbox: {'yes' if most <= MOST else 'NO'}, {most}")
    return 0 if most <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
