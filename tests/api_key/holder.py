"""A secret with a key of a described service, and its rotator."""

from __future__ import annotations

import json
import re
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rotators import KeyRotator, SecretStore
from rotators.engines.api_key import described
from rotators.engines.api_key.catalogue import BUNDLED
from rotators.testing import rotation_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rotators.testing import SecretsManager
    from tests.api_key.site import Site


def here(text: str, site: Site) -> str:
    """Send every request of a description to this machine."""
    return re.sub(r'(?m)^url = "https://[^"]*"', f'url = "{site.url}"', text)


def placed(name: str, site: Site, folder: Path) -> Path:
    """Write a description of ours for a stand-in."""
    path = folder / f"{name}.toml"
    path.write_text(here((BUNDLED / path.name).read_text(), site))
    return path


class Holder:
    """One secret, and the handler that rotates it."""

    def __init__(
        self,
        service: SecretsManager,
        site: Site,
        make: Callable[[SecretStore], KeyRotator],
        value: dict[str, Any],
        *,
        admin: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
        settle: bool = True,
    ) -> None:
        self.service, self.site, self._make = service, site, make
        client = service.client()
        if admin:
            made = client.create_secret(Name=f"admin/{uuid.uuid4()}", SecretString=json.dumps(admin))
            value = {**value, "adminarn": made["ARN"]}
            self.admin_arn = made["ARN"]
        self.arn: str = client.create_secret(
            Name=f"key/{uuid.uuid4()}",
            SecretString=json.dumps(value),
            Tags=[{"Key": key, "Value": text} for key, text in (tags or {}).items()],
        )["ARN"]
        self.handler: Any = None
        self.new_sandbox()
        client.rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=service.add_function(f"key-{uuid.uuid4().hex}", self.handle),
            RotationRules={"AutomaticallyAfterDays": 9},
            RotateImmediately=False,
        )
        if settle:
            service.wait(self.arn, 20)

    def new_sandbox(self) -> None:
        self.handler = self._make(SecretStore(self.service.client()))

    def handle(self, event: Any, context: Any) -> None:
        self.handler(event, context)

    def value(self, label: str = "AWSCURRENT") -> dict[str, Any]:
        answer = self.service.client().get_secret_value(SecretId=self.arn, VersionStage=label)
        found: dict[str, Any] = json.loads(answer["SecretString"])
        return found

    def put(self, **changes: Any) -> None:
        """Store a changed value by hand."""
        value = {key: each for key, each in {**self.value(), **changes}.items() if each is not None}
        self.service.client().put_secret_value(SecretId=self.arn, SecretString=json.dumps(value))

    def begin(self) -> str:
        token = str(uuid.uuid4())
        self.service.put_placeholder(self.arn, token)
        return token

    def step(self, step: str, token: str) -> None:
        self.handler(rotation_event(step, self.arn, token))

    def run(self) -> None:
        """Run the four steps, whatever is pending."""
        token = self.begin()
        for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
            self.step(step, token)

    def refuse(self, step: str = "createSecret", **changes: Any) -> str:
        """Store something by hand, and return what a step says of it."""
        from rotators import RotatorsError

        if changes:
            self.put(**changes)
        try:
            self.step(step, self.begin())
        except RotatorsError as error:
            return f"{type(error).__name__}: {error}"
        return "nothing"

    # What `RotatorContract` asks of a subject.

    def opens(self, value: dict[str, Any]) -> bool:
        return bool(self.site.holds(value))  # type: ignore[attr-defined] # those that are rotated have it

    def elsewhere(self, value: dict[str, Any]) -> dict[str, Any]:
        return {
            **value,
            "adminarn": f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:other-{uuid.uuid4().hex[:6]}",
        }

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.site.down = True
        yield
        self.site.down = False

    def rejections(self) -> int:
        return self.site.refused


def rotator(path: Path) -> Callable[[SecretStore], KeyRotator]:
    """Return what makes a rotator by a description."""
    return lambda store: KeyRotator(described(path), store=store)
