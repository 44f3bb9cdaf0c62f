"""A rotation function that keeps the contract, with places to break it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable


class Rotator:
    """The four steps over one client. `before` and `after` hold what else happens at a step."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.events: list[dict[str, Any]] = []
        self.contexts: list[Any] = []
        self.before: dict[str, Callable[[], object]] = {}
        self.after: dict[str, Callable[[], object]] = {}

    @property
    def steps(self) -> list[str]:
        return [event["Step"] for event in self.events]

    def __call__(self, event: dict[str, Any], context: Any) -> None:
        self.events.append(event)
        self.contexts.append(context)
        step = event["Step"]
        self.before.get(step, lambda: None)()
        if step == "createSecret":
            self.create(event)
        if step == "finishSecret":
            self.finish(event)
        self.after.get(step, lambda: None)()

    def create(self, event: dict[str, Any]) -> None:
        secret, token = event["SecretId"], event["ClientRequestToken"]
        try:
            self.client.get_secret_value(SecretId=secret, VersionId=token, VersionStage="AWSPENDING")
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            self.client.put_secret_value(
                SecretId=secret,
                ClientRequestToken=token,
                SecretString=f"value of {token}",
                VersionStages=["AWSPENDING"],
                RotationToken=event["RotationToken"],
            )

    def finish(self, event: dict[str, Any]) -> None:
        secret, token = event["SecretId"], event["ClientRequestToken"]
        labels = self.client.describe_secret(SecretId=secret)["VersionIdsToStages"]
        current = next(version for version, stages in labels.items() if "AWSCURRENT" in stages)
        if current != token:
            self.client.update_secret_version_stage(
                SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
            )
