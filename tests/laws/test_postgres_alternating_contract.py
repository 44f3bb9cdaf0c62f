"""PostgreSQL, alternating users, under the contract."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing.contract import RotatorContract
from rotators.testing.proxy import Proxy
from tests.postgres.pair import PairWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.lab.postgres import Postgres
    from rotators.testing import SecretsManager


class AlternatingSubject(PairWorld):
    """A pair whose database can go away, for its admin too."""

    def __init__(self, server: Postgres, service: SecretsManager) -> None:
        super().__init__(server, service)
        self.proxy = Proxy(server.host, server.port).__enter__()
        value = {**self.value(), "port": self.proxy.port}
        admin = {**self.store.another(value["masterarn"]), "port": self.proxy.port}
        service.client().put_secret_value(SecretId=self.arn, SecretString=json.dumps(value))
        service.client().put_secret_value(SecretId=value["masterarn"], SecretString=json.dumps(admin))
        self.context = None
        self.new_sandbox()

    def elsewhere(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "port": self.server.port}

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.proxy.cut_after, before = 0, self.proxy.cut_after
        yield
        self.proxy.cut_after = before

    def rejections(self) -> int:
        text = self.server.log.read_text(errors="replace")
        users = (self.username, self.clone, self.admin)
        return sum(text.count(f'password authentication failed for user "{user}"') for user in users)


class TestPostgresAlternatingUsers(RotatorContract):
    """Every law, on a real server."""

    @pytest.fixture
    def subject(
        self, postgres_server: Postgres, service: SecretsManager, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[AlternatingSubject]:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(postgres_server.ca_bundle))
        subject = AlternatingSubject(postgres_server, service)
        yield subject
        subject.proxy.__exit__()
