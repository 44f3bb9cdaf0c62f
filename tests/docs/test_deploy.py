"""docs/deploy.md names every parameter of template.yaml, and no other."""

from __future__ import annotations

import re

import yaml

from tests.deploy.sam import FUNCTIONS, ROOT

TEMPLATE = (ROOT / "template.yaml").read_text()


def test_every_parameter_is_in_the_table() -> None:
    section = TEMPLATE.split("\nParameters:\n")[1].split("\nConditions:\n")[0]
    parameters = set(re.findall(r"^  (\w+):$", section, re.MULTILINE))
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert named == parameters - {f"Make{function}" for function in list(FUNCTIONS)[1:]}


def test_what_is_overridden_is_a_parameter_and_of_a_value_it_takes() -> None:
    section = yaml.safe_load(TEMPLATE.split("\nParameters:\n")[1].split("\nConditions:\n")[0])
    (command,) = re.findall(
        r"^sam deploy --parameter-overrides (.*)$", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE
    )
    given = dict(word.split("=") for word in command.split())

    for needed in ("TimeoutSeconds", "MemoryMegabytes", "ReservedConcurrency", "LogRetentionDays"):
        assert needed in given
    for name, value in given.items():
        parameter = section[name]
        assert re.match(parameter.get("AllowedPattern", ""), value)
        assert int(value) in parameter["AllowedValues"] if "AllowedValues" in parameter else True
        assert int(value) >= parameter["MinValue"] if "MinValue" in parameter else True


def test_every_function_is_in_the_guide() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([\w.]+)` \|", (ROOT / "docs/operating.md").read_text(), re.MULTILINE)

    assert dict(rows).keys() == FUNCTIONS.keys()
    for name, handler in rows:
        assert f"  {name}:\n" in TEMPLATE
        assert f"Handler: {handler}\n" in TEMPLATE
