"""
Log in to PostgreSQL with a secret that is rotated, by boto3 and psycopg alone.

The value is kept for five minutes. When the database refuses it, it is read anew, once for all threads, until Secrets Manager has
another version: with one user, the label moves some seconds after the password has changed.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import boto3
import psycopg


class CachedValue:
    """One secret's AWSCURRENT: `get` is what is kept, `other_than` waits for another version than the one that was refused."""

    def __init__(self, secret_id: str, *, keep: float = 300.0, every: float = 0.25, patience: float = 5.0) -> None:
        self._client: Any = boto3.client("secretsmanager")
        self._secret_id, self._keep, self._every, self._patience = secret_id, keep, every, patience
        self._lock = threading.Lock()
        self._version, self._value = "", dict[str, Any]()
        self._read_at = float("-inf")

    def get(self) -> tuple[str, dict[str, Any]]:
        with self._lock:
            if time.monotonic() - self._read_at > self._keep:
                self._read()
            return self._version, self._value

    def other_than(self, refused: str) -> tuple[str, dict[str, Any]] | None:
        end = time.monotonic() + self._patience
        while True:
            with self._lock:
                if self._version == refused and time.monotonic() - self._read_at >= self._every:
                    self._read()
                if self._version != refused:
                    return self._version, self._value
            if time.monotonic() > end:
                return None
            time.sleep(self._every / 4)

    def _read(self) -> None:
        answer = self._client.get_secret_value(SecretId=self._secret_id)
        self._version, self._value = answer["VersionId"], json.loads(answer["SecretString"])
        self._read_at = time.monotonic()


def connect(secret: CachedValue, **options: Any) -> psycopg.Connection[Any]:
    version, value = secret.get()
    try:
        return _log_in(value, options)
    except psycopg.OperationalError as error:
        following = secret.other_than(version) if "password authentication failed" in str(error) else None
        if following is None:
            raise
    return _log_in(following[1], options)


def _log_in(value: dict[str, Any], options: dict[str, Any]) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=value["host"],
        port=value["port"],
        dbname=value["dbname"],
        user=value["username"],
        password=value["password"],
        **{"sslmode": "verify-full", "connect_timeout": 5, **options},
    )
