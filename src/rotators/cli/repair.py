"""``rotators repair``: shows how a secret's rotation is mended and why that is safe; with ``--yes`` it does it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rotators.cli import diagnose
from rotators.cli.quantity import seconds
from rotators.cli.terminal import printable

if TYPE_CHECKING:
    import argparse

    from rotators.diagnosis.diagnosis import Diagnosis

_WAIT = 60.0


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "repair",
        help="mend a secret's rotation: shows the plan, and does it with --yes",
        description=(
            "Diagnoses the secret and shows what would mend it, step by step, each with why it is safe. With --yes it does that, "
            "if the secret still stands as it was diagnosed, and diagnoses again. It may run twice, or five times at once. "
            "Exit code as of diagnose: 0: healthy; 1: somebody is needed, or, without --yes, there is something to do; 2: "
            "refused, or the target can't be asked from here: then nothing is done."
        ),
    )
    diagnose.options(parser)
    parser.add_argument("--yes", action="store_true", help="do it")
    parser.add_argument(
        "--wait",
        type=seconds,
        default=_WAIT,
        metavar="SECONDS",
        help=f"how long to follow a rotation (default: {_WAIT:g})",
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Show the plan; do it."""
    with diagnose.asking(arguments) as secrets:
        before = diagnose.diagnosed(arguments, secrets)
        shown = _Shown(arguments, before)
        if not arguments.yes or not before.finding.plan:
            shown.end(before)
            return before.finding.state.code
        _do(before, secrets, arguments, shown)
        after = diagnose.diagnosed(arguments, secrets)
    shown.end(after)
    return after.finding.state.code


def _do(before: Diagnosis, secrets: Any, arguments: argparse.Namespace, shown: _Shown) -> None:
    from rotators.diagnosis.repair import Changed, Repair  # noqa: PLC0415 - the engines are loaded for who asks
    from rotators.errors import RotatorsError  # noqa: PLC0415

    repair = Repair(before, secrets, wait=arguments.wait)
    try:
        repair.run(shown.did)
    except Changed:
        shown.did(
            "the secret is not what it was when it was diagnosed: somebody else is at work on it, and nothing more was done"
        )
        repair.follow()
    except RotatorsError as error:
        shown.did(f"that failed, and nothing more was done: {error}")


class _Shown:
    """What the operator sees: text as it comes, or JSON at the end."""

    def __init__(self, arguments: argparse.Namespace, before: Diagnosis) -> None:
        self._json, self._yes = arguments.json, arguments.yes
        self._before = before
        self._done: list[str] = []
        if self._json:
            return
        plan = before.finding.plan
        print(diagnose.shown(before))
        idle = "Nothing to do here: what helps stands above" if before.finding.state.code else "Nothing to do"
        print(f"\n{'Plan' if plan else idle}")
        for number, action in enumerate(plan, 1):
            print(f"{number}. {printable(action.text)}\n   safe, as {printable(action.why)}")
        if plan and not self._yes:
            print("\nNothing was changed. With --yes it is done.")
        elif plan:
            print("\nDone", flush=True)

    def did(self, text: str) -> None:
        """Tell what was done."""
        self._done.append(text)
        if not self._json:
            print(printable(text), flush=True)

    def end(self, after: Diagnosis) -> None:
        """Show how it stands now."""
        if self._json:
            result = {"before": self._before.as_json(), "done": self._done, "after": after.as_json()}
            print(json.dumps(result, indent=2))
        elif after is not self._before:
            print("\nNow\n" + diagnose.shown(after))
