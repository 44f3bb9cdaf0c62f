"""Many secrets at once: how their rotation stands, and rotating them."""

from __future__ import annotations

from rotators.fleet.listing import listed
from rotators.fleet.standing import Rotated, Standing

__all__ = ["Rotated", "Standing", "listed"]
