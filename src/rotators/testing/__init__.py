"""A local Secrets Manager with AWS's rules, and what drives rotations through it."""

from __future__ import annotations

from rotators.testing.context import LambdaContext, rotation_event
from rotators.testing.driver import resume, rotate, test_rotation
from rotators.testing.endpoint import Endpoint
from rotators.testing.journal import Call, Event
from rotators.testing.outcome import Outcome, RotationError, StepRun
from rotators.testing.rotation_request import PreviousRotationIncomplete
from rotators.testing.secrets_manager import SecretsManager
from rotators.testing.service_error import ServiceError

__all__ = [
    "Call",
    "Endpoint",
    "Event",
    "LambdaContext",
    "Outcome",
    "PreviousRotationIncomplete",
    "RotationError",
    "SecretsManager",
    "ServiceError",
    "StepRun",
    "resume",
    "rotate",
    "rotation_event",
    "test_rotation",
]
