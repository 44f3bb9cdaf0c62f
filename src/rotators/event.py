"""The event Secrets Manager sends, checked before anything else is touched (law 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rotators.errors import RotationRefused
from rotators.machine import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPECTED = "expected {Step, SecretId, ClientRequestToken} as Secrets Manager sends it"


class RotationToken:
    """
    The event's RotationToken: handed on to PutSecretValue, never shown.

    Source: Secrets Manager user guide, "Rotation by Lambda function"; it is required where the secret is in another
    account, and must not be logged.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the token itself, for the one call that takes it."""
        return self._value

    def __repr__(self) -> str:
        return "RotationToken(***)"


@dataclass(frozen=True, slots=True)
class RotationEvent:
    """
    One call of Secrets Manager's.

    Source: Secrets Manager user guide, "Rotation by Lambda function".

    Example:
        >>> RotationEvent.parse({"Step": "createSecret", "SecretId": "arn:…", "ClientRequestToken": "…"}).step
        <Step.CREATE: 'createSecret'>
    """

    step: Step
    secret_id: str
    version: str
    token: RotationToken | None = None

    @classmethod
    def parse(cls, event: object) -> RotationEvent:
        """
        Check the event's shape, then its step.

        Raises:
            RotationRefused: names the key that is wrong. The event itself is never quoted: it holds the RotationToken.
        """
        get = getattr(event, "get", None)
        if not callable(get) or not hasattr(event, "keys"):
            raise RotationRefused(f"the event is not a JSON object but {_kind(event)}; {EXPECTED}")
        fields: Mapping[str, Any] = event  # type: ignore[assignment] # duck-typed: Powertools' event class is one too
        missing = [key for key in ("Step", "SecretId", "ClientRequestToken") if fields.get(key) is None]
        if missing:
            raise RotationRefused(f"the event has no {' and no '.join(missing)}; {EXPECTED}")
        for key in ("Step", "SecretId", "ClientRequestToken", "RotationToken"):
            value = fields.get(key)
            if value is not None and not (isinstance(value, str) and value.strip()):
                raise RotationRefused(f"{key} in the event must be a non-empty string, not {_kind(value)}; {EXPECTED}")
        token = fields.get("RotationToken")
        return cls(
            step=_step(fields["Step"]),
            secret_id=fields["SecretId"],
            version=fields["ClientRequestToken"],
            token=RotationToken(token) if token else None,
        )


def _step(name: str) -> Step:
    try:
        return Step(name)
    except ValueError:
        pass
    known = ", ".join(step.value for step in Step)
    plain = name.replace("_", "").replace("-", "").strip().lower()
    meant = next((step.value for step in Step if step.value.lower() == plain), None)
    hint = f"did you mean {meant}?" if meant else f"it is one of {known}"
    raise RotationRefused(f"Step {name[:40]!r} is not one of Secrets Manager's: {hint}")


def _kind(value: object) -> str:
    names = {list: "a list", dict: "an object", str: "a string", bool: "true or false", type(None): "null"}
    if isinstance(value, str):
        return "an empty string" if not value.strip() else "a string"
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else type(value).__name__)
