"""``Figures``: what a report counts, apart from how it looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rotators.fleet.report.timeline import Timeline
from rotators.fleet.report.words import REPORTED
from rotators.fleet.standing import Rotated, Standing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_DAY = timedelta(days=1)
#: Ages in days, each up to the number, and what people call it.
_AGES = [
    (1, "under a day"), (7, "1 to 7 days"), (30, "7 to 30 days"), (60, "30 to 60 days"), (90, "60 to 90 days"),
    (180, "90 to 180 days"), (365, "180 to 365 days"),
]  # fmt: skip
_OLDEST, _NEVER = "over a year", "never rotated"
_QUARTERS = ["first quarter of its time", "second quarter", "third quarter", "last quarter"]
_PASSED, _TIMELESS = "time has passed", "no date known"


@dataclass(frozen=True, slots=True)
class Count:
    """How many secrets are of a kind; `bad` where somebody should do something about them."""

    label: str
    count: int
    bad: bool = False


class Figures:
    """
    Counts the secrets of a fleet at one moment.

    Args:
        secrets: what `listed` gave.
        now: the moment.

    Example:
        >>> Figures(found, datetime.now(UTC)).ages[0]
        Count(label='under a day', count=12, bad=False)
    """

    def __init__(self, secrets: Sequence[Rotated], now: datetime) -> None:
        self.secrets, self.now = sorted(secrets, key=lambda secret: secret.order), now
        self.bad = [secret for secret in self.secrets if secret.standing.bad]
        self.timeline = Timeline.of([one for one in self.secrets if one.standing not in _RESTING], now)

    def age(self, secret: Rotated) -> int | None:
        """Return since how many whole days a secret has the value it has; None where it never was rotated."""
        return None if secret.last is None else max(0, (self.now - secret.last) // _DAY)

    @property
    def standings(self) -> list[Count]:
        """How many secrets stand how, the worst first; those of which there are none, too."""
        found = [secret.standing for secret in self.secrets]
        return [Count(one.value, found.count(one), bad=one.bad) for one in REPORTED]

    @property
    def ages(self) -> list[Count]:
        """How many secrets are how old, without those marked for deletion."""
        counts = dict.fromkeys([*(label for _, label in _AGES), _OLDEST, _NEVER], 0)
        for secret in self.secrets:
            if secret.standing is not Standing.DELETED:
                counts[_age_label(self.age(secret))] += 1
        return [Count(label, count, bad=label == _NEVER) for label, count in counts.items()]

    @property
    def shares(self) -> list[Count]:
        """
        How much of its time each secret has used: from the last rotation to NextRotationDate.

        The rule itself may be a cron expression; the date that Secrets Manager has worked out of it holds for every rule.
        Without those whose rotation is off and those marked for deletion.
        """
        counts = dict.fromkeys([*_QUARTERS, _PASSED, _TIMELESS], 0)
        for secret in self.secrets:
            if secret.standing not in _RESTING:
                counts[self._share_label(secret)] += 1
        return [Count(label, count, bad=label == _PASSED) for label, count in counts.items()]

    def as_json(self) -> dict[str, Any]:
        """Return the figures and the secrets as JSON has them."""
        counted = {"standings": self.standings, "ages": self.ages, "times_used": self.shares}
        return {
            **{name: {one.label: one.count for one in counts} for name, counts in counted.items()},
            "timeline": self.timeline.as_json(),
            "secrets": [secret.as_json() | {"age_days": self.age(secret)} for secret in self.secrets],
        }

    def _share_label(self, secret: Rotated) -> str:
        if secret.next is not None and secret.next < self.now:
            return _PASSED
        if secret.next is None or secret.last is None or secret.next <= secret.last:
            return _TIMELESS
        used = (self.now - secret.last) / (secret.next - secret.last)
        return _QUARTERS[min(max(int(used * len(_QUARTERS)), 0), len(_QUARTERS) - 1)]


#: What no rotation is due for.
_RESTING = {Standing.OFF, Standing.DELETED}


def _age_label(days: int | None) -> str:
    if days is None:
        return _NEVER
    return next((label for limit, label in _AGES if days < limit), _OLDEST)
