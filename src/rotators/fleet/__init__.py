"""Many secrets at once: what ListSecrets tells of their rotation, without a call for each."""

from __future__ import annotations

from rotators.fleet.listing import listed
from rotators.fleet.standing import Rotated, Standing

__all__ = ["Rotated", "Standing", "listed"]
