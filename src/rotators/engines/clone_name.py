"""The name of a pair's second user: six characters longer than the first's, which not every server has room for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rotators.errors import ConfigurationError, SecretError
from rotators.strategies import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable

#: AWS's templates read the same; theirs has a default of 16 on MySQL, ours is what the server has room for.
VARIABLE = "USERNAME_CHARACTER_LIMIT"


def fits(
    name: str, *, most: int, unit: str = "characters", size: Callable[[str], int] = len, firm: bool = False
) -> None:
    """
    Refuse a clone's name that is too long, while nothing has been stored or changed. Other names are the server's business.

    Args:
        name: a user's.
        most: what the server has room for.
        unit: what that counts.
        size: counts it.
        firm: whether no setting can make the server take more: one that cuts a longer name off would mean another user.

    Raises:
        SecretError: it is a clone's, and too long.
        ConfigurationError: ``USERNAME_CHARACTER_LIMIT`` is no number.
    """
    if not name.endswith(SUFFIX):
        return
    said = os.environ.get(VARIABLE, "").strip()
    if said and not (said.isascii() and said.isdigit()):
        raise ConfigurationError(f"{VARIABLE} must be a number of characters")
    if said and len(name) > int(said):
        raise SecretError(
            f"'username' in the secret is too long for alternating users: with {SUFFIX} it has more than the {said} characters "
            f"that {VARIABLE} allows"
        )
    if (firm or not said) and size(name) > most:
        raise SecretError(
            f"'username' in the secret is too long for alternating users: with {SUFFIX} it has more than the {most} {unit} that "
            f"the server has room for{'' if firm else f'. If it has more, say so in {VARIABLE}'}"
        )
