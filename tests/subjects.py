"""Subjects of the contract: a role on a real PostgreSQL server, behind a proxy that can fail."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from rotators import EngineRotator, SecretStore
from rotators.engines.postgres import Postgres as PostgresEngine
from rotators.testing.proxy import Proxy
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.lab.postgres import Postgres
    from rotators.testing import SecretsManager


class PostgresSubject(World):
    """A world whose database can go away."""

    def __init__(self, server: Postgres, service: SecretsManager, make: Callable[[SecretStore], Any]) -> None:
        super().__init__(server, service)
        self._make = make
        self.proxy = Proxy(server.host, server.port).__enter__()
        value = json.dumps({**self.value(), "port": self.proxy.port})
        service.client().put_secret_value(SecretId=self.arn, SecretString=value)
        self.context = None
        self.new_sandbox()

    def new_sandbox(self) -> None:
        self.store = SecretStore(self.service.client())
        self.handler = self._make(self.store)

    def opens(self, value: Any = "AWSCURRENT") -> bool:
        return self.admits(value["password"]) if isinstance(value, dict) else super().opens(value)

    def elsewhere(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "port": self.server.port}

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.proxy.cut_after, before = 0, self.proxy.cut_after
        yield
        self.proxy.cut_after = before

    def rejections(self) -> int:
        text = self.server.log.read_text(errors="replace")
        return text.count(f'password authentication failed for user "{self.username}"')


def single_user(store: SecretStore) -> EngineRotator:
    return EngineRotator(PostgresEngine(), store=store)


@pytest.fixture
def postgres_subject(
    postgres_server: Postgres, service: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., PostgresSubject]]:
    """Make a subject, with a rotator of ours or a wrong one."""
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(postgres_server.ca_bundle))
    made: list[PostgresSubject] = []

    def make(rotator: Callable[[SecretStore], Any] = single_user) -> PostgresSubject:
        made.append(PostgresSubject(postgres_server, service, rotator))
        return made[-1]

    yield make
    for subject in made:
        subject.proxy.__exit__()
