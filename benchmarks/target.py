"""``Target``: a database server of the benchmark's own, with users for each way to rotate, and its word on who logged in."""

from __future__ import annotations

import os
import secrets
from abc import ABC, abstractmethod
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.lab.login_client import Login
    from rotators.lab.mysqld import Mysqld
    from rotators.lab.postgres import Postgres

    Secret = dict[str, Any]

OURS, THEIRS = "ours", "template"
DATABASE, ADMIN = "shop", "benchmark_admin"


class Strategy(Enum):
    """A way to rotate; its value is what JSON calls it."""

    SINGLE = "single"
    OWN_RIGHTS = "single, two passwords by own rights"
    BY_ADMIN = "single, two passwords by the admin"
    ALTERNATING = "alternating"

    @property
    def has_admin(self) -> bool:
        """Whether the secret names an admin."""
        return self in {Strategy.BY_ADMIN, Strategy.ALTERNATING}


class Target(ABC):
    """
    One server, started and stopped by `with`.

    Attributes:
        key: what the command line calls it.
        strategies: what can be had here. AWS has templates for `SINGLE` and `ALTERNATING` alone.
        ours: our handler.
        templates: the handlers of the shape of AWS's.
    """

    key: ClassVar[str]
    strategies: ClassVar[tuple[Strategy, ...]]
    ours: ClassVar[str]
    templates: ClassVar[Mapping[Strategy, str]]

    def __init__(self) -> None:
        self.server: Postgres | Mysqld = self._start()

    def __enter__(self) -> Self:
        try:
            self._prepare()
        except BaseException:
            self.server.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def __str__(self) -> str:
        return f"{self.server.product} {self.server.version}, {'TLS' if self.server.tls else 'without TLS'}"

    def handler(self, strategy: Strategy, rotator: str) -> str:
        """Name the handler of ours or of theirs."""
        return self.ours if rotator == OURS else self.templates[strategy]

    def user(self, name: str, strategy: Strategy) -> Secret:
        """Make a user with the rights that a strategy needs; returns its secret, which names no admin yet."""
        password = secrets.token_urlsafe(18)
        self._make_user(name, password, strategy)
        return self.server.secret(name, password, DATABASE)

    def admin(self) -> Secret:
        """Make the admin; returns its secret."""
        password = secrets.token_urlsafe(18)
        self._make_admin(password)
        return self.server.secret(ADMIN, password)

    @abstractmethod
    def log_in(self, secret: Secret) -> tuple[Login, str]:
        """Log in as a client, over the local socket: so the server's log knows it from a rotator."""

    @abstractmethod
    def logins(self) -> tuple[int, int]:
        """How many logins over TCP the server let in, and how many it refused, since the last time, by its own log."""

    @abstractmethod
    def _start(self) -> Postgres | Mysqld: ...

    @abstractmethod
    def _prepare(self) -> None: ...

    @abstractmethod
    def _make_user(self, name: str, password: str, strategy: Strategy) -> None: ...

    @abstractmethod
    def _make_admin(self, password: str) -> None: ...


def know_the_unpacked_mysql() -> None:
    """Find what `.ci/setup mysql` has unpacked in this checkout."""
    unpacked = Path(__file__).parents[1] / ".tools" / "mysql"
    if (unpacked / "run").exists():
        os.environ.setdefault("ROTATORS_MYSQL", str(unpacked))
