"""is_refusal: each driver's way to say that a credential is refused, and what is none. Real servers say it in test_drivers.py."""

from __future__ import annotations

from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy.exc

from rotators.consumer import is_refusal


def raised(module: str, *arguments: Any, **attributes: Any) -> Exception:
    """An exception of a driver that is not installed here."""
    error: Exception = type("DatabaseError", (Exception,), {"__module__": module})(*arguments)
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


FAILED = 'connection to server at "127.0.0.1", port 5432 failed: FATAL:  '


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError(f'{FAILED}password authentication failed for user "app"'),
        psycopg.OperationalError(f'{FAILED}role "app" is not permitted to log in'),
        psycopg.OperationalError("FATAL:  This RDS proxy has no credentials for the role app. Check the credentials"),
        psycopg.OperationalError("FATAL:  SASL authentication failed"),
        psycopg.OperationalError('FATAL:  "app" auth failed'),
        raised("psycopg2", f'{FAILED}password authentication failed for user "app"', pgcode=None),
        raised("asyncpg.exceptions", "refused", sqlstate="28P01"),
        raised("asyncpg.exceptions", "refused", sqlstate="28000"),
        pymysql.err.OperationalError(1045, "Access denied"),
        raised("MySQLdb", 1698, "Access denied"),
        raised("aiomysql", 4151, "Access denied, this account is locked"),
        raised("mysql.connector.errors", "3118 (HY000): Access denied. Account is locked", errno=3118),
        sqlalchemy.exc.OperationalError("", None, pymysql.err.OperationalError(1045, "Access denied")),
    ],
    ids=repr,
)
def test_a_refusal(error: Exception) -> None:
    assert is_refusal(error)


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError(f"{FAILED}sorry, too many clients already"),
        psycopg.OperationalError("connection timeout expired"),
        raised("asyncpg.exceptions", 'no pg_hba.conf entry for host "10.0.0.1"', sqlstate="28000"),
        raised("asyncpg.exceptions", "password authentication failed, says a row", sqlstate="22023"),
        pymysql.err.OperationalError(2003, "Can't connect"),
        pymysql.err.ProgrammingError(1064, "syntax"),
        ValueError("password authentication failed"),
        KeyError(1045),
    ],
    ids=repr,
)
def test_no_refusal(error: Exception) -> None:
    assert not is_refusal(error)
