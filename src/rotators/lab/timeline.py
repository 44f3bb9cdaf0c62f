"""Time laid out in cells of a line: what the client met, and which step ran. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from rotators.lab.login_client import Login

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rotators.lab.login_client import Attempt
    from rotators.lab.story import Step

_WORSE = {None: 0, Login.OPENED: 1, Login.REFUSED: 2, Login.FAILED: 3}


@dataclass(frozen=True)
class Scale:
    """A span of time, in seconds of any clock, on `width` cells."""

    began: float
    ended: float
    width: int

    def cell(self, moment: float) -> int:
        """Return the cell of a moment, the nearest one for a moment outside."""
        share = (moment - self.began) / max(self.ended - self.began, 1e-9)
        return min(max(int(share * self.width), 0), self.width - 1)


def strip(scale: Scale, attempts: Sequence[Attempt]) -> list[Login | None]:
    """For each cell the worst thing the client met in it, None where it had not asked; an answer holds until the next.

    >>> strip(Scale(0, 5, 5), [Attempt(0, 0.5, Login.OPENED), Attempt(2.1, 3.9, Login.REFUSED)])
    [Login.OPENED, Login.OPENED, Login.REFUSED, Login.REFUSED, None]
    """
    cells: list[Login | None] = [None] * scale.width
    for attempt, following in zip_longest(attempts, attempts[1:]):
        first = scale.cell(attempt.began)
        behind = scale.cell(following.began) if following else scale.cell(attempt.ended) + 1
        for cell in range(first, max(behind, first + 1)):
            cells[cell] = max(cells[cell], attempt.result, key=_WORSE.__getitem__)
    return cells


def ruler(scale: Scale, steps: Sequence[Step]) -> list[tuple[Step, int, int]]:
    """The steps with their first cell and the one behind their last; every step that has begun has one at least."""
    placed: list[tuple[Step, int, int]] = []
    for step in steps:
        first = max(scale.cell(step.began), placed[-1][2] if placed else 0)
        behind = scale.cell(scale.ended if step.ended is None else step.ended)
        placed.append((step, min(first, scale.width - 1), max(behind, first + 1)))
    return placed
