"""``Subject``: a secret, what it opens, and the rotator between them; and ``RotatorSubject``, which is one in a few words."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from unittest.mock import patch

from rotators.secret import Secret
from rotators.store import SecretStore
from rotators.testing.points import points

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from contextlib import AbstractContextManager

    from rotators.rotator import Rotator
    from rotators.testing.points import Point
    from rotators.testing.secrets_manager import SecretsManager

#: A version's value: of a secret with keys, of one plain string, of bytes.
Value = Any


class Subject(Protocol):
    """
    One secret, what it opens, and the rotator between them. Made anew for each test.

    ``arn`` must have its rotation configured with a function that calls ``handle``.
    """

    service: SecretsManager
    arn: str
    handler: Callable[[Any, Any], Any]

    def new_sandbox(self) -> None:
        """Put a handler into ``handler`` that shares no memory with the one before: the old process is dead."""

    def opens(self, value: Value) -> bool:
        """Ask the target, by other means than the rotator's own code, whether a value opens it."""

    def elsewhere(self, value: Value) -> Value | None:
        """Return the value changed to name another target or user; None where a value names none."""

    def outage(self) -> AbstractContextManager[object]:
        """Make the target unreachable while the block lasts."""

    def rejections(self) -> int:
        """Return how many credentials the target has refused so far, by its own count; 0 where it keeps none."""


class RotatorSubject:
    """
    A subject made of a rotator, a first value, and a question to the target.

    Args:
        service: the fixture ``secret_store``.
        rotator: a subclass of Rotator, or what makes one from a SecretStore.
        value: what AWSCURRENT holds at first: a mapping, a string or bytes. It must open the target.
        opens: says whether a value opens the target; a subclass may have a method of this name instead.
        rejections: says how many credentials the target has refused so far.
        keys: returns the ids of all keys that there are at the provider, those of others included.
        key_of: returns the id of the key in a value; needed with `keys`.
        tags: of the secret.

    Example:
        >>> RotatorSubject(secret_store, Relay, {"url": relay.url, "password": "first"}, opens=relay.accepts)
    """

    def __init__(  # noqa: PLR0913 - each by its name, most with a default
        self,
        service: SecretsManager,
        rotator: Callable[..., Rotator],
        value: Mapping[str, Any] | str | bytes,
        *,
        opens: Callable[[Any], bool] | None = None,
        rejections: Callable[[], int] | None = None,
        keys: Callable[[], Collection[str]] | None = None,
        key_of: Callable[[Any], str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.service = service
        self._rotator, self._opens, self._rejections = rotator, opens, rejections
        #: The ids of all keys at the provider, or None.
        self.keys = keys
        #: The id of the key in a value, or None.
        self.key_of = key_of
        client = service.client()
        self.arn: str = client.create_secret(
            Name=f"subject/{uuid.uuid4()}",
            **Secret(value if isinstance(value, (str, bytes)) else dict(value)).stored(),
            Tags=[{"Key": key, "Value": text} for key, text in (tags or {}).items()],
        )["ARN"]
        self.handler: Callable[[Any, Any], Any] = self._made()
        client.rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=service.add_function(f"subject-{uuid.uuid4().hex}", self.handle),
            RotationRules={"AutomaticallyAfterDays": 30},
            RotateImmediately=False,
        )
        service.wait(self.arn, 60)  # RotateSecret has testSecret run once

    def _made(self) -> Callable[[Any, Any], Any]:
        store = SecretStore(self.service.client())
        return self._rotator(store=store) if isinstance(self._rotator, type) else self._rotator(store)

    def new_sandbox(self) -> None:
        """Make the rotator anew."""
        self.handler = self._made()

    def handle(self, event: Any, context: Any) -> None:
        """Call the handler of the moment."""
        self.handler(event, context)

    def opens(self, value: Any) -> bool:
        """Ask the target."""
        if self._opens is None:
            raise TypeError(
                f"{type(self).__name__} can't say what opens the target: give it opens=… or a method opens(value)"
            )
        return bool(self._opens(value))

    def elsewhere(self, value: Any) -> Any | None:
        """Change the first key that names what the secret opens; None where there is none."""
        if not isinstance(value, dict):
            return None
        named = getattr(self.handler, "resource_keys", ())
        key = next((key for key in value if key in named and isinstance(value[key], str)), None)
        return None if key is None else {**value, key: value[key] + "-elsewhere"}

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Let nothing answer that is not AWS: every call that would be counted fails as if nobody were there."""
        with ExitStack() as stack:
            for point in points():
                if point.module != "botocore.client":
                    stack.enter_context(patch.object(point.cls, point.method, _unanswered(point)))
            yield

    def rejections(self) -> int:
        """Ask the target, where it counts."""
        return self._rejections() if self._rejections is not None else 0


def _unanswered(point: Point) -> Any:
    original = getattr(point.cls, point.method)

    def gone(*args: Any, **kwargs: Any) -> Any:
        if args and not point.chosen(args[0]):
            return original(*args, **kwargs)
        raise point.lost(args[0] if args else None, args[1:])

    return gone
