"""docs/operating.md: what a rotation costs is what its own numbers come to."""

from __future__ import annotations

import re

import pytest

from tests.docs.test_docs import ROOT

PAGE = (ROOT / "docs/operating.md").read_text()
SECTION = PAGE[PAGE.index("## What it costs") :]


def amount(pattern: str) -> float:
    (found,) = re.findall(pattern, SECTION)
    return float(found.replace(",", ""))


def test_the_costs_add_up() -> None:
    secret = amount(r"\| the secret \| \$([\d.]+) a month")
    calls = 10 * amount(r"\$([\d.]+) for 10,000") / 10_000
    compute = 4 * 0.5 * 256 / 1024 * amount(r"\$([\d.]+) a GB-second")
    requests = 4 * amount(r"\$([\d.]+) for 1,000,000") / 1_000_000
    rotation = calls + compute + requests

    assert calls == pytest.approx(amount(r"10 calls: \$([\d.]+)"))
    assert compute == pytest.approx(amount(r"0\.5 s: \$([\d.]+)"), rel=0.01)
    assert requests == pytest.approx(amount(r"4 requests: \$([\d.]+)"))
    assert secret + rotation == pytest.approx(amount(r"\*\*\$([\d.]+) a month"), abs=1e-6)
    assert round(rotation, 5) == amount(r"rotation costs \$([\d.]+),")
    assert round(10_000 * rotation, 2) == amount(r"ten thousand of them \$([\d.]+)\.")
    assert 10_000 * secret == amount(r"10,000 secrets are \$([\d,]+) a month")
    assert 2 * 730 * amount(r"\$([\d.]+) an hour") == pytest.approx(amount(r"two of them \$([\d.]+) a month"))
    reads = 30 * 86_400 / 300
    assert f"{reads:,.0f} calls, ${reads * 0.05 / 10_000:.2f}" in SECTION


def test_the_calls_are_the_measured_ones() -> None:
    """tests/benchmarks holds them to ten."""
    assert "three of a rotation's ten calls" in PAGE
