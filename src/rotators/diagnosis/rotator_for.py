"""Which rotator a secret's value is for: what a diagnosis asks the target with."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from rotators.engines.iam.access_key import PARTS
from rotators.errors import ConfigurationError, SecretError
from rotators.rotator import Rotator

if TYPE_CHECKING:
    from rotators.secret import Secret
    from rotators.store import SecretStore


def rotator_for(secret: Secret, store: SecretStore, *, handler: str = "") -> Rotator:
    """
    Return the rotator that a secret's value is for, on an operator's own Secrets Manager calls.

    By the value: the one for API keys where it names a ``provider``, the one for access keys where it holds one, else that
    of its ``engine``.

    Args:
        secret: a value of it, AWSCURRENT's mostly.
        store: whose calls.
        handler: of a rotator of one's own, as Lambda names it: ``package.module.attribute``, looked for here first.

    Raises:
        SecretError: the value is for none of ours, and no handler was named.
        ConfigurationError: there is no such handler.

    Example:
        >>> rotator_for(Secret({"engine": "postgres"}), SecretStore()).facts()["rotator"]
        'EngineRotator'
    """
    if handler:
        return _named(handler).on(store)
    if secret.plain:
        raise SecretError(f"the value has no keys, so it does not say what it opens: {_NAME_IT}")
    return _ours(secret).on(store)


_NAME_IT = "name your function's handler with --handler package.module.attribute"


def _ours(secret: Secret) -> Rotator:
    if secret.get("provider"):
        module = "api_key"
    elif any(names[0] in secret for names in PARTS):
        module = "iam"
    elif secret.get("user_arn") or secret.get("userArn"):
        module = "elasticache"
    elif secret.get("engine"):
        module = "database"
    else:
        raise SecretError(
            f"the value names no 'engine' and no 'provider', so it does not say what it opens: {_NAME_IT}"
        )
    rotator: Rotator = import_module(f"rotators.handlers.{module}").handler
    return rotator


def _named(handler: str) -> Rotator:
    module, _, attribute = handler.rpartition(".")
    if not module or not attribute:
        raise ConfigurationError(f"the handler {handler!r} is not of the form package.module.attribute")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # as Lambda looks in the function's own directory
    problem = ""
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        raise ConfigurationError(f"the handler {handler!r} can't be loaded from here: {problem}")
    if not isinstance(found, Rotator):
        raise ConfigurationError(f"the handler {handler!r} is no Rotator; only those can be asked")
    return found
