"""
How long does AWSCURRENT not open in a single-user rotation? Run it: ``python benchmarks/outage_window.py``.

PostgreSQL keeps one password a role, so between the change of the password and the move of AWSCURRENT a client is
refused. Here our handler and a rotator of the shape of AWS's template rotate the same secret in turn, each in its own
warm process, while a client logs in with AWSCURRENT. Nothing is asserted; the times are of this machine, at this moment.
On a machine that does something else, believe the ratio rather than the milliseconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from server_log import ServerLog
from stage import OURS, THEIRS, Stage, stage
from window_client import WindowClient, gap, over_the_socket, reader
from window_plot import chart, svg

from rotators.lab.world import SECRET

if TYPE_CHECKING:
    from rotators.lab.sandbox import Sandbox

ROTATIONS, EVERY = 15, 8.0
NAMES = {"ours": OURS, "template": THEIRS}


@dataclass
class Series:
    """What one rotator's rotations showed, one entry each. Times in milliseconds.

    client:  the time in which the client was refused
    rotator: the same by the rotator's own clock, from the server's answer to ALTER ROLE to that of the label's move
    proofs:  logins with the new password that were let in
    refused: logins of the rotator that the server refused
    """

    client: list[float] = field(default_factory=list)
    rotator: list[float] = field(default_factory=list)
    proofs: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


def measure(
    rotations: int, every: float, latency: float = 0.0, *, large_bundle: bool = False
) -> tuple[str, dict[str, Series]]:
    """Rotate in turn; returns the server's name, and what was seen of each rotator. `every`, `latency`: milliseconds."""
    with (
        stage(latency=latency / 1000, large_bundle=large_bundle) as on,
        on.sandbox(OURS) as ours,
        on.sandbox(THEIRS) as theirs,
    ):
        server = on.world.server
        for sandbox in (ours, theirs):
            on.rotate(sandbox)  # the cold start is not what is measured
        series = {name: Series() for name in NAMES}
        log = ServerLog(server.log)
        with WindowClient(reader(on.world.service, SECRET), over_the_socket(server), every) as client:
            for number in range(rotations):
                pairs = list(zip(series.values(), (ours, theirs), strict=True))
                for one, sandbox in pairs if number % 2 == 0 else reversed(pairs):
                    _rotation(on, one, sandbox, client, log)
        return f"PostgreSQL {server.version}, {'TLS' if server.tls else 'without TLS'}", series


def _rotation(on: Stage, one: Series, sandbox: Sandbox, client: WindowClient, log: ServerLog) -> None:
    since, written = time.monotonic(), sandbox.log.stat().st_size
    on.rotate(sandbox)
    one.client.append(gap(client.seen(since)))
    opened, refused = log.logins()
    one.proofs.append(opened - 1)  # one is current's, over which the password was changed
    one.refused.append(refused)
    one.rotator += _measured(sandbox.log, written)


def _measured(log: Path, since: int) -> list[float]:
    lines = log.read_bytes()[since:].decode(errors="replace").splitlines()
    return [float(json.loads(line)["outage_window_ms"]) for line in lines if '"outage_window_ms"' in line]


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """The first quartile, the median and the third."""
    if len(values) < 2:
        return (values[0],) * 3 if values else (float("nan"),) * 3
    low, middle, high = quantiles(values, method="inclusive")
    return low, middle, high


def table(series: dict[str, Series]) -> list[str]:
    """Lay the numbers out."""
    lines = [f"{'milliseconds':30}{'median':>8}{'quartiles':>16}{'least':>8}{'most':>8}"]
    for what, title in (("client", "the client was refused"), ("rotator", "by the rotator's own clock")):
        lines.append(title)
        for name, one in series.items():
            values = getattr(one, what)
            low, middle, high = quartiles(values)
            spread = f"{low:.1f} - {high:.1f}"
            lines.append(f"  {name:28}{middle:8.1f}{spread:>16}{min(values):8.1f}{max(values):8.1f}")
        ours, theirs = (quartiles(getattr(one, what))[1] for one in series.values())
        lines.append(f"  {'ours / template':28}{ours / theirs if theirs else float('nan'):8.2f}")
    lines.append("logins of the rotator, a rotation")
    lines += [
        f"  {name:28}{median(one.proofs):.0f} with the new password, {median(one.refused):.0f} refused by the server"
        for name, one in series.items()
    ]
    return lines


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure how long AWSCURRENT does not open during a rotation.")
    parser.add_argument("--rotations", type=int, default=ROTATIONS, metavar="N", help="of each; default %(default)s")
    parser.add_argument(
        "--every", type=float, default=EVERY, metavar="MS", help="the client logs in every MS ms; default %(default)s"
    )
    parser.add_argument(
        "--latency", type=float, default=0.0, metavar="MS", help="make each Secrets Manager call so much slower"
    )
    parser.add_argument(
        "--large-bundle", action="store_true", help="trust this machine's authorities too, as a function in AWS does"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the client's times into an SVG file")
    arguments = parser.parse_args()
    if arguments.rotations < 1 or arguments.every <= 0 or arguments.latency < 0:
        parser.error("--rotations and --every must be positive, and --latency not negative")
    server, series = measure(
        arguments.rotations, arguments.every, arguments.latency, large_bundle=arguments.large_bundle
    )
    if arguments.large_bundle:
        server += ", a large CA bundle"
    if arguments.latency:
        server += f", Secrets Manager {arguments.latency:g} ms slower"
    values = {name: one.client for name, one in series.items()}
    if arguments.json:
        print(json.dumps({"server": server, "unit": "ms"} | {name: asdict(one) for name, one in series.items()}))
    else:
        print(
            f"{server}; {arguments.rotations} warm rotations of each, in turn; a login every {arguments.every:g} ms\n"
        )
        print("\n".join([*table(series), "", *chart(values)]))
    if arguments.svg:
        arguments.svg.write_text(svg(values, server))
    return 0


if __name__ == "__main__":
    sys.exit(main())
