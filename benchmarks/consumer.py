"""
Do applications notice a rotation? Run it: ``python benchmarks/consumer.py``.

On a PostgreSQL and a MariaDB, a secret of each strategy is rotated again and again, while clients log in all the time: some
through ``rotators.consumer``, some with a value that they keep for a while and no more. It ends with exit code 1 if one
request of the first kind failed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pymysql
from consumer_plot import svg
from mysqld_target import MariaDBTarget
from postgres_target import PostgresTarget
from strategies import sandbox
from strategies_table import TITLES
from target import OURS, Strategy, Target

from rotators.consumer import CachedSecret
from rotators.consumer import psycopg as consumer_psycopg
from rotators.consumer import pymysql as consumer_pymysql
from rotators.testing import Endpoint, SecretsManager, rotate

if TYPE_CHECKING:
    from collections.abc import Callable

ROTATIONS, CLIENTS, KEEP, PAUSE = 100, 2, 0.5, 0.6
TARGETS: dict[str, type[Target]] = {kind.key: kind for kind in (PostgresTarget, MariaDBTarget)}
CONSUMER, PLAIN = "rotators.consumer", "plain cache"


@dataclass
class Row:
    """
    What one kind of client saw.

    engine, strategy, client: who and where
    requests:  logins, each a request of an application
    failed_in: those that raised, rotation by rotation, until the next one began
    slowest:   the longest, in milliseconds
    errors:    what was raised, once each
    """

    engine: str
    strategy: Strategy
    client: str
    requests: int = 0
    failed_in: list[int] = field(default_factory=list)
    slowest: float = 0.0
    errors: set[str] = field(default_factory=set)

    @property
    def ours(self) -> bool:
        """Whether these clients used ``rotators.consumer``."""
        return self.client == CONSUMER

    @property
    def failed(self) -> int:
        """Of all requests."""
        return sum(self.failed_in)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            **self.__dict__,
            "strategy": self.strategy.value,
            "failed": self.failed,
            "errors": sorted(self.errors),
        }


class Clients:
    """Threads that log in all the time."""

    def __init__(self, row: Row, request: Callable[[], Any], number: int) -> None:
        self._row, self._request = row, request
        self._lock, self._end = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(number)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._end.wait(0.005):
            began, error = time.perf_counter(), ""
            try:
                self._request().close()
            except Exception as raised:  # noqa: BLE001 - whatever it is, the application has it
                error = f"{type(raised).__name__}: {str(raised).strip()[:120]}"
            taken = (time.perf_counter() - began) * 1000
            with self._lock:
                self._row.requests += 1
                self._row.failed_in[-1] += bool(error)
                self._row.slowest = max(self._row.slowest, taken)
                self._row.errors |= {error} if error else set()


class Kept:
    """A value kept for `seconds`, and read anew after that: what most applications do."""

    def __init__(self, client: Any, arn: str, seconds: float) -> None:
        self._client, self._arn, self._seconds = client, arn, seconds
        self._value: dict[str, Any] = {}
        self._until = 0.0

    def log_in(self) -> Any:
        """Log in with it, as it is."""
        if time.monotonic() >= self._until:
            self._value = json.loads(self._client.get_secret_value(SecretId=self._arn)["SecretString"])
            self._until = time.monotonic() + self._seconds
        return plain_login(self._value)


def plain_login(value: dict[str, Any]) -> Any:
    """Log in with a value as it is."""
    where = {"host": value["host"], "port": value["port"], "user": value["username"], "password": value["password"]}
    bundle = os.environ.get("ROTATORS_CA_BUNDLE")
    if value["engine"] == "postgres":
        trust: dict[str, Any] = {"sslmode": "verify-full", "sslrootcert": bundle} if bundle else {"sslmode": "disable"}
        return psycopg.connect(**where, dbname=value["dbname"], **trust)
    return pymysql.connect(
        **where, database=value["dbname"], **({"ssl_ca": bundle} if bundle else {"ssl_disabled": True})
    )


def measure(kind: type[Target], rotations: int, clients: int, keep: float) -> tuple[str, list[Row]]:
    """
    Rotate a secret of each strategy `rotations` times under load; `keep` in seconds.

    Returns the server's name and the rows.
    """
    rows: list[Row] = []
    with ExitStack() as things:
        directory = Path(things.enter_context(tempfile.TemporaryDirectory(prefix="rotators-benchmark-")))
        target = things.enter_context(kind())
        os.environ["ROTATORS_CA_BUNDLE"] = str(target.server.ca_bundle or "")
        service = SecretsManager()
        url = things.enter_context(Endpoint(service))
        admin = service.client().create_secret(Name="admin", SecretString=json.dumps(target.admin()))["ARN"]
        for strategy in kind.strategies:
            value = target.user(f"consumed_{strategy.name.lower()}", strategy)
            value |= {"masterarn": admin} if strategy.has_admin else {}
            tags = [{"Key": "rotators:strategy", "Value": "single"}] if strategy is Strategy.BY_ADMIN else []
            arn = service.client().create_secret(Name=strategy.name, SecretString=json.dumps(value), Tags=tags)["ARN"]
            handler = things.enter_context(
                sandbox(target.handler(strategy, OURS), url, target.server.ca_bundle, directory)
            )
            log_in = consumer_psycopg.connect if kind is PostgresTarget else consumer_pymysql.connect
            secret, kept = CachedSecret(arn, client=service.client()), Kept(service.client(), arn, keep)
            ours, theirs = (Row(target.key, strategy, client, failed_in=[0]) for client in (CONSUMER, PLAIN))
            rows += [ours, theirs]
            with (
                Clients(ours, partial(log_in, secret), clients),
                Clients(theirs, kept.log_in, clients),
            ):
                for number in range(rotations):
                    for row in (ours, theirs) if number else ():
                        row.failed_in.append(0)
                    outcome = rotate(service, arn, handler)
                    if not outcome.succeeded:
                        raise SystemExit(f"rotation {number + 1} failed: {outcome.error}")
                    time.sleep(PAUSE)
                    if sys.stderr.isatty():
                        print(
                            f"\r{target.key}, {strategy.value}: {number + 1} of {rotations}  ", end="", file=sys.stderr
                        )
        return str(target), rows


def main() -> int:
    """Measure and print; 0 if no request through the consumer failed."""
    parser = argparse.ArgumentParser(
        description="Log in through rotations, with rotators.consumer and with a plain cache."
    )
    parser.add_argument("--rotations", type=int, default=ROTATIONS, metavar="N", help="of each; default %(default)s")
    parser.add_argument("--clients", type=int, default=CLIENTS, metavar="N", help="of each kind; default %(default)s")
    parser.add_argument(
        "--keep", type=float, default=KEEP, metavar="S", help="seconds of the plain cache; default %(default)s"
    )
    parser.add_argument("--engine", action="append", choices=TARGETS, help="this one alone; may be said again")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw what failed into an SVG file")
    arguments = parser.parse_args()
    if arguments.rotations < 1 or arguments.clients < 1 or arguments.keep <= 0:
        parser.error("--rotations, --clients and --keep must be positive")
    servers: dict[str, str] = {}
    rows: list[Row] = []
    for key in arguments.engine or TARGETS:
        servers[key], found = measure(TARGETS[key], arguments.rotations, arguments.clients, arguments.keep)
        rows += found
    failed = [row for row in rows if row.ours and row.failed]
    if arguments.svg:
        arguments.svg.write_text(svg(servers, rows, arguments.rotations, arguments.keep))
    if arguments.json:
        print(json.dumps({"servers": servers, "rows": [row.as_json() for row in rows]}))
        return bool(failed)
    print(
        f"{arguments.rotations} rotations of each, every {PAUSE:g} s; the plain cache keeps a value for {arguments.keep:g} s\n"
    )
    print(f"{'':10}{'strategy':29}{'client':20}{'requests':>10}{'failed':>8}{'slowest, ms':>13}")
    for row in rows:
        who = f"{row.engine:10}{TITLES[row.strategy]:29}{row.client:20}"
        print(f"{who}{row.requests:10}{row.failed:8}{row.slowest:13.0f}")
    for row in failed:
        print(f"\n{row.engine}, {row.strategy.value}: {'; '.join(sorted(row.errors))}")
    print(f"\nno request failed with rotators.consumer: {'NO' if failed else 'yes'}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
