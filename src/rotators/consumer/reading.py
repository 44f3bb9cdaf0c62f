"""One read of one secret, and what its failures mean."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from rotators import deadline
from rotators.calls import call
from rotators.clients import Clients, quieten
from rotators.consumer.errors import translate
from rotators.consumer.version import SecretVersion

_clients: dict[int, Clients] = {}


def get_secret(
    secret_id: str, *, version: str | None = None, stage: str | None = None, client: Any = None
) -> SecretVersion:
    """
    Read a secret, once, from Secrets Manager. `CachedSecret` is what an application keeps.

    A failure that may pass is tried again, four times in 1.3 s. The AWS SDK's own logs are kept from the level DEBUG, at which
    they show values.

    Args:
        secret_id: name or ARN.
        version: a version's id.
        stage: a label, such as ``AWSPREVIOUS``; AWSCURRENT where neither is given.
        client: a boto3 ``secretsmanager`` client; by default one made late from the environment (``AWS_REGION``, a profile,
            ``SECRETS_MANAGER_ENDPOINT``).

    Raises:
        SecretUnreadable: by its subclass why: SecretNotFound, SecretDeleted, AccessDenied, KeyRefused, Throttled,
            ServiceUnavailable.
        ConfigurationError: no credentials, no Region, or no boto3.

    Example:
        >>> get_secret("shop/app")["password"]
        'correct horse'
    """
    quieten()
    labelled = f"labelled {stage or 'AWSCURRENT'}" if stage or not version else ""
    which = " ".join(filter(None, ("version", version, labelled)))
    parameters = {"SecretId": secret_id}
    parameters |= {"VersionId": version} if version else {}
    parameters |= {"VersionStage": stage} if stage else {}
    answer = call(
        lambda: _own().get(deadline.current()) if client is None else client,
        "get_secret_value",
        parameters,
        partial(translate, secret_id=secret_id, which=which),
    )
    return SecretVersion.answered(answer)


def _own() -> Clients:
    """Return this process's clients: a forked one that used its parent's connections would read the other's answers."""
    return _clients.setdefault(os.getpid(), Clients())
