"""
MySQL and MariaDB. A user's old password goes on opening beside the new one, where the server and the rights allow it.

Which of the two a server is, it says itself. What is sent to MariaDB is never a password but its verifier; MySQL keeps
passwords out of its logs by itself, and is asked whether it was told not to.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rotators.admin import at, authority
from rotators.errors import ConfigurationError
from rotators.secret import DatabaseSecret

if TYPE_CHECKING:
    from rotators.secret import Secret

ENGINES = frozenset({"mysql", "aurora-mysql", "mariadb"})
PORT = 3306


class MySQL:
    """
    The MySQL engine: ``mysql``, ``aurora-mysql`` and ``mariadb``.

    Example:
        >>> handler = EngineRotator(MySQL())
    """

    name = "mysql"
    #: AWS's default for MySQL and MariaDB.
    exclude_characters = "/@\"'\\"
    #: An admin can keep the old password valid where the user itself may not.
    admin_first = True

    def resource(self, secret: Secret) -> dict[str, str]:
        """Return host, port, database, user and TLS: what pending must have in common with current (law 5)."""
        return _view(secret).resource()

    def test(self, secret: Secret) -> None:
        """Log in and read the time."""
        _driver("mysql_login").prove(_view(secret))

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """Change the user's password over a session of `by`, prove it, or put the account back."""
        new, old = _view(secret), _view(like)
        view = authority(by, new, engines=ENGINES)
        _driver("mysql_change").change(view, at(view, new), at(view, old))

    def discard(self, secret: Secret, *, by: Secret) -> None:
        """Make every password of the user but `secret`'s invalid, over a session of `by`."""
        new = _view(secret)
        view = authority(by, new, engines=ENGINES)
        _driver("mysql_discard").discard(view, at(view, new))


def _view(secret: Secret) -> DatabaseSecret:
    return DatabaseSecret.of(secret, engines=ENGINES, port=PORT, dbname="")


def _driver(module: str) -> Any:
    """Load what needs the driver when it is first needed."""
    missing = ""
    try:
        return import_module(f"rotators.engines.{module}")
    except ImportError as error:
        missing = str(error)
    raise ConfigurationError(f"the MySQL driver can't be loaded ({missing}): pip install 'rotators[mysql]'")
