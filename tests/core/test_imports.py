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
    "redis",
    "nacl",
    "cffi",
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
        "import rotators.handlers.mysql",
        "import rotators.handlers.database",
        "import rotators.handlers.elasticache",
        "from rotators.engines import ENGINES, engine\nfor name in ENGINES: engine(name)",
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


@pytest.mark.parametrize(
    "name, driver, extra, other",
    [
        ("postgres", "psycopg", "postgres", "pymysql"),
        ("mysql", "pymysql", "mysql", "psycopg"),
        ("mariadb", "pymysql", "mysql", "psycopg"),
        ("elasticache", "redis", "redis", "pymysql"),
    ],
)
def test_a_login_loads_its_own_driver_and_a_missing_one_is_named(
    name: str, driver: str, extra: str, other: str
) -> None:
    value = {"engine": name, "host": "127.0.0.1", "port": 9, "username": "app", "password": "x", "ssl": False}
    value["user_arn"] = "arn:aws:elasticache:eu-central-1:123456789012:user:app"
    ask = f"""
from rotators import Secret, RotatorsError
from rotators.engines import engine
try: engine({name!r}).test(Secret({value!r}))
except RotatorsError as error: said = type(error).__name__ + ": " + str(error)
"""
    assert {driver, other} & loaded(ask) == {driver}
    told = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules[{driver!r}] = None\n{ask}\nprint(said)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert told.startswith("ConfigurationError: ")
    assert f"pip install 'rotators[{extra}]'" in told
