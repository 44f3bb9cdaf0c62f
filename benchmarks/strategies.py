"""
What does each strategy cost on each engine, and what do clients see? Run it: ``python benchmarks/strategies.py``.

On a PostgreSQL, a MariaDB and a MySQL, our handler and rotators of the shape of AWS's templates rotate secrets in turn, each
in its own warm process, while a client logs in with AWSCURRENT. Counted are the client's logins that failed, the Secrets
Manager calls, and the rotator's logins at the server. It ends with exit code 1 if our handler misses a goal: at most 12
calls, no login refused by the server, and none of the client's either, but for a single user without the right to keep two
passwords. The times are of this machine, at this moment; no goal is set for them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from door import Door
from measurement import MOST_CALLS, Measurement, Row
from mysqld_target import MariaDBTarget, MySQLTarget
from postgres_target import PostgresTarget
from strategies_plot import svg
from strategies_table import table
from target import OURS, THEIRS, Target

from rotators.lab import LabError
from rotators.lab.sandbox import Sandbox
from rotators.testing import Endpoint, SecretsManager

ROTATIONS, EVERY = 10, 8.0
TARGETS: dict[str, type[Target]] = {kind.key: kind for kind in (PostgresTarget, MariaDBTarget, MySQLTarget)}


def measure(kind: type[Target], rotations: int, every: float, latency: float) -> tuple[str, list[Row]]:
    """
    Rotate one secret a strategy and rotator, in turn, `rotations` times and once before, cold; `every`, `latency` in ms.

    Returns the server's name and the rows. Raises `LabError` where there is no such server on this machine.
    """
    with ExitStack() as things:
        directory = Path(things.enter_context(tempfile.TemporaryDirectory(prefix="rotators-benchmark-")))
        target = things.enter_context(kind())
        service = SecretsManager()
        door = Door(service, latency / 1000)
        url = things.enter_context(Endpoint(door))
        admin = service.client().create_secret(Name="admin", SecretString=json.dumps(target.admin()))["ARN"]
        measurements = [
            Measurement(target, strategy, rotator, service=service, door=door, admin=admin, every=every)
            for strategy in target.strategies
            for rotator in (OURS, THEIRS)
            if rotator == OURS or strategy in target.templates
        ]
        sandboxes = {
            handler: things.enter_context(sandbox(handler, url, target.server.ca_bundle, directory))
            for handler in dict.fromkeys(each.handler for each in measurements)
        }
        for number in range(rotations + 1):
            for each in measurements if number % 2 == 0 else reversed(measurements):
                each.rotate(sandboxes[each.handler])
        return str(target), [each.row for each in measurements]


def sandbox(handler: str, url: str, bundle: Path | None, directory: Path) -> Sandbox:
    """Start a process for a handler."""
    path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    environment = {"SECRETS_MANAGER_ENDPOINT": url, "PYTHONPATH": path}
    if bundle:
        environment["ROTATORS_CA_BUNDLE"] = str(bundle)
    return Sandbox(handler, environment, directory / f"{handler}.log")


def main() -> int:
    """Measure and print; 0 if every goal is met."""
    parser = argparse.ArgumentParser(description="Measure every strategy on every engine.")
    parser.add_argument("--rotations", type=int, default=ROTATIONS, metavar="N", help="of each; default %(default)s")
    parser.add_argument(
        "--every", type=float, default=EVERY, metavar="MS", help="the client logs in every MS ms; default %(default)s"
    )
    parser.add_argument(
        "--latency", type=float, default=0.0, metavar="MS", help="make each Secrets Manager call so much slower"
    )
    parser.add_argument("--engine", action="append", choices=TARGETS, help="this one alone; may be said again")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw what clients see into an SVG file")
    arguments = parser.parse_args()
    if arguments.rotations < 1 or arguments.every <= 0 or arguments.latency < 0:
        parser.error("--rotations and --every must be positive, and --latency not negative")
    servers: dict[str, str] = {}
    absent: dict[str, str] = {}
    rows: list[Row] = []
    for key in arguments.engine or TARGETS:
        try:
            servers[key], found = measure(TARGETS[key], arguments.rotations, arguments.every, arguments.latency)
        except LabError as error:
            absent[key] = str(error)
        else:
            rows += found
    missed = [goal for row in rows for goal in row.missed()]
    if arguments.json:
        print(json.dumps({"servers": servers, "absent": absent, "rows": [row.as_json() for row in rows]}))
    else:
        print(f"{arguments.rotations} warm rotations of each, in turn; a login every {arguments.every:g} ms")
        print("\n".join(table(servers, rows)))
        print(f"\nat most {MOST_CALLS} calls, no failed login where none need fail: {'NO' if missed else 'yes'}")
        print("".join(f"  missed: {goal}\n" for goal in missed), end="")
        print("".join(f"NOT MEASURED: {key}. {reason}\n" for key, reason in absent.items()), end="")
    if arguments.svg and rows:
        arguments.svg.write_text(svg(servers, rows, arguments.rotations))
    return 1 if missed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
