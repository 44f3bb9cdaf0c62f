"""httpx with a key that is rotated; sync and async."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from rotators.consumer.cached import TRIES
from rotators.consumer.headers import bearer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Generator

    from rotators.consumer.cached import CachedSecret
    from rotators.consumer.headers import Headers

__all__ = ["Auth"]


class Auth(httpx.Auth):
    """
    Signs requests with a secret, and sends one that was refused again with the right version.

    Args:
        secret: the key's.
        headers: what to send; by default `bearer`, of the secret's ``key``.
        statuses: HTTP statuses that say the key is not, or no longer, the right one.

    Example:
        >>> httpx.get("https://api.example.com/orders", auth=Auth(CachedSecret("shop/api")))
    """

    requires_request_body = True  # it may have to be sent again

    def __init__(
        self, secret: CachedSecret, headers: Headers | None = None, statuses: Collection[int] = (401,)
    ) -> None:
        self._secret, self._headers, self._statuses = secret, headers or bearer(), frozenset(statuses)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign and send; httpx.Client calls this."""
        request.read()
        version = self._secret.get()
        for number in range(TRIES):
            request.headers.update(self._headers(version))
            response = yield request
            if response.status_code not in self._statuses or number == TRIES - 1:
                return
            response.read()
            following = self._secret.after(version)
            if following is None:
                return
            version = following

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign and send; httpx.AsyncClient calls this."""
        await request.aread()
        version = await self._secret.get_async()
        for number in range(TRIES):
            request.headers.update(self._headers(version))
            response = yield request
            if response.status_code not in self._statuses or number == TRIES - 1:
                return
            await response.aread()
            following = await self._secret.after_async(version)
            if following is None:
                return
            version = following
