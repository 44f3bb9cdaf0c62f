"""What a guard's refusal says: why the token may not be worked on, and which call repairs it (law 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.machine import AWSPENDING

if TYPE_CHECKING:
    from rotators.description import Description
    from rotators.event import RotationEvent


def off(call: RotationEvent, about: Description) -> str:
    """Say why the secret is not to be rotated at all, "" where it is."""
    if about.rotation_enabled is False:
        return (
            f"rotation is off for {call.secret_id}: `aws secretsmanager rotate-secret` with --rotation-lambda-arn and "
            "--rotation-rules turns it on"
        )
    if about.deleted:
        return f"{call.secret_id} is marked for deletion: `aws secretsmanager restore-secret` brings it back"
    return ""


def way_out(call: RotationEvent, about: Description) -> str:
    """Say why the token may not be worked on, and which call repairs it."""
    again = f"start a new rotation with `aws secretsmanager rotate-secret --secret-id {call.secret_id}`"
    labels = about.labels.get(call.version)
    if labels is None:
        return (
            f"{call.secret_id} has no version {call.version} with a label: the token is not this secret's, or its rotation "
            f"was abandoned; {again}"
        )
    if not labels:
        return f"version {call.version} of {call.secret_id} has no label any more: its rotation was abandoned; {again}"
    holder = about.holder(AWSPENDING)
    stuck = (
        f"; AWSPENDING is on {holder}, which `aws secretsmanager update-secret-version-stage --secret-id {call.secret_id} "
        f"--version-stage AWSPENDING --remove-from-version-id {holder}` takes off if its rotation is dead"
        if holder
        else ""
    )
    return f"version {call.version} of {call.secret_id} is not AWSPENDING but {', '.join(labels)}{stuck}; {again}"
