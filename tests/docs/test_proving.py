"""What docs/proving.md has an author write is run as it stands there."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.test_docs import BLOCK, ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs/proving.md").read_text()
CODE = [code for kind, code in BLOCK.findall(PAGE.split("## An engine of your own")[0]) if kind == "python"]
BEFORE = """
import pytest
from tests.kit.relay import ByUrllib3 as Relay, Relay as Service
from tests.keys.provider import Provider, Speaks

@pytest.fixture
def relay():
    service = Service()
    yield service
    service.close()

class Issuing(Provider):
    def value(self):
        made, key = self.add("by hand")
        return {"url": self.url, "key_id": made, "key": key}

    def holds(self, value):
        return self.opens(value["key"])

    def ids(self):
        return set(self.keys)

@pytest.fixture
def provider(monkeypatch):
    from rotators import key_room
    monkeypatch.setattr(key_room, "ABANDONED", 0.3)  # so that the docs' test takes no minutes
    made = Issuing()
    made.most = 3
    yield made
    made.server.shutdown()
    made.server.server_close()
"""


@pytest.mark.parametrize(
    ("code", "chosen"), list(zip(CODE, (("law or it", 20), ("law_7 or crash", 3), ("told", 1)), strict=True))
)
def test_it_runs_as_it_stands(code: str, chosen: tuple[str, int], tmp_path: Path) -> None:
    (tmp_path / "test_docs.py").write_text(BEFORE + code)
    which, most = chosen
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-k",
        which,
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path / "test_docs.py"),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    last = done.stdout.splitlines()[-1]
    assert f"{most} passed" in last, done.stdout[-3000:]
    assert "failed" not in last


def test_the_words_of_a_failure() -> None:
    """The sentences stand in the code that says them."""
    source = "".join((ROOT / f"src/rotators/testing/{name}.py").read_text() for name in ("case", "crash_contract"))
    for words in (
        "nothing that is stored opens: the credential is lost",
        "  after   ",
        "  now     ",
        "  replay  pytest ",
    ):
        assert words in source
        assert words in PAGE
