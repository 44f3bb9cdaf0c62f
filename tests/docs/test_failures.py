"""docs/failures.md: every scenario, once, with a law that is one, tests that exist, and what to do."""

from __future__ import annotations

import re

import pytest

from tests.docs.test_docs import ROOT

PAGE = (ROOT / "docs/failures.md").read_text()
SCENARIOS = re.findall(r"^### (\d+)\. ([^\n]+)\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
WRITTEN = {
    name
    for folder in ("tests", "src/rotators/testing")
    for path in (ROOT / folder).rglob("*.py")
    for name in re.findall(r"^ *(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
}


def test_all_thirty_eight_are_there_once() -> None:
    assert sorted(int(number) for number, _, _ in SCENARIOS) == list(range(1, 39))


@pytest.mark.parametrize("number, title, text", SCENARIOS, ids=[number for number, _, _ in SCENARIOS])
def test_each_names_its_law_its_tests_and_what_to_do(number: str, title: str, text: str) -> None:
    laws = re.search(r"^\*(?:Law ([\d, ]+)\.|No law: .+)\*", text, re.MULTILINE)
    assert laws is not None
    assert {int(law) for law in (laws[1] or "1").split(", ")} <= set(range(1, 15))
    tests = re.findall(r"`(test_\w+)`", text)
    assert tests
    assert [name for name in tests if name not in WRITTEN] == []
    assert len(re.findall(r"\*\*Do\*\*", text)) == 1
