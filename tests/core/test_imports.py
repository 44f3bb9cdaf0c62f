"""What an import costs a cold start."""

from __future__ import annotations

import gc
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


def test_importing_rotators_loads_next_to_nothing() -> None:
    """The goal is 25 ms. A count is what a busy machine can't change; boto3 alone is 390 modules and 150 ms."""
    code = "import sys\nbefore = set(sys.modules)\nimport rotators\nprint(len(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert int(done.stdout) < 50


def test_nothing_is_collected_while_a_client_a_driver_or_powertools_is_loaded() -> None:
    """Each collection would look through all that is loaded. Afterwards it is on again, also where loading fails."""
    from rotators.loading import uncollected

    code = """
import gc
begun = []
gc.callbacks.append(lambda phase, info: begun.append(phase))
from rotators import deadline
from rotators.clients import Clients
from rotators.engines import driver
from rotators.rotator import _telemetry
begun.clear()
for load in (_telemetry, lambda: Clients().get(deadline.Deadline(60)), lambda: driver.load("postgres.login", extra="postgres")):
    load()
    assert gc.isenabled()
print(len(begun))
"""
    environment = {"AWS_REGION": "eu-central-1", "PATH": ""}
    told = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    ).stdout
    assert int(told) <= 2 * 3  # begun and ended: one collection when it is on again, where there were dozens
    with pytest.raises(ModuleNotFoundError), uncollected(), uncollected():
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401
    assert gc.isenabled()


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
