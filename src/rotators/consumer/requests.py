"""requests with a key that is rotated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests.auth import AuthBase
from requests.sessions import SessionRedirectMixin

from rotators.consumer.cached import TRIES
from rotators.consumer.headers import bearer

if TYPE_CHECKING:
    from collections.abc import Collection

    import requests

    from rotators.consumer.cached import CachedSecret
    from rotators.consumer.headers import Headers
    from rotators.consumer.version import SecretVersion

__all__ = ["Auth"]


class Auth(AuthBase):
    """
    Signs requests with a secret, and sends one that was refused again with the right version.

    A body that is a stream can't be sent twice: then the refusal is the answer. Where a redirect leads to another host, that one is
    sent no key. requests by itself takes off no header but Authorization: with `api_key`, say ``allow_redirects=False``.

    Args:
        secret: the key's.
        headers: what to send; by default `bearer`, of the secret's ``key``.
        statuses: HTTP statuses that say the key is not, or no longer, the right one.

    Example:
        >>> requests.get("https://api.example.com/orders", auth=Auth(CachedSecret("shop/api")), timeout=10)
    """

    def __init__(
        self, secret: CachedSecret, headers: Headers | None = None, statuses: Collection[int] = (401,)
    ) -> None:
        self._secret, self._headers, self._statuses = secret, headers or bearer(), frozenset(statuses)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request; requests calls this."""
        version = self._secret.get()
        request.headers.update(self._headers(version))
        signed = str(request.url)
        register: Any = request.register_hook  # it has no types
        register("response", lambda response, **options: self._again(response, version, signed, options))
        return request

    def _again(
        self, response: requests.Response, version: SecretVersion, signed: str, options: dict[str, Any]
    ) -> requests.Response:
        # By requests' own rule of which host may have the key: a redirect comes by here too.
        elsewhere: Any = SessionRedirectMixin.should_strip_auth
        if elsewhere(SessionRedirectMixin(), signed, str(response.request.url)):
            return response
        for _ in range(TRIES - 1):
            body = response.request.body
            if response.status_code not in self._statuses or not (body is None or isinstance(body, (str, bytes))):
                break
            following = self._secret.after(version)
            if following is None:
                break
            version = following
            _ = response.content  # read to its end, so that the connection can be used again
            response.close()
            request = response.request.copy()
            request.headers.update(self._headers(version))
            answered: requests.Response = response.connection.send(request, **options)
            answered.history.append(response)
            answered.request = request
            response = answered
        return response
