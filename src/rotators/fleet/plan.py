"""What is to be done with each secret, worked out of what it is and of what a journal tells."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from rotators.fleet.journal import Entry, Happened
from rotators.machine import AWSCURRENT, AWSPENDING, AWSPREVIOUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rotators.fleet.candidate import Candidate

_UNDER_WAY = {Happened.STARTING, Happened.STARTED, Happened.UNFINISHED}


class Action(Enum):
    """What is done with a secret; the value is what people read."""

    ROTATE = "rotate"
    FOLLOW = "follow"
    DONE = "done before"
    LEAVE = "leave out"


@dataclass(frozen=True, slots=True)
class Task:
    """
    One secret of a plan.

    Attributes:
        candidate: which.
        action: what is done with it.
        version: the id that its new version gets, or has.
    """

    candidate: Candidate
    action: Action
    version: str


def planned(candidates: Iterable[Candidate], known: Mapping[str, Entry]) -> list[Task]:
    """
    Return a task for each secret, in the order given.

    What has ended well is not done again, what is under way is followed, what failed is begun anew. A version's id is chosen
    before RotateSecret is called, and given to it as the ClientRequestToken: so a call whose answer was lost is made again
    without a second rotation.

    Args:
        candidates: the secrets.
        known: a journal's entries, by ARN.

    Example:
        >>> [task.action for task in planned([candidate], {})]
        [<Action.ROTATE: 'rotate'>]
    """
    return [_task(candidate, known.get(candidate.arn)) for candidate in candidates]


def _task(candidate: Candidate, entry: Entry | None) -> Task:
    anew = str(uuid.uuid4())
    if entry is not None and entry.happened in _UNDER_WAY:
        labels = candidate.versions.get(entry.version, [])
        if has_ended_well(labels):
            return Task(candidate, Action.DONE, entry.version)
        if AWSPENDING in labels:
            return Task(candidate, Action.FOLLOW, entry.version)
        if entry.happened is Happened.STARTING:
            anew = entry.version  # nobody knows whether the call was made
    elif entry is not None and entry.happened is Happened.ROTATED:
        return Task(candidate, Action.DONE, entry.version)
    return Task(candidate, Action.LEAVE if candidate.obstacle else Action.ROTATE, anew)


def has_ended_well(labels: Iterable[str]) -> bool:
    """Say whether a version with these labels is, or was, the current one."""
    return not {AWSCURRENT, AWSPREVIOUS}.isdisjoint(labels)
