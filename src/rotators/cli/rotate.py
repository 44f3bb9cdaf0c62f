"""``rotators rotate``: rotate many secrets now, so many at once, and follow each to its end."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rotators.cli import account
from rotators.cli.account import Account, CommandRefused
from rotators.cli.quantity import count, natural, seconds
from rotators.cli.rotate_progress import following
from rotators.cli.rotate_text import plan, plan_json, report, report_json
from rotators.cli.terminal import printable_lines
from rotators.fleet.campaign import Campaign
from rotators.fleet.journal import Journal, JournalRefused
from rotators.fleet.limits import GAP, Limits
from rotators.fleet.plan import Action, planned
from rotators.fleet.result import Ending
from rotators.fleet.selection import UnknownSecrets, matching, named

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from rotators.fleet.candidate import Candidate
    from rotators.fleet.plan import Task

_BAD, _INTERRUPTED = 1, 130  # as shells count it: 128 and the signal's number
#: Of a plan that asks for consent; --plan prints all of it.
_SHOWN = 20


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "rotate",
        help="rotate secrets now, so many at once, and follow each to its end",
        description=(
            "Calls RotateSecret for the secrets that are named, in that order, or that --prefix and --tag find, by name; and looks "
            "at each until its new version is AWSCURRENT. What is named is started at once; what was found, if it is more than "
            "one, after --yes. Ctrl+C starts no more and follows what runs, a second one leaves. Exit code 0: all were rotated; 1: "
            "some were not; 2: refused, and nothing was started; 130: Ctrl+C."
        ),
    )
    parser.add_argument("secrets", nargs="*", metavar="SECRET", help="a name or an ARN")
    parser.add_argument("--prefix", default="", help="of the names; instead of SECRET")
    parser.add_argument(
        "--tag", action="append", default=[], metavar="KEY[=VALUE]", help="that the secrets have; may be said again"
    )
    parser.add_argument("--plan", action="store_true", help="show what would be done, and do nothing")
    parser.add_argument("--yes", action="store_true", help="start without being asked")
    parser.add_argument("--at-once", type=count, default=5, metavar="N", help="at most so many (default: 5)")
    parser.add_argument(
        "--stagger", type=seconds, default=0.0, metavar="SECONDS", help="between two starts (default: a tenth)"
    )
    parser.add_argument(
        "--apart-by", default="rotators:apart", metavar="TAG",
        help="secrets with the same value of this tag are never rotated at the same time (default: rotators:apart)",
    )  # fmt: skip
    parser.add_argument(
        "--timeout", type=seconds, default=600.0, metavar="SECONDS",
        help="follow one so long; then it is unfinished (default: 600)",
    )  # fmt: skip
    parser.add_argument(
        "--stop-after", type=natural, default=3, metavar="N",
        help="start no more when so many failed or are unfinished; 0: never stop (default: 3)",
    )  # fmt: skip
    parser.add_argument(
        "--journal", type=Path, metavar="FILE",
        help="write down what is done; said again, it goes on where a run with this file ended or died",
    )  # fmt: skip
    account.options(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Rotate them."""
    if bool(arguments.secrets) == bool(arguments.prefix or arguments.tag):
        raise CommandRefused("say which: names of secrets, or --prefix and --tag")
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED  # while it only read


def _run(arguments: argparse.Namespace) -> int:
    owner = Account(arguments)
    if len(owner.regions) > 1:
        raise CommandRefused("one Region at a time: run it once for each --region")
    client = owner.client("secretsmanager")
    file = arguments.journal
    with ExitStack() as things:
        try:  # before the secrets are read: what another run does meanwhile would be missed
            journal = things.enter_context(Journal.open(file)) if file and not arguments.plan else None
            known = journal.entries if journal else Journal.read(file) if file else {}
        except JournalRefused as refused:
            raise CommandRefused(str(refused)) from None
        tasks = planned(_candidates(client, owner.regions[0], arguments), known)
        if not arguments.secrets and all(task.action is Action.LEAVE for task in tasks):
            raise CommandRefused(f"none of the {len(tasks)} secrets found has a rotation that can be started")
        if arguments.plan:
            text = printable_lines(plan(tasks, named=bool(arguments.secrets)))
            print(plan_json(tasks) if arguments.json else text)
            return 0
        _ask(tasks, arguments)
        return _rotate(client, tasks, journal, arguments)


def _candidates(client: Any, region: str, arguments: argparse.Namespace) -> list[Candidate]:
    tags = [(key, value if said else None) for key, said, value in (tag.partition("=") for tag in arguments.tag)]
    apart_by = arguments.apart_by
    try:
        if arguments.secrets:
            return named(client, arguments.secrets, region=region, apart_by=apart_by)
        found = matching(client, prefix=arguments.prefix, tags=tags, region=region, apart_by=apart_by)
    except UnknownSecrets as unknown:
        raise CommandRefused(f"{unknown} in {region}; nothing was started") from None
    except Exception as error:
        if not type(error).__module__.startswith("botocore"):
            raise
        raise CommandRefused(f"{region}: {error}") from None
    if not found:
        raise CommandRefused(f"no secret in {region} has that prefix and these tags")
    return found


def _ask(tasks: Sequence[Task], arguments: argparse.Namespace) -> None:
    """Have somebody say yes to more than one secret that was not named."""
    starting = sum(task.action is Action.ROTATE for task in tasks)
    if arguments.secrets or arguments.yes or starting <= 1:
        return
    print(printable_lines(plan(tasks, named=False, shown=_SHOWN)), file=sys.stderr)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CommandRefused(f"say --yes to rotate these {starting} secrets; nothing was started")
    print(f"\nRotate these {starting} secrets now? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CommandRefused("nothing was started")


def _rotate(client: Any, tasks: Sequence[Task], journal: Journal | None, arguments: argparse.Namespace) -> int:
    limits = Limits(
        at_once=arguments.at_once,
        gap=max(arguments.stagger, GAP),
        timeout=arguments.timeout,
        failures=arguments.stop_after,
    )
    interrupted = False
    with following(len(tasks)) as audience:
        campaign = Campaign(client, tasks, limits=limits, audience=audience, journal=journal)

        def interrupt(*_: object) -> None:
            nonlocal interrupted
            interrupted = True
            if campaign.stopped:
                raise KeyboardInterrupt
            campaign.stop("Ctrl+C")

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            results = campaign.run()
        except KeyboardInterrupt:
            results = campaign.results
        finally:
            signal.signal(signal.SIGINT, before)
    chosen = bool(arguments.secrets)
    text = printable_lines(report(results, campaign.stopped, named=chosen))
    print(report_json(results, campaign.stopped) if arguments.json else text)
    complete = all(result.ending.good or (result.ending is Ending.LEFT_OUT and not chosen) for result in results)
    if not complete:
        print(_onward(arguments.journal), file=sys.stderr)
    return _INTERRUPTED if interrupted else 0 if complete else _BAD


def _onward(journal: Path | None) -> str:
    if journal is None:
        return (
            "rotators: what still runs goes on in AWS; given --journal FILE, the same command goes on where a run ended"
        )
    return f"rotators: the same command with --journal {journal} goes on from here"
