"""``Database``: whichever engine a secret names. One function then rotates every database secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators import engines

if TYPE_CHECKING:
    from rotators.abc import Engine
    from rotators.secret import Secret


class Database:
    """
    Chooses the engine by the secret's ``engine``. A driver is loaded only when a secret needs it.

    Example:
        >>> handler = EngineRotator(Database())
    """

    name = "database"

    def engine_of(self, secret: Secret) -> Engine:
        """
        Return the engine that a secret names.

        Raises:
            SecretError: it names none that there is.
        """
        return engines.engine(secret.get("engine"))
