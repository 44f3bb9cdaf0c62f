"""Whether a driver's exception says that the server knows the credential and refuses it. No driver is loaded for that."""

from __future__ import annotations

#: Source: PostgreSQL, appendix "Error Codes": invalid_password, invalid_authorization_specification.
SQLSTATES = {"28P01", "28000"}
#: Source: MySQL and MariaDB, error reference: ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR,
#: ER_ACCOUNT_HAS_BEEN_LOCKED. The last is what an old user of a pair may become.
NUMBERS = {1045, 1698, 3118, 4151}
#: libpq gives a failed login no SQLSTATE. The third is RDS Proxy's, the last two PgBouncer's.
WORDS = (
    "password authentication failed",
    "is not permitted to log in",
    "This RDS proxy has no credentials for the role",
    "SASL authentication failed",
    "auth failed",
)
_DRIVERS = {"psycopg", "psycopg2", "asyncpg", "pymysql", "MySQLdb", "aiomysql", "asyncmy", "mysql", "sqlalchemy"}


def is_refusal(error: BaseException) -> bool:
    """
    Say whether a login failed because the credential is not, or no longer, the right one.

    Known are psycopg, psycopg2, asyncpg, PyMySQL, mysqlclient, aiomysql, asyncmy, MySQL Connector, and SQLAlchemy around them.
    A server whose messages are not English gives psycopg nothing to know a refusal by: set its ``lc_messages``.

    Args:
        error: what the driver raised.

    Example:
        >>> try:
        ...     connect()
        ... except Exception as error:
        ...     if is_refusal(error):
        ...         read_it_anew()
    """
    error = getattr(error, "orig", None) or error
    if not {cls.__module__.partition(".")[0] for cls in type(error).__mro__} & _DRIVERS:
        return False
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if state in SQLSTATES:
        return "pg_hba.conf" not in str(error)  # the server's rules, which no other password mends
    if getattr(error, "errno", None) in NUMBERS or (error.args and error.args[0] in NUMBERS):
        return True
    text = str(error)
    return state is None and any(words in text for words in WORDS)
