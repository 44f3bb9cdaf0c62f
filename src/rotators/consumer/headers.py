"""What a request says with a secret: functions that make headers of a version, for the HTTP clients."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.consumer.version import SecretVersion

    Headers = Callable[[SecretVersion], dict[str, str]]


def bearer(key: str | None = "key") -> Headers:
    """
    Make ``Authorization: Bearer …``.

    Args:
        key: under which key of the secret the token is; None for a secret that is one plain string.

    Example:
        >>> Auth(secret, bearer("access_token"))
    """
    return lambda version: {"Authorization": f"Bearer {_text(version, key)}"}


def api_key(header: str, key: str | None = "key") -> Headers:
    """
    Make a header that is the key alone.

    Args:
        header: its name, such as ``X-Api-Key``.
        key: as of `bearer`.

    Example:
        >>> Auth(secret, api_key("X-Api-Key"))
    """
    return lambda version: {header: _text(version, key)}


def basic(username: str = "username", password: str = "password") -> Headers:  # noqa: S107 - a key's name
    """
    Make ``Authorization: Basic …``.

    Args:
        username, password: the keys of the secret.

    Example:
        >>> Auth(secret, basic())
    """

    def headers(version: SecretVersion) -> dict[str, str]:
        pair = f"{_text(version, username)}:{_text(version, password)}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    return headers


def _text(version: SecretVersion, key: str | None) -> str:
    return version.text if key is None else str(version[key])
