"""How a rotation went."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StepRun:
    """One invocation of the function.

    step:    createSecret, setSecret, testSecret or finishSecret
    seconds: how long it took
    error:   what the handler raised, None if it returned
    calls:   how many calls Secrets Manager got meanwhile, from anybody
    """

    step: str
    seconds: float
    error: BaseException | None
    calls: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A rotation from its first step to success or to the service's giving up.

    version:   the rotation's token, which is the new version's id
    steps:     every invocation in order, over all attempts
    succeeded: every step returned, and AWSCURRENT is on `version`
    error:     why not: what a step raised, or a RotationError
    """

    version: str
    steps: list[StepRun] = field(default_factory=list)
    succeeded: bool = False
    error: BaseException | None = None


class RotationError(Exception):
    """A rotation that ended without success although no step raised: abandoned, cancelled, or nothing was promoted."""
