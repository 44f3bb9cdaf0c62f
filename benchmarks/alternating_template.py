"""
A rotator of the shape of AWS's PostgreSQL multi-user template; see template.py. Its driver is psycopg, not PyGreSQL.

Source: SecretsManagerRDSPostgreSQLRotationMultiUser.
"""

from __future__ import annotations

from typing import Any

from single_user_template import log_in, quoted, test
from template import Template, other, same_place, value


def _set(service: Any, arn: str, token: str) -> None:
    current = value(service, arn, "AWSCURRENT")
    pending = value(service, arn, "AWSPENDING", token)
    connection = log_in(pending)
    if connection is not None:
        connection.close()
        return
    same_place(pending, other(current["username"]), current["host"])
    connection = log_in(current)
    if connection is None:
        raise ValueError("unable to log in with AWSCURRENT")
    connection.close()
    admin = value(service, current["masterarn"], "AWSCURRENT")
    if admin["host"] != current["host"]:
        raise ValueError("the admin is of another host than AWSCURRENT")
    connection = log_in(admin)
    if connection is None:
        raise ValueError("unable to log in with the admin's secret")
    try:
        with connection.cursor() as cursor:
            name, like = quoted(cursor, pending["username"]), quoted(cursor, current["username"])
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (pending["username"],))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE ROLE {name} WITH LOGIN PASSWORD %s".encode(), (pending["password"],))
                cursor.execute(f"GRANT {like} TO {name}".encode())
            else:
                cursor.execute(f"ALTER USER {name} WITH PASSWORD %s".encode(), (pending["password"],))
            connection.commit()
    finally:
        connection.close()


handler = Template(_set, test, exclude=":/@\"'\\", user=other)
