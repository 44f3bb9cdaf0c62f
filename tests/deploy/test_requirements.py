"""What is installed is pinned, with hashes, and the function gets what was tested."""

from __future__ import annotations

import re

import pytest

from tests.deploy.sam import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def pins(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def test_there_is_a_lock_for_everything() -> None:
    assert [path.stem for path in LOCKS] == ["build", "dev", "docs", "lambda", "sam", "uv"]


@pytest.mark.parametrize("lock", [path.stem for path in LOCKS])
def test_every_requirement_is_pinned_with_a_hash_and_no_host(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    requirements = re.split(r"\n(?=\S)", re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE).strip())

    assert "://" not in text
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+==[\w.]+ .*--hash=sha256:", requirement, re.DOTALL), requirement


def test_the_function_gets_the_versions_that_were_tested() -> None:
    assert pins("lambda").items() <= pins("dev").items()
    assert {"psycopg", "psycopg-binary", "pymysql", "pynacl", "redis", "aws-lambda-powertools"} <= pins("lambda").keys()
    assert not {"boto3", "botocore", "pytest"} & pins("lambda").keys()
