"""The Protocols: what is plugged in. What is inherited is an ABC, ``rotators.Rotator``."""

from __future__ import annotations

from rotators.abc.engines import Chooses, Compares, Discards, Engine, Foresees, Obstacle, Pairs, Strategy
from rotators.abc.keys import Accepts, Issues, Key, Offers, Promotes

__all__ = [
    "Accepts",
    "Chooses",
    "Compares",
    "Discards",
    "Engine",
    "Foresees",
    "Issues",
    "Key",
    "Obstacle",
    "Offers",
    "Pairs",
    "Promotes",
    "Strategy",
]
