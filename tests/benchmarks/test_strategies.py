"""Every strategy on every engine: the counts and the goals, small. No claim on any time."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from rotators.lab.mariadb import MariaDB
from rotators.lab.mysql import MySQL
from tests.servers import available

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPT = str(BENCHMARKS / "strategies.py")
ROTATIONS = 1  # and the first: a pair goes to its clone and back
# Slow calls keep a single user's window open long enough for the client to meet it.
SMALL = ("--rotations", str(ROTATIONS), "--every", "4", "--latency", "8")

SINGLE, OWN, ADMIN, ALTERNATING = (
    "single",
    "single, two passwords by own rights",
    "single, two passwords by the admin",
    "alternating",
)
ENGINES = {
    "postgres": (SINGLE, ALTERNATING),
    "mariadb": (SINGLE, OWN, ADMIN, ALTERNATING),
    "mysql": (SINGLE, OWN, ADMIN, ALTERNATING),
}
# What AWS's functions were seen to make, with one rotator or the other of them.
THEIR_CALLS = {
    "DescribeSecret": 5,
    "GetSecretValue": 6,
    "GetRandomPassword": 1,
    "PutSecretValue": 1,
    "UpdateSecretVersionStage": 1,
}
THEIR_LOGINS = {SINGLE: 2, ALTERNATING: 3}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name == "mariadb":
        available(MariaDB)
    elif name == "mysql":
        available(MySQL)
    return name


def test_every_goal_is_met_on(engine: str, tmp_path: Path) -> None:
    picture = tmp_path / "strategies.svg"
    done = run(SCRIPT, *SMALL, "--engine", engine, "--json", "--svg", str(picture))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    found = json.loads(done.stdout)
    assert (list(found["servers"]), found["absent"]) == ([engine], {})
    rows = {(row["strategy"], row["rotator"]): row for row in found["rows"]}
    theirs = [(strategy, "template") for strategy in THEIR_LOGINS]
    assert sorted(rows) == sorted([*((strategy, "ours") for strategy in ENGINES[engine]), *theirs])
    for (strategy, rotator), row in rows.items():
        _as_promised(row) if rotator == "ours" else _as_awss(row)
        assert all(tries > 3 for tries in row["tries"])
        assert any(row["failed"]) == (strategy == SINGLE), (strategy, rotator)
        assert any(row["gap"]) == (strategy == SINGLE)
    lanes = [text.text for text in ET.fromstring(picture.read_text()).iter("{http://www.w3.org/2000/svg}text")]
    assert lanes.count("never refused") == len(rows) - 2


def _as_promised(row: dict[str, Any]) -> None:
    assert row["missed"] == []
    assert [sum(calls.values()) <= 12 for calls in row["calls"]] == [True] * (ROTATIONS + 1)
    assert row["refused"] == [0] * (ROTATIONS + 1)  # law 4
    assert all(opened >= 4 for opened in row["opened"])  # one that changes, three that prove


def _as_awss(row: dict[str, Any]) -> None:
    assert row["calls"] == [THEIR_CALLS] * (ROTATIONS + 1)
    assert row["opened"] == [THEIR_LOGINS[row["strategy"]]] * (ROTATIONS + 1)
    assert row["refused"] == [1] * (ROTATIONS + 1)


def broken(tmp_path: Path, engine: str, *statements: str) -> str:
    """Run it with something broken; returns what it prints."""
    script = tmp_path / "broken.py"
    lines = [f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r})", *statements, "import strategies"]
    arguments = ["strategies.py", *SMALL, "--engine", engine]
    script.write_text("\n".join([*lines, f"sys.argv = {arguments!r}", "sys.exit(strategies.main())"]))
    done = run(str(script))
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    assert "no failed login where none need fail: NO" in done.stdout
    return done.stdout


def test_a_clients_failed_login_is_a_missed_goal(tmp_path: Path) -> None:
    """Here the user lacks the right to keep two passwords of its own; its admin has it."""
    available(MariaDB)
    said = broken(
        tmp_path,
        "mariadb",
        "import mysqld_target as t",
        "t.MariaDBTarget.strategies = (t.Strategy.OWN_RIGHTS, t.Strategy.BY_ADMIN)",
        "t.MariaDBTarget.right = 'USAGE'",
    )
    missed = [line for line in said.splitlines() if "missed:" in line]
    assert len(missed) == 1
    assert "mariadb, single, two passwords by own rights: " in missed[0]
    assert "of the client's" in missed[0]


def test_a_refused_login_and_a_thirteenth_call_are_missed_goals(tmp_path: Path) -> None:
    """Here AWS's shape stands in for our handler."""
    said = broken(
        tmp_path,
        "postgres",
        "import postgres_target as t",
        "t.PostgresTarget.strategies = (t.Strategy.SINGLE,)",
        "t.PostgresTarget.ours = t.PostgresTarget.templates[t.Strategy.SINGLE]",
    )
    assert "missed: postgres, single: 14 Secrets Manager calls" in said
    assert "missed: postgres, single: 2 of the rotator's logins were refused by the server" in said
    assert "logins failed" not in said  # a single user of PostgreSQL may


def test_a_server_that_is_not_to_be_had_is_told_of(tmp_path: Path) -> None:
    script = tmp_path / "nowhere.py"
    lines = [
        f"import os, sys; sys.path.insert(0, {str(BENCHMARKS)!r})",
        f"os.environ['ROTATORS_MYSQL'] = {str(tmp_path)!r}",
        "import strategies",
        "sys.argv = ['strategies.py', '--engine', 'mysql']",
        "sys.exit(strategies.main())",
    ]
    script.write_text("\n".join(lines))
    done = run(str(script))
    assert (done.returncode, done.stderr) == (1, "")  # nothing was measured
    assert "NOT MEASURED: mysql. ROTATORS_MYSQL is " in done.stdout
