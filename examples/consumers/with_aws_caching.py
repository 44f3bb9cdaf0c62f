"""
Log in to PostgreSQL with a secret that is rotated, by AWS's own cache: aws-secretsmanager-caching.

It keeps a value for an hour, and is told to read anew by `refresh_secret_now`. That sleeps 2.5 to 5 s first, so ask whether another
thread has done it already; and it says whether the secret's description was read, not whether its value is another one.
"""

from __future__ import annotations

import json
import threading
from typing import Any

import boto3
import psycopg
from aws_secretsmanager_caching import SecretCache


class Login:
    def __init__(self, secret_id: str, **options: Any) -> None:
        self._secret_id, self._options = secret_id, options
        self._cache: Any = SecretCache(client=boto3.client("secretsmanager"))
        self._lock = threading.Lock()

    def connect(self) -> psycopg.Connection[Any]:
        text = self._cache.get_secret_string(self._secret_id)
        try:
            return self._log_in(text)
        except psycopg.OperationalError as error:
            if "password authentication failed" not in str(error):
                raise
        return self._log_in(self._other_than(text))

    def _other_than(self, refused: str) -> str:
        with self._lock:
            text: str = self._cache.get_secret_string(self._secret_id)
            if text == refused:
                self._cache.refresh_secret_now(self._secret_id)
                text = self._cache.get_secret_string(self._secret_id)
            return text

    def _log_in(self, text: str) -> psycopg.Connection[Any]:
        value = json.loads(text)
        return psycopg.connect(
            host=value["host"],
            port=value["port"],
            dbname=value["dbname"],
            user=value["username"],
            password=value["password"],
            **{"sslmode": "verify-full", "connect_timeout": 5, **self._options},
        )
