"""A pytest plugin for `test_a_broken_law_is_noticed`: `--break NAME` breaks a law in every test of the run."""

from __future__ import annotations

import pytest

from tests.laws import wrong_rotators


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--break", required=True)


@pytest.fixture(autouse=True)
def break_a_law(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    getattr(wrong_rotators, request.config.getoption("--break"))(monkeypatch)
