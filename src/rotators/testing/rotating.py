"""``Rotating``: a secret and its rotator, to be rotated as a whole or step by step. What the fixture ``rotation`` makes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from rotators.secret import Secret
from rotators.store import SecretStore
from rotators.testing import verbs
from rotators.testing.context import LambdaContext, rotation_event
from rotators.testing.driver import resume, rotate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rotators.testing.outcome import Outcome
    from rotators.testing.secrets_manager import SecretsManager
    from rotators.testing.subject import Value


class Rotating:
    """
    A secret and its rotator.

    Args:
        service: the fixture ``secret_store``.
        rotator: a subclass of Rotator, or a handler: whatever takes (event, context).
        value: what AWSCURRENT holds at first.
        admin: the value of another secret, whose ARN `value` gets as ``masterarn``.
        tags: of the secret.

    Attributes:
        arn: the secret's.
        handler: the function that is called.
        token: the version that the steps are for; `step` begins one where none is pending.

    Example:
        >>> app = rotation(Relay, {"url": relay.url, "username": "app", "password": "first"})
        >>> app.rotate().succeeded
        True
        >>> relay.accepts(app.value())
        True
    """

    def __init__(
        self,
        service: SecretsManager,
        rotator: type | Callable[[Any, Any], Any],
        value: Mapping[str, Any] | str | bytes,
        *,
        admin: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.service = service
        self.handler: Callable[[Any, Any], Any] = (
            rotator(store=SecretStore(service.client())) if isinstance(rotator, type) else rotator
        )
        client = service.client()
        if admin is not None:
            made = client.create_secret(Name=f"admin/{uuid.uuid4()}", **Secret(dict(admin)).stored())
            value = {**dict(value), "masterarn": made["ARN"]}  # type: ignore[arg-type] # a value with keys
        self.arn: str = client.create_secret(
            Name=f"rotating/{uuid.uuid4()}",
            **Secret(value if isinstance(value, (str, bytes)) else dict(value)).stored(),
            Tags=[{"Key": key, "Value": text} for key, text in (tags or {}).items()],
        )["ARN"]
        self.token = ""

    def rotate(self) -> Outcome:
        """Rotate as RotateSecret does, in this thread."""
        return rotate(self.service, self.arn, self.handler)

    def resume(self) -> Outcome:
        """Run the rotation that failed again, from createSecret on, as Secrets Manager does."""
        return resume(self.service, self.arn, self.handler)

    def step(self, name: str, *, seconds: float = 30.0) -> None:
        """
        Run one step.

        Args:
            name: createSecret, setSecret, testSecret or finishSecret.
            seconds: the function's time-out.

        Raises:
            RotatorsError: as the handler does.
        """
        if not self.token or "AWSPENDING" not in self.service.labels(self.arn).get(self.token, []):
            self.token = str(uuid.uuid4())
            self.service.put_placeholder(self.arn, self.token)
        self.handler(rotation_event(name, self.arn, self.token), LambdaContext(timeout=seconds))

    def value(self, label: str = "AWSCURRENT") -> Value:
        """Return what a label's version holds: a dict, a string or bytes."""
        return verbs.read(self.service.client().get_secret_value(SecretId=self.arn, VersionStage=label))
