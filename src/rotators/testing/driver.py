"""A rotation in the caller's own thread, from RotateSecret to its end."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from rotators.testing.rotation_request import PreviousRotationIncomplete, accept, reattempt
from rotators.testing.schema import check
from rotators.testing.service_error import invalid_request

if TYPE_CHECKING:
    from rotators.testing.functions import Handler
    from rotators.testing.outcome import Outcome
    from rotators.testing.secrets_manager import SecretsManager


def rotate(sm: SecretsManager, secret_id: str, handler: Handler | None = None, *, token: str | None = None) -> Outcome:
    """Rotate a secret as RotateSecret does, and come back when it is over.

    handler: the rotation function; not needed if the secret has one
    token:   the new version's id, 32 to 64 characters; made up if not given

    Raises PreviousRotationIncomplete (after trying the old rotation again), other ServiceErrors, and whatever the
    handler raises that is no Exception: a process that died, with everything left as it was.
    It calls no API by itself: `sm.calls` holds the handler's calls alone.

    >>> rotate(sm, "app", handler).succeeded                                             # doctest: +SKIP
    True
    """
    return _follow(sm, secret_id, handler, token, immediately=True)


def test_rotation(
    sm: SecretsManager,
    secret_id: str,
    handler: Handler | None = None,  # noqa: PT028 - no test, see below
    *,
    token: str | None = None,  # noqa: PT028
) -> Outcome:
    """Run testSecret alone, as RotateSecret with RotateImmediately=false does, on a version that goes afterwards."""
    return _follow(sm, secret_id, handler, token, immediately=False)


test_rotation.__test__ = False  # type: ignore[attr-defined] # its name looks like a test's to pytest


def resume(sm: SecretsManager, secret_id: str, handler: Handler | None = None) -> Outcome:
    """Do what the service does after a failure: the same token again, from createSecret on.

    Raises ServiceError (InvalidRequestException) if there is no rotation to go on with: none was begun, the last one
    succeeded, was abandoned or cancelled, or it runs at this moment.
    """
    with sm.account.lock:
        record = sm.account.live(secret_id)
        if handler is not None:
            record.rotation_function = _function(sm, handler)
        accepted = reattempt(sm.account, sm.functions, record)
    if accepted is None:
        raise invalid_request("There is no rotation of this secret to go on with.")
    return sm.rotations.run(accepted)


def _follow(
    sm: SecretsManager, secret_id: str, handler: Handler | None, token: str | None, *, immediately: bool
) -> Outcome:
    token = token or str(uuid.uuid4())
    request: dict[str, Any] = {
        "SecretId": secret_id,
        "ClientRequestToken": token,
        "RotateImmediately": immediately,
    }
    check("RotateSecret", request)
    with sm.account.lock:
        if handler is not None:
            request["RotationLambdaARN"] = _function(sm, handler)
        refused = False
        try:
            accepted = accept(sm.account, sm.functions, request)
        except PreviousRotationIncomplete:
            refused = True
            accepted = reattempt(sm.account, sm.functions, sm.account.live(secret_id))
    outcome = sm.rotations.run(accepted) if accepted is not None else None
    if refused:
        raise PreviousRotationIncomplete(outcome)
    if outcome is None:
        raise invalid_request(f"The token {token} was used before.")
    return outcome


def _function(sm: SecretsManager, handler: Handler) -> str:
    arn = sm.functions.arn_of(handler)
    return arn or sm.add_function(f"rotation-{uuid.uuid4().hex[:8]}", handler)
