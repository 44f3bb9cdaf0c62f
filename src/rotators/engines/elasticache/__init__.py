"""
Users of ElastiCache and MemoryDB, through the API of their service: AWS keeps the ACL, and the server itself lets nobody change it.

A user holds two passwords, and the API replaces both at once: current and pending are set together, so that no login fails.
Reading order: cache_user, service, user, change. Sources: ElastiCache API reference, ModifyUser and DescribeUsers; MemoryDB API
reference, UpdateUser and DescribeUsers; ElastiCache user guide, "Role-Based Access Control (RBAC)".
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rotators.engines.elasticache.cache_user import CacheUser
from rotators.errors import ConfigurationError

if TYPE_CHECKING:
    from rotators.secret import Secret

#: As in AWS's template: the one user that the function is for.
VARIABLE = "USER_NAME"


class ElastiCache:
    """
    The engine of ``elasticache`` and ``memorydb``: the ARN in the secret says which service it is.

    The function's role makes the change. A password is proven by a login where the secret names a host; else by what the service
    says of the user, and by a tag that says what was set.

    Example:
        >>> handler = EngineRotator(ElastiCache())
    """

    name = "elasticache"
    #: What the services do not take, and what a client may put into a URL.
    exclude_characters = ":/@\"'\\%,"

    def resource(self, secret: Secret) -> dict[str, str]:
        """
        Return the user's ARN and name and, where the secret names them, nodes and TLS (law 5).

        Raises:
            SecretError: a key is missing or of the wrong form.
            ConfigurationError: the function is for another user, by ``USER_NAME``.
        """
        who = CacheUser.of(secret)
        if os.environ.get(VARIABLE, who.username) != who.username:
            raise ConfigurationError(
                f"this function is for another user than {who.username!r}, by its variable {VARIABLE}: give each user its own "
                "function, or take the variable off"
            )
        return who.resource()

    def test(self, secret: Secret) -> None:
        """Log in at every node; without a host, ask whether the user is active and whether this is what was set."""
        _change().prove(CacheUser.of(secret))

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """Set `like`'s password and `secret`'s, and no other; wait until the user is active, prove it, or undo it."""
        new = CacheUser.of(secret)
        _change().change(new, new.authority(by), CacheUser.of(like))

    def discard(self, secret: Secret, *, by: Secret) -> None:  # noqa: ARG002 - it is the function's role that does it
        """Set `secret`'s password alone."""
        _change().discard(CacheUser.of(secret))


def _change() -> Any:
    return import_module("rotators.engines.elasticache.change")
