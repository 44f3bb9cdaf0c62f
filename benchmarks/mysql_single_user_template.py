"""
A rotator of the shape of AWS's MySQL and MariaDB single-user templates; see template.py. Its driver is theirs, PyMySQL.

One more point in its favour: it knows the words of every MySQL. AWS's own takes every version but "8…" for an old one, and
says what MySQL 9 does not understand.

Source: SecretsManagerRDSMySQLRotationSingleUser, SecretsManagerRDSMariaDBRotationSingleUser.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import pymysql
from template import Template, changed, same_place, value

EXCLUDE = "/@\"'\\"


def log_in(secret: dict[str, Any]) -> Any:
    """Return a session, None where there is none to be had, whatever the reason."""
    bundle = os.environ.get("ROTATORS_CA_BUNDLE")
    try:
        return pymysql.connect(
            host=secret["host"],
            port=int(secret.get("port", 3306)),
            user=secret["username"],
            password=secret["password"],
            database=secret.get("dbname"),
            connect_timeout=5,
            ssl={"ca": bundle} if bundle else None,
        )
    except pymysql.OperationalError:
        return None


def test(secret: dict[str, Any]) -> None:
    """Log in and read the time."""
    connection = log_in(secret)
    if connection is None:
        raise ValueError("unable to log in with AWSPENDING")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT NOW()")
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
            cursor.execute("SELECT VERSION()")
            mariadb = "mariadb" in str(cursor.fetchone()).lower()
            words = "SET PASSWORD = PASSWORD(%s)" if mariadb else "SET PASSWORD = %s"
            cursor.execute(words, (pending["password"],))
            connection.commit()
            changed(token)
    finally:
        connection.close()


handler = Template(_set, test, exclude=EXCLUDE)
