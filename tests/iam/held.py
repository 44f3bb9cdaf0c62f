"""A secret that holds an IAM user's access key, in our Secrets Manager."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rotators import SecretStore
from rotators.engines.iam import AccessKeyRotator
from rotators.testing import LambdaContext, rotation_event
from tests.iam.stand_in import ACCOUNT, IAM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.testing import SecretsManager

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class Held:
    """
    The secret, and its rotation.

    Args:
        days: the tag rotators:unused-days; by default 0, so that rotations may follow one another. None for no tag.
        more: what else stands in the value.
    """

    def __init__(
        self,
        service: SecretsManager,
        iam: IAM,
        *,
        name: str = "relay",
        days: float | None = 0,
        authority: str = "",
        account: str = ACCOUNT,
        value: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        self.service, self.iam = service, iam
        self.user = iam.user(name, account=account)
        client = service.client()
        if value is None:
            key = iam.key(self.user)
            value = {"access_key_id": key.id, "note": "kept", "secret_access_key": key.secret, **more}
        tags = {"rotators:unused-days": days, "rotators:iam-authority": authority or None}
        self.arn: str = client.create_secret(
            Name=f"iam/{uuid.uuid4()}",
            SecretString=json.dumps(value),
            Tags=[{"Key": key, "Value": str(value)} for key, value in tags.items() if value is not None],
        )["ARN"]
        self.handler: Any = None
        self.new_sandbox()
        function = service.add_function(f"iam-{uuid.uuid4().hex}", self.handle)
        client.rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=function,
            RotationRules={"AutomaticallyAfterDays": 9},
            RotateImmediately=False,
        )
        service.wait(self.arn, 20)
        iam.asked.clear()

    def new_sandbox(self) -> None:
        self.handler = AccessKeyRotator(store=SecretStore(self.service.client()))

    def handle(self, event: Any, context: Any) -> None:
        self.handler(event, context)

    def opens(self, value: dict[str, Any]) -> bool:
        return self.iam.opens(value["access_key_id"], value["secret_access_key"])

    def elsewhere(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "username": "somebody-else"}

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.iam.down = True
        yield
        self.iam.down = False

    def keys(self) -> set[str]:
        return set(self.user.keys)

    def key_of(self, value: dict[str, Any]) -> str:
        return str(value["access_key_id"])

    def rejections(self) -> int:
        return self.iam.rejected

    def value(self, label: str = "AWSCURRENT") -> dict[str, Any]:
        text = self.service.client().get_secret_value(SecretId=self.arn, VersionStage=label)["SecretString"]
        found: dict[str, Any] = json.loads(text)
        return found

    def put(self, value: dict[str, Any], *, token: str | None = None, label: str = "AWSCURRENT") -> None:
        self.service.client().put_secret_value(
            SecretId=self.arn,
            ClientRequestToken=token or str(uuid.uuid4()),
            SecretString=json.dumps(value),
            VersionStages=[label],
        )

    def begin(self) -> str:
        token = str(uuid.uuid4())
        self.service.put_placeholder(self.arn, token)
        return token

    def step(self, step: str, token: str, *, seconds: float = 30.0) -> None:
        self.handler(rotation_event(step, self.arn, token), LambdaContext(seconds))

    def steps(self, token: str, *names: str) -> None:
        for name in names or STEPS:
            self.step(name, token)

    def held(self, *labels: str) -> set[str]:
        return {self.value(label)["access_key_id"] for label in labels or ("AWSCURRENT", "AWSPREVIOUS")}
