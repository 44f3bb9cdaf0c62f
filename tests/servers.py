"""Database servers the tests share: one of a kind per worker process, one data directory made per run.

Every test makes accounts and databases of its own names, so that a server can be shared.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pymysql.converters import escape_string

from rotators.lab import LabError
from rotators.lab.mariadb import MariaDB
from rotators.lab.mysql import MySQL
from rotators.lab.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.lab.mysqld import Mysqld

    Template = Callable[[type[Postgres | Mysqld]], Path]

#: Names, for a pytest that a test runs, where this one keeps its templates.
TEMPLATES = "ROTATORS_TESTS_TEMPLATES"
_UNPACKED = Path(__file__).parents[1] / ".tools" / "mysql"  # by `.ci/setup mysql`
if (_UNPACKED / "run").exists():
    os.environ.setdefault("ROTATORS_MYSQL", str(_UNPACKED))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Template:
    """Directories, the same in all workers, that hold new data directories: `start(template=template(MariaDB))`."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    base = Path(os.environ.get(TEMPLATES, base))

    def of(kind: type[Postgres | Mysqld]) -> Path:
        kept = base / f"{kind.engine}-template"
        kept.mkdir(exist_ok=True)
        with (kept / "lock").open("w") as lock:  # the first worker makes it, the others wait for it
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not any(kept.glob("*/superuser")):
                kind.start(template=kept).stop()
        return kept

    return of


@pytest.fixture(scope="session")
def postgres_template(template: Template) -> Path:
    """What initdb made: give it to `Postgres.start(template=…)`."""
    return template(Postgres)


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


@pytest.fixture(scope="session")
def mariadb_template(template: Template) -> Path:
    """What mariadb-install-db made: give it to `MariaDB.start(template=…)`."""
    return template(available(MariaDB))


@pytest.fixture(scope="session")
def mysql_template(template: Template) -> Path:
    """What `mysqld --initialize` made: give it to `MySQL.start(template=…)`. Skips where there is no MySQL."""
    return template(available(MySQL))


@pytest.fixture(scope="session")
def mariadb(mariadb_template: Path) -> Iterator[MariaDB]:
    """A MariaDB that takes connections over TLS only and logs what clients send: `general_log`."""
    with MariaDB.start(template=mariadb_template) as server:
        yield server


@pytest.fixture(scope="session")
def mysql(mysql_template: Path) -> Iterator[MySQL]:
    """A MySQL that takes connections over TLS only and logs what clients send: `general_log`."""
    with MySQL.start(template=mysql_template) as server:
        yield server


@pytest.fixture(params=["mariadb", "mysql"])
def mysql_family(request: pytest.FixtureRequest) -> Mysqld:
    """Each of the two in turn."""
    server: Mysqld = request.getfixturevalue(request.param)
    return server


def account(
    server: Mysqld,
    *,
    host: str = "%",
    password: str | None = None,
    plugin: str | None = None,
    options: str = "",
    rights: str = "ALL",
    **more: Any,
) -> dict[str, Any]:
    """Make a user and a database of their own; returns the secret, `more` being further keys of it.

    `host`: of user@host. `plugin`: by which it logs in (default: the server's). `options`: what follows in CREATE USER,
    such as "REQUIRE SSL". `rights`: on its database.
    """
    username, dbname = f"app_{uuid.uuid4().hex[:12]}", f"db_{uuid.uuid4().hex[:12]}"
    password = secrets.token_urlsafe(18) if password is None else password
    text = f"'{escape_string(password)}'"
    if plugin is None:
        identified = f"BY {text}"
    elif server.engine == "mariadb":
        identified = f"VIA {plugin} USING PASSWORD({text})"
    else:
        identified = f"WITH {plugin} BY {text}"
    server.execute(
        f"CREATE DATABASE `{dbname}`",
        f"CREATE USER '{username}'@'{host}' IDENTIFIED {identified} {options}",
        f"GRANT {rights} ON `{dbname}`.* TO '{username}'@'{host}'",
    )
    return server.secret(username, password, dbname, **more)


def available(kind: type[Mysqld]) -> type[Mysqld]:
    """Return `kind`, or skip where the machine has no MySQL: what else is missing is an error if servers are required."""
    try:
        kind.find()
    except LabError as error:
        if kind is MariaDB and os.environ.get("ROTATORS_REQUIRE_SERVERS"):
            raise
        pytest.skip(str(error).splitlines()[0])
    return kind
