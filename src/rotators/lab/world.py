"""What the demo plays in: a PostgreSQL, a Secrets Manager, a secret for a role, and those who look on."""

from __future__ import annotations

import json
import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from rotators.lab.login_client import Login, LoginClient, log_in
from rotators.lab.postgres import Postgres
from rotators.lab.sandbox import Sandbox
from rotators.lab.story import Label
from rotators.testing import Endpoint, SecretsManager

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROLE, DATABASE, SECRET = "app", "shop", "shop/app"
_LABELS = ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS")


class _Counted:
    """The Secrets Manager as the handler reaches it: its calls are counted apart from everybody else's."""

    def __init__(self, service: SecretsManager) -> None:
        self._service = service
        self.calls: list[str] = []

    def respond(self, target: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        self.calls.append(target.rpartition(".")[2])
        return self._service.respond(target, body, headers)


class World:
    """Started by `with`; gone, with all its files but the handler's log, at the end of the block."""

    handler = "rotators.handlers.postgres.handler"
    role = ROLE

    def __init__(self, log: Path) -> None:
        self.log = log
        self.service = SecretsManager()
        self.refused = 0  # how often `labels` was refused
        self._door = _Counted(self.service)
        self._things = ExitStack()
        self._tokens: set[str] = set()
        self._passwords: set[str] = set()

    def __enter__(self) -> Self:
        with self._things as things:
            self.server = things.enter_context(Postgres.start(settings={"log_statement": "all"}))
            self.url = things.enter_context(Endpoint(self._door))
            self._look = things.enter_context(self.server.connect())
            self._boto3 = self.service.client()
            self._make_secret()
            self._things = things.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._things.close()

    def sandbox(self) -> Sandbox:
        """Start a process that runs the handler, set up as the template sets up the Lambda function."""
        bundle = self.server.ca_bundle
        trust = {"ROTATORS_CA_BUNDLE": str(bundle)} if bundle else {}
        return Sandbox(self.handler, {"SECRETS_MANAGER_ENDPOINT": self.url} | trust, self.log)

    def client(self) -> LoginClient:
        """An application that logs in with AWSCURRENT; it starts with `with`."""
        return LoginClient(lambda: self._value(VersionStage="AWSCURRENT"), self.server.ca_bundle)

    @property
    def calls(self) -> list[str]:
        """The operations the handler has asked for, in order."""
        return self._door.calls

    def verifier(self) -> str:
        """What the database keeps instead of the role's password."""
        return str(self._look.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (ROLE,)).fetchone())

    def labels(self) -> list[Label]:
        """Every label, and whether the value under it opens the database at this moment."""
        holders = {label: version for version, labels in self.service.labels(SECRET).items() for label in labels}
        return [Label(name, holders[name], self._opens(holders[name])) for name in _LABELS if name in holders]

    def note_token(self, token: str | None) -> None:
        """Remember an event's RotationToken, for `leaks`."""
        self._tokens |= {token} if token else set()

    def refusals(self) -> int:
        """How often the database has refused the role's password, by its own log."""
        return self.server.log.read_text(errors="replace").count(f'password authentication failed for user "{ROLE}"')

    def measured(self, since: int) -> float | None:
        """How long AWSCURRENT did not open, in milliseconds, by the handler's log from that byte on."""
        lines = self.log.read_bytes()[since:].decode(errors="replace").splitlines()
        found = [json.loads(line).get("outage_window_ms") for line in lines if '"outage_window_ms"' in line]
        return float(found[-1]) if found and found[-1] is not None else None

    def leaks(self) -> list[str]:
        """The names of the logs in which a password, or a RotationToken, can be read."""
        hidden = self._passwords | self._tokens
        logs = {"the handler's log": self.log, "the server's log": self.server.log}
        return [name for name, path in logs.items() if any(s in path.read_text(errors="replace") for s in hidden)]

    def _opens(self, version: str) -> bool:
        try:
            value = self._value(VersionId=version)
        except self._boto3.exceptions.ResourceNotFoundException:
            return False  # labelled by RotateSecret, and never stored
        result, _ = log_in(json.loads(value), self.server.ca_bundle)
        self.refused += result is Login.REFUSED
        return result is Login.OPENED

    def _value(self, **which: str) -> str:
        text: str = self._boto3.get_secret_value(SecretId=SECRET, **which)["SecretString"]
        self._passwords.add(json.loads(text)["password"])
        return text

    def _make_secret(self) -> None:
        password = secrets.token_urlsafe(24)
        verifier = self._look.pgconn.encrypt_password(password.encode(), ROLE.encode(), b"scram-sha-256").decode()
        self.server.execute(
            f"CREATE ROLE {ROLE} LOGIN PASSWORD '{verifier}'", f"CREATE DATABASE {DATABASE} OWNER {ROLE}"
        )
        value = self.server.secret(ROLE, password, DATABASE)
        self._boto3.create_secret(Name=SECRET, SecretString=json.dumps(value))
