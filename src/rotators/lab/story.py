"""What the demo has seen, as data: drawn by `drawing`, told by `scenario`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rotators.lab.login_client import Login

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.login_client import Attempt


@dataclass
class Step:
    """One invocation of the handler. Times are of `time.monotonic`; `ended` is None while it runs.

    calls:   the Secrets Manager operations it asked for, in order
    note:    what it did, as seen from outside: at the service and in the database
    failure: what it raised, or how its process ended
    """

    name: str
    began: float
    ended: float | None = None
    calls: list[str] = field(default_factory=list)
    note: str = ""
    failure: str = ""

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return (time.monotonic() if self.ended is None else self.ended) - self.began


@dataclass(frozen=True)
class Label:
    """A label, the version it is on, and whether that version's value opens the database."""

    name: str
    version: str
    opens: bool


@dataclass
class Try:
    """The steps of one run through the machine, by one process."""

    heading: str = ""
    steps: list[Step] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)  # after it


@dataclass
class Act:
    """One rotation, from a little before to a little after it; `ended` is None while it runs."""

    title: str
    before: list[Label]
    witness: Callable[[float, float], list[Attempt]]  # the client's attempts in a span of time
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    tries: list[Try] = field(default_factory=list)
    measured: float | None = None  # what the handler's own log says AWSCURRENT did not open, in milliseconds

    @property
    def attempts(self) -> list[Attempt]:
        """The client's attempts so far."""
        return self.witness(self.began, self.until)

    @property
    def until(self) -> float:
        """Its end, or now."""
        return time.monotonic() if self.ended is None else self.ended

    @property
    def steps(self) -> list[Step]:
        """All steps, over all tries."""
        return [step for one in self.tries for step in one.steps]

    @property
    def calls(self) -> int:
        """How many Secrets Manager calls it took."""
        return sum(len(step.calls) for step in self.steps)

    def count(self, result: Login) -> int:
        """How many of the client's attempts ended so."""
        return sum(attempt.result is result for attempt in self.attempts)

    @property
    def kept_out(self) -> float:
        """The longest time the client was refused for, in seconds: from an attempt to the end of the first that opened."""
        longest, since = 0.0, None
        attempts = self.attempts
        for attempt in attempts:
            if attempt.result is Login.REFUSED:
                since = attempt.began if since is None else since
            elif since is not None:
                longest, since = max(longest, attempt.ended - since), None
        return longest if since is None else max(longest, attempts[-1].ended - since)
