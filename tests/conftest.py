"""What every test has: servers, the service, and an environment that points nowhere."""

from __future__ import annotations

import functools
import os

import botocore.session
import pytest

from rotators.lab import LabError
from rotators.lab.installation import Installation
from rotators.lab.mariadb import MariaDB

pytest_plugins = ("tests.servers", "tests.world", "tests.mysql_world", "tests.subjects", "tests.rds", "tests.node")

# A session reads megabytes of botocore's models and endpoints, which are the same for all: a tenth of a second each.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Workers of `-n auto`: four at least, as half of the time of a test is waiting for a server or for a time-out to be over."""
    del config
    return max(4, os.cpu_count() or 1)


def pytest_sessionstart() -> None:
    """Where servers are demanded (`make test`, CI), their absence is a failure and not a skip. MySQL is not to be had everywhere."""
    if os.environ.get("ROTATORS_REQUIRE_SERVERS"):
        try:
            complete = Installation.find().tls
            MariaDB.find()
        except LabError as error:
            pytest.exit(f"ROTATORS_REQUIRE_SERVERS is set: {error}", returncode=1)
        if not complete:
            pytest.exit("ROTATORS_REQUIRE_SERVERS is set, and the PostgreSQL found was built without TLS", returncode=1)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine's decides what a test sees, and nothing can reach a real AWS."""
    for name in (
        "SECRETS_MANAGER_ENDPOINT",
        "EXCLUDE_CHARACTERS",
        "PASSWORD_LENGTH",
        "ROTATORS_CA_BUNDLE",
        "ROTATORS_DISCARD_OLD",
        "ROTATORS_REASSIGN_OWNED",
        "ROTATORS_STRATEGY",
        "USERNAME_CHARACTER_LIMIT",
        "ROTATORS_HOST_ALIASES",
        "AWS_PROFILE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
