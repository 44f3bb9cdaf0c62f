"""Room for another key, where a provider has a limit: what nobody holds is revoked, and nothing that is not ours."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rotators import deadline
from rotators.errors import ChangeRefused
from rotators.key_name import age, ours

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.abc import Issues, Key
    from rotators.rotation import Rotation
    from rotators.secret import Secret

#: Seconds from a key's issue within which it is stored or not at all, where room is scarce; and after which it is abandoned.
STORED, ABANDONED = 3.0, 5.0
#: Seconds between two looks whether another run has stored its key, and what is kept of the time left to issue one.
PAUSE, RESERVE = 0.25, 3.0
#: How many foreign keys an error names.
NAMED = 5


def make_room(
    rotation: Rotation, provider: Issues, *, by: Secret, most: int, adopted: Callable[[Rotation, Issues, Key], bool]
) -> bool:
    """
    Revoke what nobody holds; where that is not enough, the key of AWSPREVIOUS.

    A key of ours that is younger than `ABANDONED` may be another run's, which is about to store it: it is waited for.

    Args:
        rotation: whose keys.
        provider: the provider.
        by: on whose authority.
        most: how many keys it has room for.
        adopted: says whether a key that we have not issued may be revoked.

    Returns:
        Whether a key is to be issued still; another run may have stored one meanwhile.

    Raises:
        ChangeRefused: there is no room, and none can be made; or not yet, and then it is retryable.
    """
    keys = list(provider.keys(by=by, like=rotation.current))
    lost, last = doomed(rotation, provider, keys, adopted)
    if len(keys) >= most and _stored_meanwhile(rotation, provider, lost, most):
        return False
    for key in [*lost, *last] if provider.key_of(rotation.current) else []:  # or it might be the one in use
        if len(keys) < most:
            return True
        provider.revoke(key.id, by=by, like=rotation.current)
        keys.remove(key)
    if len(keys) < most:
        return True
    raise full(rotation, provider, keys)


def doomed(
    rotation: Rotation, provider: Issues, keys: list[Key], adopted: Callable[[Rotation, Issues, Key], bool]
) -> tuple[list[Key], list[Key]]:
    """
    Return the keys that go for a new one, if AWSCURRENT says which one is in use: nobody's, and the one of AWSPREVIOUS.

    Args:
        rotation: whose keys.
        provider: the provider.
        keys: what it lists.
        adopted: as of `make_room`.
    """
    in_use, held = provider.key_of(rotation.current), _held(rotation, provider)
    lost = [key for key in keys if ours(key, rotation) and key.id not in held]
    last = [
        key
        for key in keys
        if key.id in held and key.id != in_use and (ours(key, rotation) or adopted(rotation, provider, key))
    ]
    return lost, last


def full(rotation: Rotation, provider: Issues, keys: list[Key]) -> ChangeRefused:
    """Say that there is no room, and whose keys take it."""
    others = [key.id for key in keys if key.id not in _held(rotation, provider)]
    return ChangeRefused(
        f"{provider.name} has room for {provider.most} keys and has {len(keys)}, of which we have not issued "
        f"{', '.join(others[:NAMED]) or 'those that this secret holds'}: revoke one by hand, or tag the secret "
        "rotators:adopt=true if the keys that this secret held may be revoked"
    )


def _held(rotation: Rotation, provider: Issues) -> frozenset[str]:
    labelled = [rotation.current, *([rotation.previous] if rotation.previous is not None else [])]
    return frozenset(provider.key_of(secret) for secret in labelled if not secret.plain) - {""}


def _stored_meanwhile(rotation: Rotation, provider: Issues, lost: list[Key], most: int) -> bool:
    """Wait until every key that nobody holds is old enough to be abandoned, or one of them is stored."""
    while young := [key for key in lost if age(key) < ABANDONED]:
        if rotation.has_pending():
            return True
        wait = ABANDONED - min(age(key) for key in young)
        if wait > deadline.current().left() - RESERVE:
            raise ChangeRefused(
                f"{provider.name} has room for {most} keys, and one was issued for this secret less than {ABANDONED:g} s "
                "ago, by a run that may still store it: the next try finds out",
                retryable=True,
            )
        time.sleep(max(0.01, min(PAUSE, wait)))
    return False
