"""Applications do not notice a rotation: clients log in all the time, on real servers, through real rotations."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from tests.benchmarks.test_benchmarks import BENCHMARKS, run

if TYPE_CHECKING:
    from pathlib import Path

STRATEGIES = {
    "postgres": {"single", "alternating"},
    "mariadb": {
        "single",
        "single, two passwords by own rights",
        "single, two passwords by the admin",
        "alternating",
    },
}
TEXT = "{http://www.w3.org/2000/svg}text"


def test_no_request_fails_through_the_consumer_and_some_do_with_a_plain_cache(tmp_path: Path) -> None:
    picture = tmp_path / "consumer.svg"
    found = json.loads(run("consumer.py", "--rotations", "2", "--json", "--svg", str(picture)))

    assert list(found["servers"]) == list(STRATEGIES)
    ours = [row for row in found["rows"] if row["client"] == "rotators.consumer"]
    plain = [row for row in found["rows"] if row["client"] == "plain cache"]
    for rows in (ours, plain):
        assert [(row["engine"], row["strategy"]) for row in rows] == [(row["engine"], row["strategy"]) for row in ours]
        assert all(len(row["failed_in"]) == 2 for row in rows)
    for engine, strategies in STRATEGIES.items():
        assert {row["strategy"] for row in ours if row["engine"] == engine} == strategies
    for row in ours:
        assert row["requests"] > 10
        assert row["failed"] == 0, row["errors"]
    for row in plain:
        if row["strategy"] == "single":
            assert row["failed"] > 0, "a rotation that a plain cache does not notice proves nothing"
    said = [text.text for text in ET.fromstring(picture.read_text()).iter(TEXT)]
    assert said.count("none, in any of 2") == sum(row["failed"] == 0 for row in found["rows"])
    assert f"{ours[0]['requests']:,}" in said


def test_a_request_that_fails_through_the_consumer_is_a_failure(tmp_path: Path) -> None:
    """Here the consumer tries what it has, and nothing else."""
    script = tmp_path / "stubborn.py"
    script.write_text(
        f"import sys\nsys.path.insert(0, {str(BENCHMARKS)!r})\n"
        "import consumer\nconsumer.CachedSecret.after = lambda *_: None\n"
        "sys.argv = ['consumer.py', '--rotations', '2', '--engine', 'postgres']\nsys.exit(consumer.main())\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "no request failed with rotators.consumer: NO" in done.stdout
    assert "password authentication failed" in done.stdout
