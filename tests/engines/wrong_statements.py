"""A statement of a wrong engine's own. It translates no error well, but that is not what they are wrong in."""

from __future__ import annotations

import psycopg
from psycopg import sql

from rotators import ChangeRefused, Secret, TargetUnreachable


def run(by: Secret, statement: str, *names: Secret | str) -> None:
    """Run it on PostgreSQL; a secret stands for its name and its password."""
    parts: list[sql.Composable] = []
    for name in names:
        if isinstance(name, str):
            parts.append(sql.Identifier(name))
        else:
            parts += [sql.Identifier(name["username"]), sql.Literal(name["password"])]
    login = {"host": by["host"], "port": by["port"], "user": by["username"], "password": by["password"]}
    try:
        with psycopg.connect(**login, dbname=by["dbname"], autocommit=True, connect_timeout=5) as session:
            session.execute(sql.SQL(statement).format(*parts))
    except psycopg.OperationalError:
        raise TargetUnreachable("the connection was cut", cause="dropped") from None
    except psycopg.Error:
        raise ChangeRefused("refused") from None
