"""
What does a cold start cost? Run it: ``python benchmarks/cold_start.py``.

Lambda starts a process for the first step of most rotations. Ours and a rotator of the shape of AWS's template rotate in turn,
each in new processes: measured are the time from a process's start to createSecret's answer, to finishSecret's, a rotation
whose every step is a cold start, the processor's time of it, and the most memory; then what each function's import alone takes,
and with ``--artifact`` what is uploaded. Only the ratios mean something: the times are this machine's, now.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from pkgutil import iter_modules
from statistics import median
from typing import TYPE_CHECKING, Any

from mysqld_target import MariaDBTarget
from postgres_target import PostgresTarget
from strategies import sandbox
from target import OURS, THEIRS, Strategy, Target

from rotators import handlers
from rotators.testing import Endpoint, SecretsManager, rotate

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 7
TARGETS: dict[str, type[Target]] = {kind.key: kind for kind in (PostgresTarget, MariaDBTarget)}
#: What is measured, and the ratio to the template's that is the goal; None: no goal.
MEASURES: dict[str, tuple[str, float | None]] = {
    "first": ("createSecret answered, ms", 1.0),
    "rotation": ("rotation from cold, ms", 1.0),
    "first_processor": ("createSecret, processor's ms", 1.0),
    "rotation_processor": ("rotation, processor's ms", 1.0),
    "cold_steps": ("rotation, every step cold, ms", None),
    "memory": ("most memory, MiB", 1.1),
}
Samples = dict[str, list[float]]


def measure(kind: type[Target], rounds: int) -> dict[str, Samples]:
    """Rotate a single user's secret of each rotator `rounds` times, in turn, after one round that fills the disk's cache."""
    with ExitStack() as things:
        directory = Path(things.enter_context(tempfile.TemporaryDirectory(prefix="rotators-benchmark-")))
        target = things.enter_context(kind())
        service = SecretsManager()
        url = things.enter_context(Endpoint(service))
        arns = {
            rotator: service.client().create_secret(
                Name=rotator, SecretString=json.dumps(target.user(f"cold_{rotator}", Strategy.SINGLE))
            )["ARN"]
            for rotator in (OURS, THEIRS)
        }
        found: dict[str, Samples] = {rotator: defaultdict(list) for rotator in arns}
        for number in range(rounds + 1):
            for rotator in (OURS, THEIRS) if number % 2 else (THEIRS, OURS):
                handler = target.handler(Strategy.SINGLE, rotator)
                run = _Run(partial(sandbox, handler, url, target.server.ca_bundle, directory))
                taken = run.in_one(service, arns[rotator]) | run.in_four(service, arns[rotator])
                if number:
                    for name, value in taken.items():
                        found[rotator][name].append(value)
        return found


class _Run:
    """Rotations in new sandboxes."""

    def __init__(self, start: Callable[[], Any]) -> None:
        self._start = start

    def in_one(self, service: SecretsManager, arn: str) -> dict[str, float]:
        """All four steps in one sandbox, which starts cold."""
        answered: list[float] = []
        spent: list[float] = []
        began = time.perf_counter()
        with self._start() as started:

            def invoke(event: dict[str, Any], context: Any) -> None:
                started(event, context)
                answered.append((time.perf_counter() - began) * 1000)
                spent.append(_processor(started.pid))

            _rotated(service, arn, invoke)
            memory = _most_memory(started.pid)
        return {
            "first": answered[0],
            "rotation": answered[-1],
            "first_processor": spent[0],
            "rotation_processor": spent[-1],
            "memory": memory,
        }

    def in_four(self, service: SecretsManager, arn: str) -> dict[str, float]:
        """A sandbox for each step."""
        spent: list[float] = []

        def invoke(event: dict[str, Any], context: Any) -> None:
            began = time.perf_counter()
            with self._start() as started:
                started(event, context)
                spent.append((time.perf_counter() - began) * 1000)

        _rotated(service, arn, invoke)
        return {"cold_steps": sum(spent)}


def _rotated(service: SecretsManager, arn: str, handler: Callable[[dict[str, Any], Any], None]) -> None:
    outcome = rotate(service, arn, handler)
    if not outcome.succeeded:
        raise SystemExit(f"the rotation failed: {outcome.error}")


def _most_memory(pid: int) -> float:
    """Return what the kernel calls the high-water mark of a process, in MiB; 0 where it does not say (it does on Linux)."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _processor(pid: int) -> float:
    """Return what all threads of a process have had of the processor, in milliseconds; 0 where the kernel does not say."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e6


def imports(rounds: int) -> Samples:
    """Measure a process that imports a function's handler and ends; the first, ``nothing``, imports none. Milliseconds."""
    names = [module.name for module in iter_modules(handlers.__path__)]
    statements = {"nothing": ""} | {name: f"import rotators.handlers.{name}" for name in names}
    statements["template"] = "import single_user_template"
    found: Samples = defaultdict(list)
    for number in range(rounds + 1):
        for name, statement in statements.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True, cwd=Path(__file__).parent)
            if number:
                found[name].append((time.perf_counter() - began) * 1000)
    return found


