"""What is installed is pinned, with hashes, and the function gets what was tested."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.deploy.sam import ROOT

if TYPE_CHECKING:
    from pathlib import Path

#: What the function gets stands beside the code, where SAM's own builder looks for it.
LAMBDA = ROOT / "src/requirements.txt"
LOCKS = [*sorted((ROOT / "requirements").glob("*.txt")), LAMBDA]


def pins(lock: Path) -> dict[str, str]:
    text = lock.read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def test_there_is_a_lock_for_everything() -> None:
    assert [path.stem for path in LOCKS] == ["aws", "build", "dev", "docs", "sam", "snippets", "uv", "requirements"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_requirement_is_pinned_with_a_hash_and_no_host(lock: Path) -> None:
    text = lock.read_text()
    requirements = re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE).strip())

    assert "://" not in text
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==[\w.]+ .*--hash=sha256:", requirement, re.DOTALL), requirement


def test_every_package_for_node_is_pinned_with_a_hash_and_no_host() -> None:
    lock = json.loads((ROOT / "requirements/node/package-lock.json").read_text())
    wanted = json.loads((ROOT / "requirements/node/package.json").read_text())["dependencies"]
    packages = {name.removeprefix("node_modules/"): each for name, each in lock["packages"].items() if name}
    for package in packages.values():
        package.pop("funding", None)  # pages that ask for money

    assert "://" not in json.dumps(packages)
    assert {name: packages[name]["version"] for name in wanted} == wanted
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name


def test_the_function_gets_the_versions_that_were_tested() -> None:
    assert pins(LAMBDA).items() <= pins(ROOT / "requirements/dev.txt").items()
    assert {"psycopg", "psycopg-binary", "pymysql", "pynacl", "redis", "aws-lambda-powertools"} <= pins(LAMBDA).keys()
    assert not {"boto3", "botocore", "pytest"} & pins(LAMBDA).keys()
