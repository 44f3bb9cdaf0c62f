"""``SecretVersion``: a value that knows which version it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from rotators.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping


class SecretVersion(Secret):
    """
    One version's value: a mapping where the secret is a JSON object, else ``text`` or ``data``. Its repr shows key names only.

    Attributes:
        secret_id: the secret's ARN.
        version: the version's id. Two reads that give the same one gave the same value.
        stages: the labels it had when it was read.

    Example:
        >>> get_secret("shop/app")["username"]
        'app'
        >>> get_secret("shop/licence").text
        'K-2207-…'
    """

    __slots__ = ("secret_id", "stages", "version")

    secret_id: str
    version: str
    stages: tuple[str, ...]

    @classmethod
    def answered(cls, answer: Mapping[str, Any]) -> Self:
        """Make one of GetSecretValue's answer."""
        made = cls.read(answer, label="secret's")
        made.secret_id = str(answer["ARN"])
        made.version = str(answer["VersionId"])
        made.stages = tuple(answer.get("VersionStages", ()))
        return made
