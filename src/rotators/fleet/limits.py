"""``Limits``: how many rotations at once, how fast, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

#: Seconds between two starts. RotateSecret and CancelRotateSecret have 50 calls a second for all of an account's Region, and so
#: have PutSecretValue and UpdateSecretVersionStage together, of which a rotation makes three. Source: User Guide, "Quotas".
GAP = 0.1


@dataclass(frozen=True, slots=True)
class Limits:
    """
    How much may happen, and how long it may take.

    Attributes:
        at_once: rotations that run at the same time.
        gap: seconds between the starts of two.
        timeout: seconds that one is followed.
        failures: how many may go wrong before no more are started; 0 for any number.
        first_look, longest_look: seconds until a rotation is looked at; the wait grows from the one to the other.
    """

    at_once: int = 5
    gap: float = GAP
    timeout: float = 600.0
    failures: int = 3
    first_look: float = 1.0
    longest_look: float = 10.0
