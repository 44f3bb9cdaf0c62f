"""
MySQL and MariaDB. A user's old password goes on opening beside the new one, where the server and the rights allow it.

Which of the two a server is, it says itself. What is sent to MariaDB is never a password but its verifier; MySQL keeps
passwords out of its logs by itself, and is asked whether it was told not to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rotators.admin import at, authority
from rotators.database_secret import DatabaseSecret
from rotators.engines.clone_name import fits
from rotators.engines.driver import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rotators.abc import Obstacle
    from rotators.secret import Secret

ENGINES = frozenset({"mysql", "aurora-mysql", "mariadb"})
PORT = 3306
#: Characters of a user's name. Source: MySQL reference manual, "Identifier Length Limits"; MariaDB's knowledge base, the same.
SHORT, LONGEST = 32, {"mariadb": 128}


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
        """
        Return host, port, database, user and TLS: what pending must have in common with current (law 5).

        Raises:
            SecretError: a key is missing or of the wrong form, or the name of a pair's second user is too long.
        """
        view = _view(secret)
        fits(view.username, most=LONGEST.get(view.engine, SHORT))
        return view.resource()

    def test(self, secret: Secret) -> None:
        """Log in and read the time."""
        load("mysql.login", extra="mysql").prove(_view(secret))

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """
        Change the user's password over a session of `by`, prove it, or put the account back.

        Two users of a pair are changed by `pair`, which is told what else is known of them.
        """
        if secret.get("username") != like.get("username"):
            self.pair(secret, by=by, like=like, known=())
            return
        new, old = _view(secret), _view(like)
        view = _authority(by, new)
        load("mysql.change", extra="mysql").change(view, at(view, new), at(view, old))

    def pair(self, secret: Secret, *, by: Secret, like: Secret, known: Iterable[tuple[str, Secret]]) -> None:
        """Make the other user of a pair equal to its base, give it its password last, and prove it."""
        new, old = _view(secret), _view(like)
        view = _authority(by, new)
        load("mysql.pair", extra="mysql").pair(view, at(view, new), at(view, old), evidence=known)

    def same_rights(self, secret: Secret, like: Secret) -> None:
        """Refuse a user of a pair that can do less or more than the other (law 12), over a login of each."""
        load("mysql.comparison", extra="mysql").same_rights(_view(secret), _view(like))

    def discard(self, secret: Secret, *, by: Secret) -> None:
        """Make every password of the user but `secret`'s invalid, over a session of `by`."""
        new = _view(secret)
        view = _authority(by, new)
        load("mysql.discard", extra="mysql").discard(view, at(view, new))

    def foresee(
        self, secret: Secret, *, by: Secret, like: Secret, known: Iterable[tuple[str, Secret]] = ()
    ) -> list[Obstacle]:
        """Say what would stop `set` or `pair`, over a session of `by` that only reads."""
        new, old = _view(secret), _view(like)
        view = _authority(by, new)
        found: list[Obstacle] = load("mysql.foresight", extra="mysql").foresee(
            view, at(view, new), at(view, old), known
        )
        return found


def _view(secret: Secret) -> DatabaseSecret:
    return DatabaseSecret.of(secret, engines=ENGINES, port=PORT, dbname="")


def _authority(by: Secret, target: DatabaseSecret) -> DatabaseSecret:
    """Read whose login makes a change. An admin needs no database for it, and may have no right on the secret's."""
    view = authority(by, target, engines=ENGINES)
    return view if view.username == target.username else replace(view, dbname="")
