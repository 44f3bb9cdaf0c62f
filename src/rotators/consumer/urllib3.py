"""urllib3 with a key that is rotated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import urllib3

from rotators.consumer.cached import TRIES
from rotators.consumer.headers import bearer

if TYPE_CHECKING:
    from collections.abc import Collection

    from rotators.consumer.cached import CachedSecret
    from rotators.consumer.headers import Headers

__all__ = ["Pool"]


class Pool(urllib3.PoolManager):
    """
    A PoolManager that signs requests with a secret, and sends one that was refused again with the right version.

    Give a body as text or bytes: a stream can't be sent twice, and its refusal is the answer. Redirects are not followed, as the
    key is for one host.

    Args:
        secret: the key's.
        sign: what to send; by default `bearer`, of the secret's ``key``.
        statuses: HTTP statuses that say the key is not, or no longer, the right one.
        options: of PoolManager.

    Example:
        >>> Pool(CachedSecret("shop/api")).request("GET", "https://api.example.com/orders")
    """

    def __init__(
        self, secret: CachedSecret, sign: Headers | None = None, statuses: Collection[int] = (401,), **options: Any
    ) -> None:
        super().__init__(**options)
        self._secret, self._sign, self._statuses = secret, sign or bearer(), frozenset(statuses)

    def urlopen(self, method: str, url: str, *_: Any, **options: Any) -> Any:
        """Sign and send; `request` calls this."""
        given = options.pop("headers", None) or self.headers
        options["redirect"] = False
        version = self._secret.get()
        for number in range(TRIES):
            headers = {**given, **self._sign(version)}
            response: Any = super().urlopen(method, url, headers=headers, **options)
            streamed = not isinstance(options.get("body"), (str, bytes, type(None)))
            if response.status not in self._statuses or streamed or number == TRIES - 1:
                break
            following = self._secret.after(version)
            if following is None:
                break
            version = following
            response.drain_conn()
        return response
