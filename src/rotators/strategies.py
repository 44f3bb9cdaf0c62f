"""The strategies: whose identity, on whose authority. How to talk to the target is the engine's business."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rotators.errors import ConfigurationError, RotatorsError, SecretError
from rotators.machine import AWSCURRENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.abc import Strategy
    from rotators.rotation import Rotation
    from rotators.secret import Secret

TAG = "rotators:strategy"
VARIABLE = "ROTATORS_STRATEGY"
#: What the log and errors call the admin's credential; it is borrowed only once current has opened (law 5).
ADMIN = "the admin of masterarn"
#: The same where nothing else opens and the strategy heals (decision 0006).
LAST_RESORT = "the admin of masterarn, as last resort"
#: What the second user of a pair has behind its name, as in AWS's templates.
SUFFIX = "_clone"


class SingleUser:
    """
    The next version names the same user, who changes its own password.

    Current is the authority. Where current no longer opens, whatever else may: previous (somebody rolled the target
    back), a version an abandoned rotation left behind, and last the admin that ``masterarn`` names.

    Args:
        admin_first: let the admin make the change where the secret names one: some engines then keep the old password
            valid through it.

    Example:
        >>> handler = EngineRotator(Postgres(), SingleUser())
    """

    name = "single"

    def __init__(self, *, admin_first: bool = False) -> None:
        self._admin_first = admin_first

    def next(self, current: Secret) -> Secret:
        """Return it as it is: the same user."""
        return current

    def authorities(self, rotation: Rotation) -> Iterator[tuple[str, Secret]]:
        """Yield current, previous, abandoned versions, the admin; the admin before them where that was asked for."""
        if self._admin_first and rotation.current.get("masterarn"):
            yield from self._admin(rotation)
        yield AWSCURRENT, rotation.current
        yield from rotation.older()
        if rotation.admin is not None:
            yield LAST_RESORT, rotation.admin

    def _admin(self, rotation: Rotation) -> Iterator[tuple[str, Secret]]:
        """Yield the admin; where its secret can't be read, the user can still help itself."""
        try:
            admin = rotation.admin
        except RotatorsError as error:
            rotation.warn(f"the user changes its own password, as the admin can't help: {error}")
        else:
            if admin is not None:
                yield ADMIN, admin


class AlternatingUsers:
    """
    The next version names the other user of a pair, ``app`` and ``app_clone``; an admin sets its password.

    The user that AWSCURRENT names is not touched, so no login fails at any time. Only the admin that ``masterarn`` names
    is an authority, and only while current opens (law 5). Source of the pair's names: AWS's multi-user templates.

    Example:
        >>> handler = EngineRotator(Postgres(), AlternatingUsers())
    """

    name = "alternating"

    def next(self, current: Secret) -> Secret:
        """
        Return it with the other user's name.

        Raises:
            SecretError: the secret names no user, or no admin.
        """
        username = current.get("username")
        if not isinstance(username, str) or username in {"", SUFFIX}:
            raise SecretError("'username' in the secret must be the user's name")
        if not current.get("masterarn"):
            raise SecretError(
                "'masterarn' is missing in the secret: alternating users need an admin who makes the second user and sets "
                f'its password. Name the ARN of the admin\'s secret, or choose "single" by the tag {TAG} or {VARIABLE}'
            )
        other = username.removesuffix(SUFFIX) if username.endswith(SUFFIX) else username + SUFFIX
        return current.replace(username=other)

    def authorities(self, rotation: Rotation) -> Iterator[tuple[str, Secret]]:
        """Yield the admin."""
        if rotation.admin is not None:
            yield ADMIN, rotation.admin


STRATEGIES = (SingleUser.name, AlternatingUsers.name)


def choose(rotation: Rotation, *, admin_first: bool = False, pairs: bool = True) -> Strategy:
    """
    Choose: the secret's tag ``rotators:strategy``, else ``ROTATORS_STRATEGY``, else alternating where the secret names an
    admin as ``masterarn``, else single.

    Args:
        rotation: whose secret's.
        admin_first: of `SingleUser`.
        pairs: whether the engine has users that alternate; without them an admin sets the single user's password.

    Raises:
        ConfigurationError: there is no strategy of that name.
    """
    where, name = f"the tag {TAG}", rotation.about.tags.get(TAG)
    if name is None:
        where, name = VARIABLE, os.environ.get(VARIABLE)
    chosen = (name or "").strip().lower()
    if chosen and chosen not in STRATEGIES:
        raise ConfigurationError(f"{where} names no strategy of ours; it is one of: {', '.join(STRATEGIES)}")
    if chosen == AlternatingUsers.name or (not chosen and pairs and rotation.current.get("masterarn")):
        return AlternatingUsers()
    return SingleUser(admin_first=admin_first)
