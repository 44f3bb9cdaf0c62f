"""``rotators demo``: rotate a real PostgreSQL password three times, and once with a crash in the middle."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

_INTERRUPTED = 130  # as shells count it: 128 and the signal's number
_BROKEN, _MISSING = 1, 2


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command to argparse's `commands`, and return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "demo",
        help="rotate a real PostgreSQL password three times, and once with a crash in the middle",
        description=(
            "Starts a PostgreSQL and a Secrets Manager of its own on 127.0.0.1, rotates a role's password through the "
            "real handler while a client logs in all the time, kills one rotation, and shows what happened. Exit code "
            "0: every promise was kept; 1: one was not; 2: something the demo needs is missing."
        ),
    )
    parser.add_argument("--log", type=Path, help="append the handler's log to this file (default: a new temporary one)")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Play the demo."""
    try:
        from rotators.lab import LabError  # noqa: PLC0415 - the rest of the command line works without the extra
        from rotators.lab.scenario import Scenario  # noqa: PLC0415
        from rotators.lab.stage import Stage  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is missing: pip install 'rotators[lab]'")
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # libpq would obey them
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the blocks are left, and tidied
    log = _log(arguments.log)
    try:
        kept = Scenario(Stage(sys.stdout, log, plain=_is_plain()), log).play()
    except LabError as error:
        if arguments.log is None and not log.stat().st_size:
            log.unlink()
        return _fail(str(error))
    except (KeyboardInterrupt, SystemExit) as end:
        if arguments.log is None:
            log.unlink()
        print("\ninterrupted; everything was stopped and removed", file=sys.stderr)
        return end.code if isinstance(end, SystemExit) and isinstance(end.code, int) else _INTERRUPTED
    return 0 if kept else _BROKEN


def _is_plain() -> bool:
    """Whether to print plain lines (NO_COLOR: no-color.org; an empty value does not count)."""
    terminal = sys.stdout.isatty() and os.environ.get("TERM") not in {None, "dumb"}
    return not terminal or bool(os.environ.get("NO_COLOR")) or sys.stdout.encoding.lower() not in {"utf-8", "utf8"}


def _log(named: Path | None) -> Path:
    if named is not None:
        named.touch(mode=0o600)
        return named
    descriptor, path = tempfile.mkstemp(prefix="rotators-demo-", suffix=".log")
    os.close(descriptor)
    return Path(path)


def _fail(text: str) -> int:
    print(f"rotators demo: {text}", file=sys.stderr)
    return _MISSING
