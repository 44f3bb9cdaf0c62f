"""What the demo promises, held against what it has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rotators.lab.login_client import Login

if TYPE_CHECKING:
    from rotators.lab.login_client import Attempt
    from rotators.lab.story import Act, Label
    from rotators.lab.world import World

MOST_CALLS = 12


@dataclass(frozen=True)
class Promise:
    """Something that must be so, and whether it was."""

    text: str
    kept: bool


def check(world: World, acts: list[Act], attempts: list[Attempt]) -> list[Promise]:
    """Check them all. An act has two tries if it is the killed rotation."""
    ordinary = [act for act in acts if len(act.tries) == 1]
    calls = [act.calls for act in ordinary]
    ours = sum(attempt.result is Login.REFUSED for attempt in attempts) + world.refused
    by_handler = world.refusals() - ours
    leaks = world.leaks()
    failed = next((attempt.text for attempt in attempts if attempt.result is Login.FAILED), "")
    stray = sum(attempt.result is Login.REFUSED and not _within(attempt, acts) for attempt in attempts)
    return [
        Promise(
            "after each rotation AWSCURRENT is the new version and opens",
            bool(acts) and all(_went_well(act) for act in acts),
        ),
        Promise(
            f"at most {MOST_CALLS} Secrets Manager calls a rotation ({', '.join(map(str, calls))})",
            bool(calls) and all(0 < number <= MOST_CALLS for number in calls),
        ),
        Promise(
            "the client was refused only between setSecret and finishSecret"
            + (f" ({stray} times elsewhere)" if stray else ""),
            stray == 0 and any(attempt.result is Login.OPENED for attempt in attempts),
        ),
        Promise("the client met no other failure" + (f": {failed}" if failed else ""), not failed),
        Promise(
            f"no rotation tried a wrong password, but for the retry, which had to ask ({by_handler})",
            0 <= by_handler <= 1,
        ),
        Promise(
            "killed, it lost nothing: AWSPENDING opened; the retry made it AWSCURRENT",
            any(_healed(act) for act in acts),
        ),
        Promise("no password in any log" + (f", but in {' and '.join(leaks)}" if leaks else ""), not leaks),
    ]


def _went_well(act: Act) -> bool:
    last = act.tries[-1]
    before, after = _find(act.before, "AWSCURRENT"), _find(last.labels, "AWSCURRENT")
    return (
        [step.failure for step in last.steps] == [""] * 4
        and before is not None
        and after is not None
        and after.opens
        and after.version != before.version
    )


def _healed(act: Act) -> bool:
    first, *rest = act.tries
    current, pending = _find(first.labels, "AWSCURRENT"), _find(first.labels, "AWSPENDING")
    if current is None or pending is None or not rest:
        return False  # not the killed one, or nothing was pending
    after = _find(rest[-1].labels, "AWSCURRENT")
    died = [step.name for step in first.steps if step.failure] == ["setSecret"]
    return died and not current.opens and pending.opens and after is not None and after.version == pending.version


def _within(attempt: Attempt, acts: list[Act]) -> bool:
    """Whether an attempt touches the time in which AWSCURRENT may be refused."""
    for act in acts:
        begun = [step.began for step in act.steps if step.name == "setSecret"]
        ended = [step.ended for step in act.steps if step.name == "finishSecret" and step.ended is not None]
        if begun and ended and attempt.ended >= begun[0] and attempt.began <= ended[-1]:
            return True
    return False


def _find(labels: list[Label], name: str) -> Label | None:
    return next((label for label in labels if label.name == name), None)
