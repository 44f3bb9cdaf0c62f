"""The sixteen cells, and how a token's standing is read off its labels."""

from __future__ import annotations

import pytest

from rotators.machine import GUARDS, Standing, Step, Verdict, judge, standing


def test_every_cell_is_filled() -> None:
    assert {(where, step) for where in Standing for step in Step} == {(w, s) for w, row in GUARDS.items() for s in row}


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize(
    "where, verdict",
    [
        (Standing.ABSENT, Verdict.REFUSE),
        (Standing.UNLABELLED, Verdict.REFUSE),
        (Standing.PENDING, Verdict.RUN),
        (Standing.CURRENT, Verdict.DONE),
    ],
)
def test_cell(where: Standing, step: Step, verdict: Verdict) -> None:
    assert judge(where, step) is verdict


@pytest.mark.parametrize(
    "labels, where",
    [
        (None, Standing.ABSENT),
        ([], Standing.UNLABELLED),
        (["AWSPREVIOUS"], Standing.UNLABELLED),
        (["MINE"], Standing.UNLABELLED),
        (["AWSPENDING"], Standing.PENDING),
        (["AWSPENDING", "AWSPREVIOUS"], Standing.PENDING),
        (["AWSCURRENT"], Standing.CURRENT),
        (["AWSCURRENT", "AWSPENDING"], Standing.CURRENT),
    ],
)
def test_standing(labels: list[str] | None, where: Standing) -> None:
    assert standing(labels) is where
