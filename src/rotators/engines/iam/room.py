"""
Room for a new key: an IAM user has two at most, and AWSCURRENT's is one of them.

The other one is AWSPREVIOUS's, or a lost one of ours, or somebody's. Only what is ours is deleted, and only what nobody uses.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING

from rotators.engines.iam.access_key import AccessKey, ids
from rotators.engines.iam.mark import ABANDONED, Mark
from rotators.errors import ChangeRefused, ConfigurationError, RotationRefused
from rotators.machine import AWSPREVIOUS

if TYPE_CHECKING:
    from rotators.engines.iam.user import Key, Listing, Use, User
    from rotators.rotation import Rotation

#: Source: IAM user guide, "IAM and AWS STS quotas": access keys of a user; it can't be raised.
MOST = 2
VARIABLE, TAG = "ROTATORS_IAM_UNUSED_DAYS", "rotators:unused-days"
#: A job of every working day shows in it over a weekend, and a weekly rotation still fits.
UNUSED_DAYS = 3.0
DAY = 86400.0


def unused_days(rotation: Rotation) -> float:
    """
    Return how many days nobody must have used a key that is deleted; 0 for a key that may be in use.

    Raises:
        ConfigurationError: the tag, or the variable, is no such number.
    """
    said = rotation.about.tags.get(TAG) or os.environ.get(VARIABLE) or str(UNUSED_DAYS)
    try:
        days = float(said)
    except ValueError:
        days = -1.0
    if not isfinite(days) or days < 0:
        raise ConfigurationError(f"the tag {TAG}, or {VARIABLE}, must be a number of days, such as 3, 0.5 or 0")
    return days


def make_room(rotation: Rotation, user: User, listing: Listing, mark: Mark | None, *, days: float) -> None:
    """Delete what `doomed` returns."""
    for key in doomed(rotation, user, listing, mark, days=days):
        user.delete(key)


def doomed(rotation: Rotation, user: User, listing: Listing, mark: Mark | None, *, days: float) -> list[Key]:
    """
    Return the user's other key, if there is one, that has to go for a new one: it is ours, and nobody uses it.

    Args:
        rotation: whose keys.
        user: the user.
        listing: its keys.
        mark: what an earlier try has left.
        days: of `unused_days`.

    Raises:
        ChangeRefused: it is in use or not ours; or that is not known yet, and then it is retryable. Nothing was changed.
    """
    in_use = AccessKey.of(rotation.current).id
    others = [key for key in listing.keys if key.id != in_use]
    if len(others) + 1 < MOST:
        return []
    held = {key_id: label for label, secret in reversed(list(rotation.older())) for key_id in ids(secret)}
    for key in others:
        if key.id in held:
            _is_unused(key, held[key.id], user, listing, handed_out=_made(listing, in_use), days=days)
        else:
            _is_lost(key, rotation, user, listing, mark)
    return others


def _is_unused(key: Key, label: str, user: User, listing: Listing, *, handed_out: float, days: float) -> None:  # noqa: PLR0913
    """Refuse a key that this secret held and that may be in use. An inactive one opens nothing."""
    if not key.active or days == 0:
        return
    use = user.last_use(key.id)
    said = ""
    if label == AWSPREVIOUS:
        if use is not None and listing.now - use.at < days * DAY:
            said = f"was last used on {_date(use.at)}, by {_how(use)}"
        elif listing.now - handed_out < days * DAY:  # what IAM knows of its use is some hours old
            said = f"was AWSCURRENT until {_date(handed_out)}"
    elif use is not None and use.service != "sts" and listing.now - use.at < days * DAY:
        said = (
            f"was last used on {_date(use.at)}, by {_how(use)}"  # by sts: we have tested it, and it never was current
        )
    if not said:
        return
    raise ChangeRefused(
        f"the IAM user {user.name} has room for {MOST} keys, and the one of {label} (ending in {key.id[-4:]}) {said}, less than "
        f"{days:g} days ago: nothing was changed. Whoever uses it must read the secret anew. Then rotate again after those "
        f"days; or deactivate it (`aws iam update-access-key --user-name {user.name} --status Inactive --access-key-id …`), "
        f"as an inactive key is deleted; or tag the secret {TAG}=0, to delete it although it is used"
    )


def _is_lost(key: Key, rotation: Rotation, user: User, listing: Listing, mark: Mark | None) -> None:
    """Refuse a key that this secret has never held, unless a run of ours issued it and died before it was stored."""
    if listing.now - key.created < ABANDONED:
        raise ChangeRefused(
            f"the IAM user {user.name} has room for {MOST} keys, and {key.id} was made less than {ABANDONED:g} s ago, maybe by "
            "a run that may still store it: the next try finds out",
            retryable=True,
        )
    if mark is not None and mark.stands(listing.now) and not mark.covers(key.created):
        # Its run has made room just now, maybe by deleting this very key, and has written the mark anew since we listed it.
        raise ChangeRefused(
            f"the IAM user {user.name} has room for {MOST} keys, and another run is issuing one: the next try finds out",
            retryable=True,
        )
    if mark is None or not mark.covers(key.created) or user.last_use(key.id) is not None:
        raise ChangeRefused(
            f"the IAM user {user.name} has room for {MOST} keys, and {key.id}, made on {_date(key.created)}, was not issued for "
            "this secret: nothing was changed. If nobody needs it, delete it with `aws iam delete-access-key --user-name "
            f"{user.name} --access-key-id {key.id}`; else give what this secret is for a user of its own"
        )
    if rotation.has_pending():
        raise RotationRefused("another run has stored a key meanwhile: the next try finds it", retryable=True)


def _made(listing: Listing, key_id: str) -> float:
    """Return when AWSCURRENT's key was made: so long the one before was handed out to whoever asked."""
    return max((key.created for key in listing.keys if key.id == key_id), default=listing.now)


def _date(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _how(use: Use) -> str:
    return f"{use.service} in {use.region}"
