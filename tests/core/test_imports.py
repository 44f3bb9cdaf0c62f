"""What an import costs a cold start."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "boto3",
    "botocore",
    "psycopg",
    "pymysql",
    "aws_lambda_powertools",
    "aws_xray_sdk",
    "rich",
    "pytest",
    "hypothesis",
)


def loaded(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import rotators",
        "from rotators import Rotator, Rotation, Secret, CredentialRejected",
        "import rotators.handlers.postgres",
        "import rotators.testing",
    ],
)
def test_nothing_heavy_before_it_is_needed(statement: str) -> None:
    assert loaded(statement) == set()


def test_every_public_name_resolves() -> None:
    import rotators

    assert {name for name in rotators.__all__ if getattr(rotators, name) is None} == set()
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = rotators.Nonsense


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from rotators import ConfigurationError, Secret
    from rotators.engines.postgres import Postgres

    for name in [
        name for name in sys.modules if name.startswith(("rotators.engines.libpq", "rotators.engines.postgres_"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    value = {"engine": "postgres", "host": "127.0.0.1", "username": "app", "password": "x"}
    with pytest.raises(ConfigurationError, match=r"pip install 'rotators\[postgres\]'"):
        Postgres().test(Secret(value))
