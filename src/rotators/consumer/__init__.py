"""
For applications: read a secret that is rotated, and live through the rotation.

::

    secret = CachedSecret("shop/app")
    with connect(secret) as connection: ...         # rotators.consumer.psycopg, .pymysql, .sqlalchemy
    requests.get(url, auth=Auth(secret))            # rotators.consumer.requests, .httpx, .urllib3

Importing this loads neither boto3 nor a driver.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rotators.consumer.cached import CachedSecret
    from rotators.consumer.errors import (
        AccessDenied,
        KeyRefused,
        SecretDeleted,
        SecretNotFound,
        SecretUnreadable,
        ServiceUnavailable,
        Throttled,
    )
    from rotators.consumer.headers import api_key, basic, bearer
    from rotators.consumer.reading import get_secret
    from rotators.consumer.refused import is_refusal
    from rotators.consumer.version import SecretVersion

_HOME = {
    "AccessDenied": "errors",
    "CachedSecret": "cached",
    "KeyRefused": "errors",
    "SecretDeleted": "errors",
    "SecretNotFound": "errors",
    "SecretUnreadable": "errors",
    "SecretVersion": "version",
    "ServiceUnavailable": "errors",
    "Throttled": "errors",
    "api_key": "headers",
    "basic": "headers",
    "bearer": "headers",
    "get_secret": "reading",
    "is_refusal": "refused",
}

__all__ = [
    "AccessDenied",
    "CachedSecret",
    "KeyRefused",
    "SecretDeleted",
    "SecretNotFound",
    "SecretUnreadable",
    "SecretVersion",
    "ServiceUnavailable",
    "Throttled",
    "api_key",
    "basic",
    "bearer",
    "get_secret",
    "is_refusal",
]


def __getattr__(name: str) -> Any:
    """Resolve a public name on first use (PEP 562)."""
    if name in _HOME:
        return getattr(import_module(f"rotators.consumer.{_HOME[name]}"), name)
    raise AttributeError(f"module 'rotators.consumer' has no attribute {name!r}")
