"""``Measurement``: one way to rotate on one server, by one rotator, rotation after rotation."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from target import OURS, Strategy, Target
from window_client import WindowClient, gap, reader

from rotators.lab.login_client import Login
from rotators.testing import rotate

if TYPE_CHECKING:
    from door import Door

    from rotators.lab.sandbox import Sandbox
    from rotators.testing import SecretsManager

MOST_CALLS = 12


@dataclass
class Row:
    """
    What was seen, one entry a rotation; the first rotation of the secret is the first entry.

    engine, strategy, rotator: what was measured
    tries:   logins of the client
    failed:  those of them that were refused
    gap:     milliseconds in which the client was refused
    calls:   of Secrets Manager
    opened:  the rotator's logins that the server let in
    refused: those that it refused
    """

    engine: str
    strategy: Strategy
    rotator: str
    tries: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    gap: list[float] = field(default_factory=list)
    calls: list[Counter[str]] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    @property
    def warm_gap(self) -> float:
        """The median, without the first rotation, which starts cold."""
        return median(self.gap[1:])

    @property
    def most_calls(self) -> int:
        """Of any rotation, the first included."""
        return max(calls.total() for calls in self.calls)

    def missed(self) -> list[str]:
        """Name the goals that were missed. They are for our rotator alone."""
        if self.rotator != OURS:
            return []
        missed = []
        if self.strategy is not Strategy.SINGLE and any(self.failed):
            missed.append(f"{sum(self.failed)} of the client's {sum(self.tries)} logins failed")
        if self.most_calls > MOST_CALLS:
            missed.append(f"{self.most_calls} Secrets Manager calls")
        if any(self.refused):
            missed.append(f"{sum(self.refused)} of the rotator's logins were refused by the server")
        return [f"{self.engine}, {self.strategy.value}: {text}" for text in missed]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**self.__dict__, "strategy": self.strategy.value, "missed": self.missed()}


class Measurement:
    """
    A user, its secret, and a client that logs in with it.

    door:  where the rotators' calls are counted
    admin: the ARN of the admin's secret
    every: the client logs in so often, in milliseconds
    """

    def __init__(  # noqa: PLR0913 - by name
        self,
        target: Target,
        strategy: Strategy,
        rotator: str,
        *,
        service: SecretsManager,
        door: Door,
        admin: str,
        every: float,
    ) -> None:
        self.row = Row(target.key, strategy, rotator)
        self.handler = target.handler(strategy, rotator)
        self._target, self._service, self._door, self._every = target, service, door, every
        name = f"{strategy.name.lower()}_{rotator}"
        value = target.user(name, strategy) | ({"masterarn": admin} if strategy.has_admin else {})
        tags = [{"Key": "rotators:strategy", "Value": "single"}] if strategy is Strategy.BY_ADMIN else []
        self._arn = service.client().create_secret(
            Name=f"{target.key}/{name}", SecretString=json.dumps(value), Tags=tags
        )["ARN"]

    def rotate(self, sandbox: Sandbox) -> None:
        """Rotate once, with the client at work; a rotation that fails ends the benchmark."""
        row, calls = self.row, len(self._door.calls)
        with WindowClient(reader(self._service, self._arn), self._target.log_in, self._every) as client:
            client.seen()  # it is at work
            self._target.logins()
            outcome = rotate(self._service, self._arn, sandbox)
            if not outcome.succeeded:
                raise SystemExit(f"{row.engine}, {row.strategy.value}, {row.rotator}: it failed: {outcome.error}")
            seen = client.seen()
        opened, refused = self._target.logins()
        row.tries.append(len(seen))
        row.failed.append(sum(attempt.result is Login.REFUSED for attempt in seen))
        row.gap.append(gap(seen))
        row.calls.append(Counter(self._door.calls[calls:]))
        row.opened.append(opened)
        row.refused.append(refused)
