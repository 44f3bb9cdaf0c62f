"""``Laboratory``: a Secrets Manager at a URL, a database, and two secrets for its users: one for the events, one to rotate."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from rotators.lab import LabError
from rotators.lab.keeping import Keeping
from rotators.lab.sandbox import Sandbox
from rotators.lab.setting import HANDLER, HOST, Setting
from rotators.testing import Endpoint, SecretsManager
from rotators.testing.rotation_request import in_progress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rotators.lab.mariadb import MariaDB
    from rotators.lab.postgres import Postgres

#: The Region of the files in events/, and the name of what is rotated by RotateSecret.
REGION, ROTATED, FUNCTION = "us-east-1", "shop/app", "rotators-lab"
# What is kept must outlive a power cut, as the secrets do; and no log of all that clients send is kept, with passwords in it.
_DURABLE = {
    "postgres": {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"},
    "mariadb": {"innodb_flush_log_at_trx_commit": "1", "general_log": "OFF"},
}


class Laboratory:
    """
    Started by `with`; gone at the end of the block, with all its files but the log and what it was told to keep.

    Args:
        setting: what was chosen.
        event: one of the files in events/: its secret and version are made.

    Attributes:
        url: of Secrets Manager.
        function: the ARN that RotateSecret takes.
        went_on: whether an earlier one's secrets and database were found.

    Raises:
        LabError: the database does not start, the port is taken, the handler can't be loaded, or the state is no use.
    """

    def __init__(self, setting: Setting, event: Mapping[str, str]) -> None:
        self.setting, self._event = setting, event
        self.url, self.function, self.went_on = "", "", False
        self._seeded = False
        self._server: Postgres | MariaDB | None = None
        self._things = ExitStack()

    def __enter__(self) -> Self:
        setting = self.setting
        with self._things as things:
            kept = Keeping(setting.state) if setting.state is not None else None
            note: dict[str, Any] = {}
            if kept is not None:
                things.callback(kept.close)
                if kept.note:
                    kept.check(setting)
                else:
                    kept.clear()
                note = kept.note
            self.went_on = bool(note)
            self.service = SecretsManager(region=REGION, state=kept.state if kept else None)
            host = setting.host or note.get("host", HOST)
            endpoint = self._endpoint(host, note.get("port", 0) if setting.port is None else setting.port)
            self.url = things.enter_context(endpoint)
            database = setting.database or note.get("database", "postgres")
            if database != "given":
                self._server = _started(database, host, note.get("database_port"), kept.database if kept else None)
                things.callback(self._server.stop)
            things.callback(self.service.close)
            self._check_handler()
            self.function = self.service.add_function(FUNCTION, self.invoke)
            if not self.went_on:
                self._seed()
            self._seeded = True
            if kept is not None:
                port = self._server.port if self._server else None
                kept.keep(database=database, host=host, port=endpoint.port, database_port=port)
            self._things = things.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._things.close()

    def invoke(self, event: dict[str, Any], context: Any) -> None:
        """Run a step of a rotation, and tell of it."""
        problem, began = "it was ended in the middle", time.monotonic()
        try:
            self._run(event, context)
            problem = ""
        except Exception as error:
            problem = f"{getattr(error, 'kind', type(error).__name__)}: {error}"
            raise
        finally:
            if self._seeded or problem:
                self.setting.said(event["SecretId"], event["Step"], time.monotonic() - began, problem)

    def _run(self, event: dict[str, Any], context: Any) -> None:
        """In a new process each time: what a step can't know from the one before, it does not know here."""
        if self.setting.function is not None:
            self.setting.function(event, context)
            return
        with self._sandbox() as sandbox:
            sandbox(event, context)

    def _sandbox(self) -> Sandbox:
        return Sandbox(self.setting.handler, {"SECRETS_MANAGER_ENDPOINT": self.url}, self.setting.log)

    @property
    def database(self) -> str:
        """Return what to call the database."""
        if self._server is None:
            return "the secret's own database"
        return f"{self._server.product} {self._server.version} at {self._server.host}:{self._server.port}"

    @property
    def interrupted(self) -> list[str]:
        """Return the names of the secrets whose rotation an earlier lab did not finish."""
        account = self.service.account
        with account.lock:
            began = [record for record in account.records() if record.attempt and record.rotation_enabled]
            return [record.name for record in began if record.rotation_function and in_progress(record)]

    def _endpoint(self, host: str, port: int) -> Endpoint:
        problem = ""
        try:
            return Endpoint(self.service, host=host, port=port)
        except OSError as error:
            problem = error.strerror or str(error)
        where = f"{host}:{port}" if port else host
        raise LabError(f"{where} can't be listened on ({problem}): choose another {'--port' if port else '--listen'}")

    def _check_handler(self) -> None:
        """Load a handler that is not ours, so that a mistake shows here and not in a rotation."""
        if self.setting.handler != HANDLER:
            with self._sandbox() as sandbox:
                sandbox.wait_until_booted()

    def _seed(self) -> None:
        client = self.service.client()
        arn = self._event["SecretId"]
        name = arn.split(":secret:")[1]  # with a hyphen and six characters: a service finds it by either
        for number, title in enumerate((name, ROTATED)):
            client.create_secret(Name=title, SecretString=json.dumps(self._value(number)))
        client.rotate_secret(
            SecretId=ROTATED,
            RotationLambdaARN=self.function,
            RotationRules={"ScheduleExpression": "cron(0 3 1 * ? *)", "Duration": "3h"},
            RotateImmediately=False,
        )
        self.service.wait(ROTATED)  # for its test of the function: a lab that can't rotate says so at once
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


def _started(engine: str, host: str, port: int | None, directory: Path | None) -> Postgres | MariaDB:
    """Start it without TLS: a function in a container has no file of the lab's authority. The secret says so."""
    settings = _DURABLE[engine] if directory is not None else {}
    if engine == "postgres":
        from rotators.lab.postgres import Postgres  # noqa: PLC0415 - the driver of the chosen one alone

        return Postgres.start(directory, tls=False, settings=settings, host=host, port=port)
    from rotators.lab.mariadb import MariaDB  # noqa: PLC0415

    return MariaDB.start(directory, tls=False, settings=settings, host=host, port=port)
