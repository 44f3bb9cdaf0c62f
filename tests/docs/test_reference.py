"""docs/reference.md is what docs/write_reference.py writes, of names that all say what they are."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.test_docs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    """The script, imported as Python runs it: with docs/ first on the path."""
    sys.path.insert(0, str(ROOT / "docs"))
    yield importlib.import_module("write_reference")
    sys.path.remove(str(ROOT / "docs"))


def test_the_page_is_up_to_date(script: Any) -> None:
    assert script.PAGE.read_text() == script.write(), "type: python docs/write_reference.py"


def test_every_public_name_says_what_it_is(script: Any) -> None:
    assert script.undocumented() == []


def test_every_setting_of_the_page_is_read_somewhere(script: Any) -> None:
    """The other direction, a setting that the page leaves out, ends the script."""
    sources = "".join(path.read_text() for path in script.PACKAGE.rglob("*.py"))
    assert [name for name in [*script.VARIABLES, *script.TAGS] if f'"{name}"' not in sources] == []


def test_a_setting_that_is_not_explained_ends_the_script(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "TAGS", {tag: what for tag, what in script.TAGS.items() if tag != "rotators:strategy"})
    with pytest.raises(SystemExit, match="explains no rotators:strategy: add a line"):
        script.write()


def test_a_name_without_a_docstring_is_found(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import rotators

    class Silent(rotators.Rotator):
        def set(self, rotation: Any) -> None: ...

    monkeypatch.setattr(rotators, "Silent", Silent, raising=False)
    monkeypatch.setattr(rotators, "__all__", ["Silent"])
    assert [name for name in script.undocumented() if "Silent" in name] == ["rotators.Silent", "rotators.Silent.set"]


def test_both_layouts_of_a_docstring_become_lists(script: Any) -> None:
    text = sys.modules["reference_text"].rendered(
        "Do it.\n\nArgs:\n    one: the first,\n        of two.\n\nother:  aligned\n        and longer\n\n>>> do(1)  # doctest: +SKIP\n2",
        {"one", "other"},
    )
    assert text == (
        "Do it.\n\n*Args:*\n\n- `one`: the first,\n  of two.\n\n- `other`: aligned\n  and longer\n\n"
        "```pycon\n>>> do(1)\n2\n```\n"
    )
