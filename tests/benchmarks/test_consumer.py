"""Applications do not notice a rotation: clients log in all the time, on real servers, through real rotations."""

from __future__ import annotations

import json

from tests.benchmarks.test_benchmarks import run


def test_no_request_fails_through_the_consumer_and_some_do_with_a_plain_cache() -> None:
    rows = json.loads(run("consumer.py", "--rotations", "3", "--json"))

    assert len(rows) == 8
    ours = [row for row in rows if row["client"] == "rotators.consumer"]
    assert {(row["engine"], row["strategy"]) for row in ours} == {
        (engine, strategy) for engine in ("postgres", "mariadb") for strategy in ("single", "alternating")
    }
    for row in ours:
        assert row["requests"] > 10
        assert row["failed"] == 0, row["errors"]
    for row in rows:
        if row["client"] != "rotators.consumer" and row["strategy"] == "single":
            assert row["failed"] > 0, "a rotation that a plain cache does not notice proves nothing"
