"""
The write-ahead mark: a tag on the IAM user that says that a key is about to be issued for a secret.

IAM's keys have no names. A run that dies between the answer of CreateAccessKey and PutSecretValue leaves a key whose secret
part nobody knows; by the mark it is told from one that somebody has made by hand.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rotators import deadline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.rotation import Rotation

#: Seconds after which whoever issued a key has stored it or never will: no invocation lasts longer (law 13).
ABANDONED = 2 * deadline.LONGEST
#: Seconds that IAM's own clocks may differ by; it gives times in whole ones.
SLACK = 2.0
#: Source: IAM user guide, "Tags for IAM resources": what a tag's value may be made of.
_UNFIT = re.compile(r"[^\w.:/=+@-]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Attributes:
        version: the version that the key was to be for.
        since: from when on keys may have been issued under it: seconds since 1970, by IAM's clock.
    """

    version: str
    since: float

    @staticmethod
    def tag(rotation: Rotation) -> str:
        """Return the tag's key: one for each secret."""
        return f"rotators:issuing:{hashlib.sha256(rotation.about.arn.encode()).hexdigest()[:12]}"

    @classmethod
    def new(cls, rotation: Rotation, since: float) -> Self:
        """Return the mark of a run that lists the keys at `since`."""
        return cls(_UNFIT.sub("_", rotation.version), since)

    @classmethod
    def read(cls, rotation: Rotation, tags: Mapping[str, str]) -> Self | None:
        """Read the one that stands; None where there is none, or one that says nothing."""
        version, _, since = tags.get(cls.tag(rotation), "").rpartition(" ")
        return cls(version, float(since)) if version and since.isdecimal() else None

    @property
    def value(self) -> str:
        """Return the tag's value."""
        return f"{self.version} {self.since:.0f}"

    def stands(self, now: float) -> bool:
        """Say whether another run may be issuing a key under it now: then it is left as it is, for that run's key."""
        return now - self.since < ABANDONED

    def covers(self, created: float) -> bool:
        """
        Say whether a key of that time may have been issued under it.

        A run leaves a mark alone that is nearly `ABANDONED`, and then has its own time.
        """
        return self.since - SLACK <= created <= self.since + ABANDONED + deadline.LONGEST + SLACK
