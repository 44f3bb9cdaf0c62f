"""
PostgreSQL. One password a role, so current stops opening when pending starts to: that window is kept short and measured.

What is sent is never a password but its verifier, made here as the server's ``password_encryption`` says, so neither a
statement nor the server's log holds one. The session that made the change stays open until a second login has proven it,
and puts current back if it has not (law 10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.admin import at, authority
from rotators.database_secret import DatabaseSecret
from rotators.engines.clone_name import fits
from rotators.engines.driver import load
from rotators.passwords import EXCLUDED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rotators.abc import Obstacle
    from rotators.secret import Secret

ENGINES = frozenset({"postgres", "aurora-postgresql"})
PORT, DBNAME = 5432, "postgres"
#: The longest name in bytes. Source: PostgreSQL manual, "Identifiers and Key Words" (NAMEDATALEN).
NAME = 63


class Postgres:
    """
    The PostgreSQL engine: ``postgres`` and ``aurora-postgresql``.

    Example:
        >>> handler = EngineRotator(Postgres())
    """

    name = "postgres"
    exclude_characters = EXCLUDED

    def resource(self, secret: Secret) -> dict[str, str]:
        """
        Return host, port, database, user and TLS: what pending must have in common with current (law 5).

        Raises:
            SecretError: a key is missing or of the wrong form; a clone's name is longer than `NAME` bytes, or than AWS's
                ``USERNAME_CHARACTER_LIMIT`` allows.
        """
        view = _view(secret)
        fits(view.username, most=NAME, unit="bytes", size=lambda name: len(name.encode()), firm=True)
        return view.resource()

    def test(self, secret: Secret) -> None:
        """Log in and read the time."""
        load("postgres.login", extra="postgres").prove(_view(secret))

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """
        Change the role's password over a session of `by`, prove it, or put `like` back.

        Where the two name the two roles of a pair, `by` is an admin, and the clone is made equal to its base before.
        """
        new, old = _view(secret), _view(like)
        view = authority(by, new, engines=ENGINES)
        module = "postgres.change" if new.username == old.username else "postgres.pair"
        load(module, extra="postgres").change(view, at(view, new), at(view, old))

    def same_rights(self, secret: Secret, like: Secret) -> None:
        """Refuse a role of a pair that can do less or more than its base (law 12), over one login as `secret`."""
        load("postgres.comparison", extra="postgres").same_rights(_view(secret), _view(like))

    def foresee(
        self,
        secret: Secret,
        *,
        by: Secret,
        like: Secret,
        known: Iterable[tuple[str, Secret]] = (),  # noqa: ARG002 - the catalogs tell whose a clone is
    ) -> list[Obstacle]:
        """Say what would stop `set`, over a session of `by` that may only read."""
        new = _view(secret)
        view = authority(by, new, engines=ENGINES)
        old = at(view, _view(like))
        found: list[Obstacle] = load("postgres.foresight", extra="postgres").foresee(view, at(view, new), old)
        return found


def _view(secret: Secret) -> DatabaseSecret:
    return DatabaseSecret.of(secret, engines=ENGINES, port=PORT, dbname=DBNAME)
