"""A rotator of one's own, as `--handler tests.diagnosis.own.handler` names it, and a secret that it is for."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from rotators import KeyRotator, SecretStore
from rotators.testing import LambdaContext, rotation_event
from tests.keys.provider import Provider, Speaks

if TYPE_CHECKING:
    from rotators.testing import SecretsManager

handler = KeyRotator(Speaks(most=2), adopt=True)


class Keys:
    """A secret with a key of a provider that has room for two."""

    def __init__(self, service: SecretsManager) -> None:
        self.service, self.provider, self.token = service, Provider(), ""
        self.handler: Any = handler.on(SecretStore(service.client()))
        key_id, key = self.provider.add("made by hand")
        value = {"url": self.provider.url, "key_id": key_id, "key": key}
        self.arn: str = service.client().create_secret(Name=f"key/{uuid.uuid4()}", SecretString=json.dumps(value))[
            "ARN"
        ]
        self.provider.most = 2
        service.client().rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=service.add_function(f"key-{uuid.uuid4().hex}", self.handle),
            RotationRules={"AutomaticallyAfterDays": 9},
            RotateImmediately=False,
        )
        service.wait(self.arn, 20)

    def handle(self, event: Any, context: Any) -> None:
        self.handler(event, context)

    def begin(self) -> str:
        token = str(uuid.uuid4())
        self.service.put_placeholder(self.arn, token)
        return token

    def step(self, step: str, token: str) -> None:
        self.handler(rotation_event(step, self.arn, token), LambdaContext(30.0))

    def value(self, label: str = "AWSCURRENT") -> dict[str, Any]:
        answer = self.service.client().get_secret_value(SecretId=self.arn, VersionStage=label)
        found: dict[str, Any] = json.loads(answer["SecretString"])
        return found

    def opens(self, value: dict[str, Any]) -> bool:
        return self.provider.opens(value["key"])
