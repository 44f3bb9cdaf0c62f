"""
Redis and Valkey: users of an ACL, which hold any number of passwords at once.

So no login fails: the new password is added, and the one before the current is taken away. Commands carry SHA-256 hashes and
never a password. Source: Redis documentation, "ACL SETUSER".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.engines.driver import load
from rotators.engines.redis.nodes import RedisSecret, authority

if TYPE_CHECKING:
    from rotators.secret import Secret


class Redis:
    """
    The engine of ``redis`` and ``valkey``.

    Example:
        >>> handler = EngineRotator(Redis())
    """

    name = "redis"
    #: A client may put a password into a URL.
    exclude_characters = ":/@\"'\\%"
    #: A user that has an admin seldom has the right to change passwords itself.
    admin_first = True

    def resource(self, secret: Secret) -> dict[str, str]:
        """
        Return nodes, user and TLS: what pending must have in common with current (law 5).

        Raises:
            SecretError: a key is missing or of the wrong form.
        """
        return RedisSecret.of(secret).resource()

    def test(self, secret: Secret) -> None:
        """Log in at every node."""
        load("redis.change", extra="redis").prove(RedisSecret.of(secret))

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """Add the password at every node over sessions of `by`, take away all but `like`'s, prove it, or undo it."""
        new = RedisSecret.of(secret)
        load("redis.change", extra="redis").change(authority(by, new), new, RedisSecret.of(like))

    def discard(self, secret: Secret, *, by: Secret) -> None:
        """Take away every password of the user but `secret`'s, over sessions of `by`."""
        new = RedisSecret.of(secret)
        load("redis.change", extra="redis").discard(authority(by, new), new)
