"""docs/api-keys.md: its description is the example's, its tables are what the code knows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from rotators import ConfigurationError, key_room
from rotators.engines.api_key import described, reading
from rotators.engines.api_key.catalogue import BUNDLED
from rotators.engines.api_key.document import Overlap
from rotators.engines.api_key.template import FILTERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/api-keys.md").read_text()
EXAMPLE = (ROOT / "examples/api-key/providers/courier.toml").read_text()


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table that begins with a heading."""
    table = PAGE[PAGE.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_description_is_the_examples() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert EXAMPLE.endswith(block)


def test_the_sentence_about_what_is_wrong() -> None:
    wrong = EXAMPLE.replace('path = "/keys"\njson', 'pathe = "/keys"\njson')
    with pytest.raises(ConfigurationError) as caught:
        reading.read("courier", "courier.toml", wrong)
    assert f"`{caught.value}`" in PAGE


def test_every_description_is_in_the_table() -> None:
    table = {words(name)[0]: (keys, who, overlap) for name, keys, who, overlap in rows("| `provider` |")}
    assert set(table) == {path.stem for path in BUNDLED.glob("*.toml")}
    for name, (keys, who, overlap) in table.items():
        document = described(BUNDLED / f"{name}.toml").document
        assert overlap.split(";")[0] == document.overlap.value
        source = (BUNDLED / f"{name}.toml").read_text()
        first = tomllib.loads(source)
        named = set(re.findall(r"\{secret\.(\w+)", source)) | {document.key, document.id, *document.same} - {""}
        assert set(words(keys)) >= named, name
        assert ("an admin's" in who) or "adminarn" not in source
        assert first["reference"].startswith("https://")


def test_the_keys_at_the_top() -> None:
    said = {word for cells in rows("| key | what it says |\n|---|---|\n| `url`") for word in words(cells[0])}
    known = reading.TOP - set(reading.NAMES) - {"draw"} | {"[secret]", "key", "id", "slot", "same"}
    forms = {"[draw]", "form", "bytes", "prefix"}
    assert said == known - {"secret"} | forms


def test_the_overlaps() -> None:
    said = {words(cells[0])[0]: cells[2] for cells in rows("| `overlap` | the old key")}
    assert set(said) == {overlap.value for overlap in Overlap}
    for overlap in Overlap:
        needed, possible = reading.NEEDS[overlap]
        assert needed <= set(words(said[overlap])) <= needed | possible | {"test"}


def test_the_keys_of_a_request() -> None:
    said = {word for cells in rows("| key | what it says |\n|---|---|\n| `method`") for word in words(cells[0])}
    more: set[str] = set().union(*reading.MORE.values())
    text = " ".join(cell for cells in rows("| key | what it says |\n|---|---|\n| `method`") for cell in cells)
    assert said | set(words(text)) >= (reading.REQUEST | more) - {"url"}


def test_what_stands_in_braces() -> None:
    paragraph = PAGE[PAGE.index("In braces stand") :].split("\n\n")[0]
    said = {
        re.sub(r"\W.*", "", word.strip("{}")) for word in words(paragraph) if word.startswith("{") and len(word) > 2
    }
    known: set[Any] = set().union(*reading.NAMES.values())
    assert said == known
    assert set(words(paragraph)) >= set(FILTERS)


def test_the_numbers() -> None:
    assert f"until the key is {key_room.ABANDONED:g} seconds old" in PAGE
    decision = (ROOT / "docs/decisions/0012-keys-are-named-and-waited-for.md").read_text()
    assert f"{key_room.ABANDONED:g} seconds old" in decision
    assert f"within {key_room.STORED:g} seconds" in decision
