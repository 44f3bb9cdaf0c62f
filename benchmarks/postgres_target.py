"""A PostgreSQL to measure on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from server_log import ServerLog
from target import ADMIN, DATABASE, Strategy, Target
from window_client import over_the_socket

from rotators.lab.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.lab.login_client import Login


class PostgresTarget(Target):
    """The admin is none of PostgreSQL's superusers, as in RDS: it may make roles, and grant ours."""

    key = "postgres"
    strategies = (Strategy.SINGLE, Strategy.ALTERNATING)
    ours = "rotators.handlers.postgres.handler"
    templates: ClassVar[Mapping[Strategy, str]] = {
        Strategy.SINGLE: "single_user_template.handler",
        Strategy.ALTERNATING: "alternating_template.handler",
    }
    server: Postgres

    def log_in(self, secret: dict[str, Any]) -> tuple[Login, str]:
        """By psycopg."""
        return self._log_in(secret)

    def logins(self) -> tuple[int, int]:
        """By log_connections."""
        return self._log.logins()

    def _start(self) -> Postgres:
        return Postgres.start()

    def _prepare(self) -> None:
        self.server.execute(f"CREATE DATABASE {DATABASE}")
        self._log = ServerLog(self.server.log)
        self._log_in = over_the_socket(self.server)

    def _make_user(self, name: str, password: str, strategy: Strategy) -> None:
        self.server.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        if strategy.has_admin:
            self.server.execute(f"GRANT {name} TO {ADMIN} WITH ADMIN OPTION")

    def _make_admin(self, password: str) -> None:
        self.server.execute(f"CREATE ROLE {ADMIN} LOGIN CREATEROLE PASSWORD '{password}'")
