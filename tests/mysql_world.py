"""A world for one test on MySQL or MariaDB: an account, its secret in Secrets Manager, and the handler between them."""

from __future__ import annotations

import json
import os
import ssl
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from rotators.engines.mysql import MySQL as MySQLEngine
from rotators.engines.mysql.plugins import PLUGINS
from rotators.machine import AWSCURRENT
from tests.servers import account
from tests.world import START, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.lab.mysqld import Mysqld
    from rotators.testing import SecretsManager


class MySQLWorld(Stored):
    """One secret and the account that it opens."""

    def __init__(
        self, server: Mysqld, service: SecretsManager, *, tags: dict[str, str] | None = None, **how: Any
    ) -> None:
        self.server = server
        self.host = how.get("host", "%")
        value = account(server, **{"password": START, **how})
        self.username, self.dbname = value["username"], value["dbname"]
        super().__init__(service, MySQLEngine(), value, tags or {})

    @property
    def name(self) -> str:
        """The account, as a statement names it."""
        return f"`{self.username}`@`{self.host}`"

    def with_admin(self, *, password: str = "admin-Canary-19c4", **more: Any) -> dict[str, Any]:
        """Name an admin in the secret: a user with all rights; returns the admin's secret."""
        admin = f"admin_{uuid.uuid4().hex[:8]}"
        self.server.execute(
            f"CREATE USER '{admin}'@'%' IDENTIFIED BY '{password}'",
            f"GRANT ALL ON *.* TO '{admin}'@'%' WITH GRANT OPTION",
        )
        value = {**self.server.secret(admin, password), **more}
        arn = self.service.client().create_secret(Name=f"admin/{uuid.uuid4().hex}", SecretString=json.dumps(value))[
            "ARN"
        ]
        self.put_current({**self.value(), "masterarn": arn})
        self.service.calls.clear()
        return value

    def opens(self, label: str | dict[str, Any] = AWSCURRENT) -> bool:
        """Log in with a label's value, by PyMySQL itself and not by our code."""
        value = label if isinstance(label, dict) else self.value(label)
        return self.admits(value["password"], username=value["username"])

    def admits(self, password: str, *, username: str | None = None) -> bool:
        """Log in with a password."""
        try:
            self.session(password, username=username).close()
        except pymysql.err.OperationalError as error:
            if error.args[0] not in {1045, 1044, 4151, 3118}:
                raise
            return False
        return True

    def session(self, password: str, *, username: str | None = None) -> Any:
        """Return a session of the user."""
        context = ssl.create_default_context(cafile=str(self.server.ca_bundle)) if self.server.tls else None
        return pymysql.connect(
            host=self.server.host,
            port=self.server.port,
            user=username or self.username,
            password=password.encode(),
            charset="utf8mb4",
            ssl=context,
            ssl_disabled=context is None,
            auth_plugin_map=PLUGINS,  # type: ignore[arg-type]
            connect_timeout=5,
            read_timeout=10,
        )

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run SQL as the superuser."""
        return self.server.execute(*statements)

    def set_password(self, password: str) -> None:
        """Change the password behind everybody's back."""
        self.execute(f"ALTER USER {self.name} IDENTIFIED BY '{password}'")

    def created(self, host: str | None = None) -> str:
        """Return what SHOW CREATE USER says of the account."""
        ((text,),) = self.execute(f"SHOW CREATE USER `{self.username}`@`{host or self.host}`")
        return str(text)

    @contextmanager
    def log(self) -> Iterator[list[str]]:
        """Collect what the server writes to its logs meanwhile: everything that clients send, and its own."""
        files = [path for path in (self.server.general_log, self.server.log) if path.exists()]
        begun = {path: os.path.getsize(path) for path in files}
        lines: list[str] = []
        yield lines
        for path, begin in begun.items():
            with open(path, "rb") as log:
                log.seek(begin)
                lines += log.read().decode("utf-8", "replace").splitlines()

    def refusals(self) -> int:
        """Return how many logins of this user the server has refused, by its general log."""
        text = self.server.general_log.read_text(errors="replace")
        return sum("Access denied" in line and f"'{self.username}" in line for line in text.splitlines())


@pytest.fixture
def mysql_world(service: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> Callable[..., MySQLWorld]:
    """Make a world: `mysql_world(server, plugin=…, host=…, tags=…, any key of the secret=…)`."""

    def make(server: Mysqld, **how: Any) -> MySQLWorld:
        if server.ca_bundle is not None:
            monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(server.ca_bundle))
        return MySQLWorld(server, service, **how)

    return make
