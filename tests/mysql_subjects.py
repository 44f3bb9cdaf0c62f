"""Subjects of the contract: a user of a real MariaDB or MySQL, behind a proxy that can fail; three ways to change it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from rotators import EngineRotator, SecretStore
from rotators.engines.mysql import MySQL as MySQLEngine
from rotators.testing.proxy import Proxy
from tests.mysql_world import MySQLWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.lab.mysqld import Mysqld
    from rotators.testing import SecretsManager

#: Who makes the change: the user without rights, the user with the right to keep two passwords, an admin.
PLAIN, ITSELF, ADMIN = "plain", "itself", "admin"


class MySQLSubject(MySQLWorld):
    """A world whose server can go away."""

    def __init__(self, server: Mysqld, service: SecretsManager, by: str) -> None:
        super().__init__(server, service, tags={"rotators:strategy": "single"})
        self.proxy = Proxy(server.host, server.port).__enter__()
        if by == ITSELF:
            right = "CREATE USER" if server.engine == "mariadb" else "APPLICATION_PASSWORD_ADMIN"
            self.execute(f"GRANT {right} ON *.* TO {self.name}")
        if by == ADMIN:
            self.with_admin(port=self.proxy.port)
        value = json.dumps({**self.value(), "port": self.proxy.port})
        service.client().put_secret_value(SecretId=self.arn, SecretString=value)
        service.calls.clear()
        self.context = None
        self.new_sandbox()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()

    def new_sandbox(self) -> None:
        self.store = SecretStore(self.service.client())
        self.handler = EngineRotator(MySQLEngine(), store=self.store)

    def elsewhere(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "port": self.server.port}

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.proxy.cut_after, before = 0, self.proxy.cut_after
        yield
        self.proxy.cut_after = before

    def rejections(self) -> int:
        return self.refusals()
