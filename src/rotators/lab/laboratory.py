"""``Laboratory``: a Secrets Manager at a URL, a database, and two secrets for its users: one for the events, one to rotate."""

from __future__ import annotations

import json
import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from rotators.lab import LabError
from rotators.lab.sandbox import Sandbox
from rotators.testing import Endpoint, SecretsManager

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rotators.lab.mariadb import MariaDB
    from rotators.lab.postgres import Postgres

#: The Region of the files in events/, and the name of what is rotated by RotateSecret.
REGION, ROTATED, FUNCTION = "us-east-1", "shop/app", "rotators-lab"
HANDLER = "rotators.handlers.database.handler"
DATABASE = "shop"


@dataclass(frozen=True)
class Setting:
    """
    What the lab's user chose.

    Attributes:
        engine: postgres or mariadb; None where `secret` is given.
        secret: the value of a secret for a database that is there already.
        host: the address to listen on, of this machine; a container does not reach 127.0.0.1.
        port: of Secrets Manager; 0 for one that is free.
        log: where the handler's output goes.
        function: invokes a function that runs elsewhere; None for the handler of this package, in a process of its own.
        said: told of every step that RotateSecret has run: the secret's ARN, the step, and what was wrong, if anything.
    """

    engine: str | None
    secret: Mapping[str, Any] | None
    host: str
    port: int
    log: Path
    function: Callable[[dict[str, Any], Any], None] | None = None
    said: Callable[[str, str, str], None] = lambda *_: None


class Laboratory:
    """
    Started by `with`; gone, with all its files but the log, at the end of the block.

    Args:
        setting: what was chosen.
        event: one of the files in events/: its secret and version are made.

    Attributes:
        url: of Secrets Manager.
        arns: of the events' secret, and of the one to rotate.

    Raises:
        LabError: the database does not start, or the port is taken.
    """

    def __init__(self, setting: Setting, event: Mapping[str, str]) -> None:
        self.setting, self._event = setting, event
        self.service = SecretsManager(region=REGION)
        self.url = ""
        self.arns: list[str] = []
        self._server: Postgres | MariaDB | None = None
        self._things = ExitStack()

    def __enter__(self) -> Self:
        with self._things as things:
            self.url = things.enter_context(self._endpoint())
            if self.setting.engine is not None:
                self._server = _started(self.setting.engine, self.setting.host)
                things.callback(self._server.stop)
            self._seed()
            self._things = things.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._things.close()

    def invoke(self, event: dict[str, Any], context: Any) -> None:
        """Run a step of a rotation, and tell of it."""
        problem = "it was ended in the middle"
        try:
            self._run(event, context)
            problem = ""
        except Exception as error:
            problem = f"{getattr(error, 'kind', type(error).__name__)}: {error}"
            raise
        finally:
            self.setting.said(event["SecretId"], event["Step"], problem)

    def _run(self, event: dict[str, Any], context: Any) -> None:
        """In a new process each time: what a step can't know from the one before, it does not know here."""
        if self.setting.function is not None:
            self.setting.function(event, context)
            return
        with Sandbox(HANDLER, {"SECRETS_MANAGER_ENDPOINT": self.url}, self.setting.log) as sandbox:
            sandbox(event, context)

    @property
    def database(self) -> str:
        """Return what to call the database."""
        if self._server is None:
            return "the secret's own database"
        return f"{self._server.product} {self._server.version} at {self._server.host}:{self._server.port}"

    def _endpoint(self) -> Endpoint:
        problem = ""
        try:
            return Endpoint(self.service, host=self.setting.host, port=self.setting.port)
        except OSError as error:
            problem = error.strerror or str(error)
        raise LabError(
            f"{self.setting.host}:{self.setting.port} can't be listened on ({problem}): choose another --port"
        )

    def _seed(self) -> None:
        client = self.service.client()
        arn = self._event["SecretId"]
        name = arn.split(":secret:")[1]  # with a hyphen and six characters: a service finds it by either
        function = self.service.add_function(FUNCTION, self.invoke)
        for number, title in enumerate((name, ROTATED)):
            made = client.create_secret(Name=title, SecretString=json.dumps(self._value(number)))["ARN"]
            self.arns.append(arn if number == 0 else made)
            if number:  # AWS tests the function here; so a lab that can't rotate says so at once
                client.rotate_secret(
                    SecretId=made,
                    RotationLambdaARN=function,
                    RotationRules={"ScheduleExpression": "cron(0 3 1 * ? *)", "Duration": "3h"},
                    RotateImmediately=False,
                )
                self.service.wait(made)
        self.service.put_placeholder(arn, self._event["ClientRequestToken"])

    def _value(self, number: int) -> dict[str, Any]:
        """Return the value of a secret: of a user of its own, but where there is only the one that was given."""
        if self.setting.secret is not None or self._server is None:
            return dict(self.setting.secret or {})
        user, password = f"app_{number + 1}", secrets.token_urlsafe(24)
        if self._server.engine == "postgres":
            self._server.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
        else:
            self._server.execute(f"CREATE USER '{user}'@'%' IDENTIFIED BY '{password}'")
        return self._server.secret(user, password, "postgres" if self._server.engine == "postgres" else None)


def _started(engine: str, host: str) -> Postgres | MariaDB:
    """Start it without TLS: a function in a container has no file of the lab's authority. The secret says so."""
    if engine == "postgres":
        from rotators.lab.postgres import Postgres  # noqa: PLC0415 - the driver of the chosen one alone

        return Postgres.start(tls=False, host=host)
    from rotators.lab.mariadb import MariaDB  # noqa: PLC0415

    return MariaDB.start(tls=False, host=host)
