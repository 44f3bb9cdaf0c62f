"""
A rotator of the shape of AWS's PostgreSQL single-user template; see template.py. Its driver is psycopg, not PyGreSQL.

Source: SecretsManagerRDSPostgreSQLRotationSingleUser.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import ClientCursor
from template import Template, changed, same_place, value


def log_in(secret: dict[str, Any]) -> psycopg.Connection[Any] | None:
    """Return a session, None where there is none to be had, whatever the reason."""
    bundle = os.environ.get("ROTATORS_CA_BUNDLE")
    try:
        return psycopg.connect(
            host=secret["host"],
            port=int(secret.get("port", 5432)),
            user=secret["username"],
            password=secret["password"],
            dbname=secret.get("dbname", "postgres"),
            connect_timeout=5,
            cursor_factory=ClientCursor,
            sslmode="verify-full" if bundle else "disable",
            sslrootcert=bundle,
        )
    except psycopg.OperationalError:
        return None


def quoted(cursor: psycopg.Cursor[Any], name: str) -> str:
    """Let the server quote a name."""
    cursor.execute("SELECT quote_ident(%s)", (name,))
    row = cursor.fetchone()
    return str(row[0] if row else "")


def test(secret: dict[str, Any]) -> None:
    """Log in and read the time."""
    connection = log_in(secret)
    if connection is None:
        raise ValueError("unable to log in with AWSPENDING")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT NOW()")
            connection.commit()
    finally:
        connection.close()


def _set(service: Any, arn: str, token: str) -> None:
    with suppress(service.exceptions.ResourceNotFoundException):
        value(service, arn, "AWSPREVIOUS")
    current = value(service, arn, "AWSCURRENT")
    pending = value(service, arn, "AWSPENDING", token)
    connection = log_in(pending)
    if connection is not None:
        connection.close()
        return
    same_place(pending, current["username"], current["host"])
    connection = log_in(current)
    if connection is None:
        raise ValueError("unable to log in with AWSCURRENT")
    try:
        with connection.cursor() as cursor:
            name = quoted(cursor, pending["username"])
            cursor.execute(f"ALTER USER {name} WITH PASSWORD %s".encode(), (pending["password"],))
            connection.commit()
            changed(token)
    finally:
        connection.close()


handler = Template(_set, test, exclude=":/@\"'\\")
