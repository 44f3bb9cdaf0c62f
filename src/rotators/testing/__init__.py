"""A local Secrets Manager with AWS's rules, and what drives rotations through it."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rotators.testing.context import LambdaContext, rotation_event
from rotators.testing.driver import resume, rotate, test_rotation
from rotators.testing.endpoint import Endpoint
from rotators.testing.journal import Call, Event
from rotators.testing.outcome import Outcome, RotationError, StepRun
from rotators.testing.rotation_request import PreviousRotationIncomplete
from rotators.testing.secrets_manager import SecretsManager
from rotators.testing.service_error import ServiceError

if TYPE_CHECKING:
    from rotators.testing.contract import RotatorContract, RotatorSubject, Subject
    from rotators.testing.engine_contract import EngineContract
    from rotators.testing.state import State, StateError
    from rotators.testing.target import Target

_HOME = {
    "EngineContract": "engine_contract",
    "RotatorContract": "contract",
    "RotatorSubject": "subject",
    "State": "state",
    "StateError": "state",
    "Subject": "subject",
    "Target": "target",
}
#: Whose assertions say what was compared, where pytest is at work.
_ASSERTING = (
    "contract",
    "engine_case",
    "pair_case",
    "verbs",
    *(
        f"{part}_contract"
        for part in (
            "answers",
            "change",
            "crash",
            "pair",
            "pair_rights",
            "refusal",
            "rotation",
            "traffic",
            "two_passwords",
            "values",
        )
    ),
)

__all__ = [
    "Call",
    "Endpoint",
    "EngineContract",
    "Event",
    "LambdaContext",
    "Outcome",
    "PreviousRotationIncomplete",
    "RotationError",
    "RotatorContract",
    "RotatorSubject",
    "SecretsManager",
    "ServiceError",
    "State",
    "StateError",
    "StepRun",
    "Subject",
    "Target",
    "resume",
    "rotate",
    "rotation_event",
    "test_rotation",
]


def __getattr__(name: str) -> Any:
    """Load a contract, or a State, when it is asked for (PEP 562): who drives a rotation needs neither pytest nor SQLite."""
    if name in _HOME:
        if "pytest" in sys.modules:
            homes = [f"rotators.testing.{home}" for home in _ASSERTING]
            sys.modules["pytest"].register_assert_rewrite(*(home for home in homes if home not in sys.modules))
        return getattr(import_module(f"rotators.testing.{_HOME[name]}"), name)
    raise AttributeError(f"module 'rotators.testing' has no attribute {name!r}")
