"""What a database's secret says to a driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.database_secret import DatabaseSecret

if TYPE_CHECKING:
    from rotators.consumer.version import SecretVersion

POSTGRES = frozenset({"postgres", "aurora-postgresql"})
MYSQL = frozenset({"mysql", "aurora-mysql", "mariadb"})


def read(version: SecretVersion) -> DatabaseSecret:
    """
    Validate a database's secret.

    Raises:
        SecretError: names the key and the expected form.
    """
    postgres = version.get("engine") in POSTGRES
    port, dbname = (5432, "postgres") if postgres else (3306, "")
    return DatabaseSecret.of(version, engines=POSTGRES | MYSQL, port=port, dbname=dbname)
