"""Database servers the tests share: one per worker process, one initdb per run.

Every test makes roles and databases of its own names, so that a server can be shared.
"""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

import pytest

from rotators.lab.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres_template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A directory, the same in all workers, that holds what initdb made: give it to `Postgres.start(template=…)`."""
    base = tmp_path_factory.getbasetemp()
    template = (base if worker_id == "master" else base.parent) / "postgres-template"
    template.mkdir(exist_ok=True)
    with (template / "lock").open("w") as lock:  # the first worker runs initdb, the others wait for it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any(template.glob("*/superuser")):
            Postgres.start(template=template).stop()
    return template


@pytest.fixture(scope="session")
def postgres_server(postgres_template: Path) -> Iterator[Postgres]:
    """A server that takes connections over TLS only (where its build has TLS) and logs every statement."""
    with Postgres.start(template=postgres_template, settings={"log_statement": "all"}) as server:
        yield server


@pytest.fixture(scope="session")
def md5_server(postgres_template: Path) -> Iterator[Postgres]:
    """A server that takes md5 passwords as well as SCRAM, as old ones do."""
    lines = "hostssl all all all md5"
    with Postgres.start(template=postgres_template, hba=lines, settings={"password_encryption": "md5"}) as server:
        yield server


@pytest.fixture(scope="session")
def other_server(postgres_template: Path) -> Iterator[Postgres]:
    """Somebody else's server."""
    with Postgres.start(template=postgres_template) as server:
        yield server
