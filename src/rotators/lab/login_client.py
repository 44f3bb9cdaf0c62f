"""An application: it reads AWSCURRENT and logs in with it, again and again, and remembers how that went."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Self

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_CONNECT_SECONDS = 10
_PAUSE = 0.002


class Login(Enum):
    """How an attempt ended: three answers, never to be mixed up (law 8)."""

    OPENED = "opened"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: from reading the secret to the database's answer, in seconds of `time.monotonic`."""

    began: float
    ended: float
    result: Login
    text: str = ""


def log_in(secret: Mapping[str, Any], ca_bundle: Path | None) -> tuple[Login, str]:
    """Try a database secret: the answer, and for `FAILED` what the driver said."""
    try:
        psycopg.connect(
            host=secret["host"],
            port=secret["port"],
            user=secret["username"],
            password=secret["password"],
            dbname=secret["dbname"],
            connect_timeout=_CONNECT_SECONDS,
            application_name="client",
            sslmode="verify-full" if ca_bundle else "disable",
            sslrootcert=str(ca_bundle) if ca_bundle else None,
        ).close()
    except psycopg.OperationalError as error:
        refused = "password authentication failed" in str(error)
        return (Login.REFUSED, "") if refused else (Login.FAILED, str(error).strip())
    return Login.OPENED, ""


class LoginClient:
    """Logs in from a thread of its own until it is stopped.

    `read` returns AWSCURRENT's SecretString; it is asked before every login, as if nothing were cached.
    """

    def __init__(self, read: Callable[[], str], ca_bundle: Path | None) -> None:
        self.attempts: list[Attempt] = []
        self._read = read
        self._ca_bundle = ca_bundle
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="client", daemon=True)

    def between(self, began: float, ended: float) -> list[Attempt]:
        """Return the attempts that touch a span of time."""
        return [attempt for attempt in list(self.attempts) if attempt.ended >= began and attempt.began <= ended]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(_PAUSE):
            began = time.monotonic()
            try:
                result, text = log_in(json.loads(self._read()), self._ca_bundle)
            except Exception as error:  # noqa: BLE001 - a client that dies silently would look like one that never fails
                result, text = Login.FAILED, type(error).__name__
            self.attempts.append(Attempt(began, time.monotonic(), result, text))
