"""A world for one test: a role on a real PostgreSQL server, its secret in Secrets Manager, and the handler between them."""

from __future__ import annotations

import json
import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from rotators import EngineRotator, SecretStore
from rotators.engines.postgres import Postgres as PostgresEngine
from rotators.machine import AWSCURRENT
from rotators.testing import LambdaContext, SecretsManager, rotation_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.lab.postgres import Postgres

START = "start-Canary-7f3a"


class Stored:
    """One secret in Secrets Manager, rotated by a handler."""

    def __init__(self, service: SecretsManager, engine: Any, value: dict[str, Any], tags: dict[str, str]) -> None:
        self.service = service
        self.store = SecretStore(service.client())
        self.handler: Callable[[Any, Any], None] = EngineRotator(engine, store=self.store)
        self.context: Any = LambdaContext(timeout=30.0)
        self.arn: str = service.client().create_secret(
            Name=f"db/{uuid.uuid4().hex}",
            SecretString=json.dumps(value),
            Tags=[{"Key": key, "Value": text} for key, text in tags.items()],
        )["ARN"]
        function = service.add_function(f"rotate-{uuid.uuid4().hex}", self.handle)
        service.client().rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=function,
            RotationRules={"AutomaticallyAfterDays": 30},
            RotateImmediately=False,
        )
        service.wait(self.arn, 30)
        service.calls.clear()

    def handle(self, event: Any, context: Any) -> None:
        """What Secrets Manager calls; a test may change `handler` and `context`."""
        self.handler(event, context if self.context is None else self.context)

    def step(self, step: str, token: str) -> None:
        """Call the handler as Secrets Manager does."""
        self.handler(rotation_event(step, self.arn, token), LambdaContext(timeout=30.0))

    def pending(self, **values: Any) -> str:
        """Leave what RotateSecret leaves, and store a pending value if one is given. Returns the token."""
        token = str(uuid.uuid4())
        self.service.put_placeholder(self.arn, token)
        if values:
            self.put(token, {**self.value(), **values})
        return token

    def put(self, token: str, value: dict[str, Any]) -> None:
        """Store a pending value by hand."""
        self.service.client().put_secret_value(
            SecretId=self.arn, ClientRequestToken=token, SecretString=json.dumps(value), VersionStages=["AWSPENDING"]
        )

    def put_current(self, value: dict[str, Any]) -> None:
        """Store a value by hand, as AWSCURRENT; a rotation that runs is abandoned."""
        self.service.client().put_secret_value(SecretId=self.arn, SecretString=json.dumps(value))
        for version, labels in self.service.labels(self.arn).items():
            if "AWSPENDING" in labels:
                self.service.client().update_secret_version_stage(
                    SecretId=self.arn, VersionStage="AWSPENDING", RemoveFromVersionId=version
                )

    def value(self, label: str = AWSCURRENT) -> dict[str, Any]:
        """Return the value under a label."""
        answer = self.service.client().get_secret_value(SecretId=self.arn, VersionStage=label)
        value: dict[str, Any] = json.loads(answer["SecretString"])
        return value


class World(Stored):
    """One secret and the PostgreSQL role that it opens."""

    def __init__(
        self,
        server: Postgres,
        service: SecretsManager,
        *,
        username: str | None = None,
        tags: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        self.server = server
        self.username = username or f"app_{uuid.uuid4().hex[:12]}"
        password = more.pop("password", START)
        self.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(self.username), sql.Literal(password))
        )
        value = {**server.secret(self.username, password), **more}
        super().__init__(service, PostgresEngine(), value, tags or {})

    def opens(self, label: str = AWSCURRENT) -> bool:
        """Log in with a label's value, by psycopg itself and not by our code."""
        return self.admits(self.value(label)["password"])

    def admits(self, password: str) -> bool:
        """Log in with a password."""
        try:
            psycopg.connect(
                host=self.server.host,
                port=self.server.port,
                user=self.username,
                password=password,
                dbname="postgres",
                sslmode="require" if self.server.tls else "disable",
                connect_timeout=5,
            ).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error):
                raise
            return False
        return True

    def execute(self, *statements: sql.Composable | str) -> list[Any]:
        """Run SQL as superuser."""
        return self.server.execute(*[s.as_string() if isinstance(s, sql.Composable) else s for s in statements])

    def alter(self, tail: str) -> None:
        """ALTER ROLE."""
        self.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(self.username), sql.SQL(tail)))

    def set_password(self, password: str) -> None:
        """Change the role's password behind everybody's back."""
        self.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(self.username), sql.Literal(password)))

    @contextmanager
    def log(self) -> Iterator[list[str]]:
        """Collect what the server writes to its log meanwhile."""
        begin = os.path.getsize(self.server.log)
        lines: list[str] = []
        yield lines
        with open(self.server.log, "rb") as log:
            log.seek(begin)
            lines += log.read().decode("utf-8", "replace").splitlines()


@pytest.fixture
def service() -> Iterator[SecretsManager]:
    """Secrets Manager, in memory, by its own rules."""
    manager = SecretsManager()
    yield manager
    manager.close()


@pytest.fixture
def world(postgres_server: Postgres, service: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    """Make a world: `world(username=…, password=…, any key of the secret=…)`."""

    def make(server: Postgres = postgres_server, **more: Any) -> World:
        if server.ca_bundle is not None:
            monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(server.ca_bundle))
        return World(server, service, **more)

    return make


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Don't wait four seconds for labels that nobody is going to write."""
    monkeypatch.setattr("rotators.waiting.SETTLE", 0.2)
