"""
The four-step machine, as data. Pure: no input, no output, nothing of ours imported.

Secrets Manager rotates a secret by calling one function four times with the same ``ClientRequestToken``:
createSecret, setSecret, testSecret, finishSecret. The token is also the id of the version being made. All the service
remembers between two calls is which labels that version carries, so that is all a guard may go by:

=============  ====================================================================================================
``ABSENT``     The secret does not list the token. A stray event, or a rotation given up: the service hides a version
               that has lost its last label.
``UNLABELLED`` The token is listed but carries neither AWSPENDING nor AWSCURRENT: abandoned (somebody stored another
               value meanwhile), or long since AWSPREVIOUS.
``PENDING``    AWSPENDING is on the token. The one standing in which a step does its work.
``CURRENT``    AWSCURRENT is on the token: an earlier try got through and its answer was lost. The service runs the whole
               rotation again after a failure, so this is a quiet success and never an error. AWSPENDING may still be
               there too: finishSecret leaves it, the service takes it away later.
=============  ====================================================================================================

Four standings by four steps are sixteen cells. Every row reads the same, on purpose: a step may run again, in any state
an earlier try left (law 3), so what a step may do can't depend on which step it is, only on who owns the token.
To change the machine, change ``GUARDS``; the picture in the README is made from it.

Source: the Secrets Manager user guide, "Rotation by Lambda function"; the guards are those of AWS's rotation templates.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

AWSCURRENT = "AWSCURRENT"
AWSPENDING = "AWSPENDING"
AWSPREVIOUS = "AWSPREVIOUS"


class Step(StrEnum):
    """One of the four calls, spelt as the event spells it. ``Step("createSecret") is Step.CREATE``."""

    CREATE = "createSecret"
    SET = "setSecret"
    TEST = "testSecret"
    FINISH = "finishSecret"


class Standing(Enum):
    """What the event's token is to the secret."""

    ABSENT = "absent"
    UNLABELLED = "unlabelled"
    PENDING = "pending"
    CURRENT = "current"


class Verdict(Enum):
    """What the machine says of a step."""

    REFUSE = "refuse"
    RUN = "run"
    DONE = "done"


GUARDS: Mapping[Standing, Mapping[Step, Verdict]] = {
    Standing.ABSENT: dict.fromkeys(Step, Verdict.REFUSE),
    Standing.UNLABELLED: dict.fromkeys(Step, Verdict.REFUSE),
    Standing.PENDING: dict.fromkeys(Step, Verdict.RUN),
    Standing.CURRENT: dict.fromkeys(Step, Verdict.DONE),
}


def standing(labels: Collection[str] | None) -> Standing:
    """
    Say what a token with these labels is to its secret.

    Args:
        labels: the token's entry in ``VersionIdsToStages``, None where it has none.

    Example:
        >>> standing(["AWSPENDING"])
        <Standing.PENDING: 'pending'>
    """
    if labels is None:
        return Standing.ABSENT
    if AWSCURRENT in labels:
        return Standing.CURRENT
    return Standing.PENDING if AWSPENDING in labels else Standing.UNLABELLED


def judge(where: Standing, step: Step) -> Verdict:
    """Look the cell up."""
    return GUARDS[where][step]