def artifact() -> dict[str, float]:
    """Build what `sam build` makes of a function, for this Python, and weigh it, in MiB: unpacked, and as Lambda is sent it."""
    version = "{}.{}".format(*sys.version_info[:2])
    with tempfile.TemporaryDirectory(prefix="rotators-benchmark-") as directory:
        built = Path(directory, "artifact")
        subprocess.run(
            [Path(__file__).parents[1] / ".ci/artifact", built],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYV": version, "PLAT": f"{platform.machine()}-manylinux_2_28"},
        )
        unpacked = sum(file.stat().st_size for file in built.rglob("*") if file.is_file())
        packed = Path(shutil.make_archive(str(Path(directory, "zip")), "zip", built)).stat().st_size
    return {"unpacked": unpacked / 2**20, "packed": packed / 2**20}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure cold starts beside a rotator of the shape of AWS's template.")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="of each; default %(default)s")
    parser.add_argument("--engine", action="append", choices=TARGETS, help="this one alone; may be said again")
    parser.add_argument("--artifact", action="store_true", help="build what is uploaded, and weigh it")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be positive")
    found = {key: measure(TARGETS[key], arguments.rounds) for key in arguments.engine or TARGETS}
    alone, weight = imports(arguments.rounds), artifact() if arguments.artifact else {}
    missed = [
        f"{key}: {MEASURES[name][0]}"
        for key in found
        for name, (_, goal) in MEASURES.items()
        if goal is not None and _ratio(found[key], name) > goal
    ]
    if arguments.json:
        print(json.dumps({"rotations": found, "imports": alone, "artifact": weight, "missed": missed}))
        return 0
    print(f"medians of {arguments.rounds}, in turn, each in new processes\n")
    print(f"{'':42}{'ours':>8}{'template':>10}{'ratio':>8}   goal")
    for key, rotators in found.items():
        for name, (title, goal) in MEASURES.items():
            ours, theirs = (median(rotators[rotator][name]) for rotator in (OURS, THEIRS))
            ratio = _ratio(rotators, name)
            said = "" if goal is None else f"at most {goal:.1f}: {'yes' if ratio <= goal else 'NO'}"
            print(f"{key:10}{title:32}{ours:8.0f}{theirs:10.0f}{ratio:8.2f}   {said}".rstrip())
    print("\nthe import of a handler alone, ms more than a process that imports nothing")
    nothing = median(alone.pop("nothing"))
    print("  ".join(f"{name} {median(values) - nothing:.0f}" for name, values in alone.items()))
    if weight:
        print(f"\nthe artifact: {weight['packed']:.1f} MiB as a zip, {weight['unpacked']:.1f} MiB unpacked")
    return 0


def _ratio(rotators: dict[str, Samples], name: str) -> float:
    ours, theirs = (median(rotators[rotator][name]) for rotator in (OURS, THEIRS))
    return ours / theirs if theirs else 0.0


if __name__ == "__main__":
    sys.exit(main())
