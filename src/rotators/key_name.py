"""The names that keys are issued under: the secret, the version and the time, so that what is ours and lost is found again."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rotators.abc import Key
    from rotators.rotation import Rotation


def name_of(rotation: Rotation) -> str:
    """
    Return what a key issued now is to be called.

    Example:
        >>> name_of(rotation)
        'rotators-5f0c1e2d3a4b-1b671a64-40d5-491e-99b0-da01ff1f3341-19ab3c4d5e6'
    """
    return f"{_prefix(rotation)}{rotation.version}-{time.time_ns() // 1_000_000:x}"


def ours(key: Key, rotation: Rotation) -> bool:
    """Say whether a key was issued for this secret, in whatever rotation."""
    return key.name.startswith(_prefix(rotation))


def age(key: Key) -> float:
    """Return how many seconds ago a key of ours was issued, by our clock; very many where its name does not say."""
    try:
        return time.time() - int(key.name.rpartition("-")[2], 16) / 1000
    except ValueError:
        return time.time()


def _prefix(rotation: Rotation) -> str:
    return f"rotators-{hashlib.sha256(rotation.about.arn.encode()).hexdigest()[:12]}-"
