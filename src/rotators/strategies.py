"""The strategies: whose identity, on whose authority. How to talk to the target is the engine's business."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from rotators.errors import ConfigurationError, SecretError
from rotators.machine import AWSCURRENT, AWSPREVIOUS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.abc import Strategy
    from rotators.description import Description
    from rotators.rotation import Rotation
    from rotators.secret import Secret

TAG = "rotators:strategy"
VARIABLE = "ROTATORS_STRATEGY"
#: What an error calls the admin's credential.
ADMIN = "the admin of masterarn"


class SingleUser:
    """
    The next version names the same user, who changes its own password.

    Current is the authority. Where current no longer opens, whatever else may: previous (somebody rolled the target
    back), a version an abandoned rotation left behind, and last the admin that ``masterarn`` names.

    Example:
        >>> handler = EngineRotator(Postgres(), SingleUser())
    """

    name = "single"

    def next(self, current: Secret) -> Secret:
        """Return it as it is: the same user."""
        return current

    def authorities(self, rotation: Rotation) -> Iterator[tuple[str, Secret]]:
        """Yield current, previous, abandoned versions, the admin."""
        yield AWSCURRENT, rotation.current
        yield from self._older(rotation)
        if rotation.admin is not None:
            yield ADMIN, rotation.admin

    def _older(self, rotation: Rotation) -> Iterator[tuple[str, Secret]]:
        """Yield what else may open. What can't be read here is no reason to stop: the admin comes after it."""
        with suppress(SecretError):  # a value somebody stored by hand, in another form
            if rotation.previous is not None:
                yield AWSPREVIOUS, rotation.previous
        try:
            for version, secret in rotation.abandoned():
                yield f"version {version[:8]}, which has no label", secret
        except ConfigurationError as error:
            rotation.warn(f"versions whose labels are gone were not tried: {error}")


STRATEGIES: dict[str, type[SingleUser]] = {SingleUser.name: SingleUser}


def choose(about: Description) -> Strategy:
    """
    Choose a secret's strategy: its tag ``rotators:strategy``, else ``ROTATORS_STRATEGY``, else single.

    Raises:
        ConfigurationError: there is no strategy of that name.
    """
    where, name = f"the tag {TAG}", about.tags.get(TAG)
    if name is None:
        where, name = VARIABLE, os.environ.get(VARIABLE)
    known = STRATEGIES.get((name or SingleUser.name).strip().lower())
    if known is None:
        raise ConfigurationError(f"{where} names no strategy of ours; it is one of: {', '.join(STRATEGIES)}")
    return known()
