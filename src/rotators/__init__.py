"""Rotation functions for AWS Secrets Manager that survive whatever can go wrong."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret
    from rotators.engine_rotator import EngineRotator
    from rotators.errors import (
        ChangeRefused,
        ConfigurationError,
        CredentialRejected,
        HookFailed,
        RotationRefused,
        RotatorsError,
        SecretError,
        StoreUnavailable,
        TargetUnreachable,
    )
    from rotators.key_rotator import KeyRotator
    from rotators.machine import Step
    from rotators.passwords import PasswordPolicy
    from rotators.rotation import Rotation
    from rotators.rotator import Rotator
    from rotators.secret import Secret
    from rotators.store import SecretStore
    from rotators.strategies import AlternatingUsers, SingleUser

_HOME = {
    "AlternatingUsers": "strategies",
    "ChangeRefused": "errors",
    "ConfigurationError": "errors",
    "CredentialRejected": "errors",
    "DatabaseSecret": "database_secret",
    "EngineRotator": "engine_rotator",
    "HookFailed": "errors",
    "KeyRotator": "key_rotator",
    "PasswordPolicy": "passwords",
    "Rotation": "rotation",
    "RotationRefused": "errors",
    "Rotator": "rotator",
    "RotatorsError": "errors",
    "Secret": "secret",
    "SecretError": "errors",
    "SecretStore": "store",
    "SingleUser": "strategies",
    "Step": "machine",
    "StoreUnavailable": "errors",
    "TargetUnreachable": "errors",
}

__all__ = [
    "AlternatingUsers",
    "ChangeRefused",
    "ConfigurationError",
    "CredentialRejected",
    "DatabaseSecret",
    "EngineRotator",
    "HookFailed",
    "KeyRotator",
    "PasswordPolicy",
    "Rotation",
    "RotationRefused",
    "Rotator",
    "RotatorsError",
    "Secret",
    "SecretError",
    "SecretStore",
    "SingleUser",
    "Step",
    "StoreUnavailable",
    "TargetUnreachable",
]


def __getattr__(name: str) -> Any:
    """Resolve a public name on first use (PEP 562): an import costs a cold start only what it uses."""
    if name in _HOME:
        return getattr(import_module(f"rotators.{_HOME[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - costs 7 ms, and few ask

        return version("rotators")
    raise AttributeError(f"module 'rotators' has no attribute {name!r}")
