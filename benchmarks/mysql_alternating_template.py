"""
A rotator of the shape of AWS's MySQL and MariaDB multi-user templates; see template.py. Its driver is theirs, PyMySQL.

Source: SecretsManagerRDSMySQLRotationMultiUser, SecretsManagerRDSMariaDBRotationMultiUser.
"""

from __future__ import annotations

from typing import Any

from mysql_single_user_template import EXCLUDE, log_in, test
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
            fill = _fill_mariadb if current["engine"] == "mariadb" else _fill_mysql
            fill(cursor, current["username"], pending["username"], pending["password"])
            connection.commit()
    finally:
        connection.close()


def _fill_mysql(cursor: Any, like: str, user: str, password: str) -> None:
    if not cursor.execute("SELECT User FROM mysql.user WHERE User = %s", (user,)):
        cursor.execute("CREATE USER %s IDENTIFIED BY %s", (user, password))
    for grant in _grants(cursor, like):
        cursor.execute(f"{grant} TO {cursor.connection.escape(user)}")
    _require(cursor, like, user)
    cursor.execute("SET PASSWORD FOR %s = %s", (user, password))


def _fill_mariadb(cursor: Any, like: str, user: str, password: str) -> None:
    for grant in _grants(cursor, like):
        cursor.execute(
            f"{grant} TO {cursor.connection.escape(user)} IDENTIFIED BY {cursor.connection.escape(password)}"
        )
    _require(cursor, like, user)


def _grants(cursor: Any, user: str) -> list[str]:
    """Return what may be done, without who may do it."""
    cursor.execute("SHOW GRANTS FOR %s", (user,))
    return [row.partition(" TO ")[0] for (row,) in cursor.fetchall()]


def _require(cursor: Any, like: str, user: str) -> None:
    cursor.execute("SELECT ssl_type FROM mysql.user WHERE User = %s", (like,))
    ((kind,),) = cursor.fetchall()
    if kind:
        cursor.execute(f"ALTER USER {cursor.connection.escape(user)} REQUIRE {'SSL' if kind == 'ANY' else kind}")


handler = Template(_set, test, exclude=EXCLUDE, user=other)
