"""A secret with versions, and a world around it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rotators.consumer import CachedSecret

if TYPE_CHECKING:
    from rotators.testing import SecretsManager


class Versions:
    """A secret whose labels a test moves, and the reads that it cost."""

    def __init__(self, service: SecretsManager) -> None:
        self.service, self.client = service, service.client()
        self.arn = self.client.create_secret(Name="app", SecretString=json.dumps({"key": "one-Canary-1"}))["ARN"]
        self.service.calls.clear()

    def put(self, key: str, *stages: str) -> str:
        version: str = self.client.put_secret_value(
            SecretId="app", SecretString=json.dumps({"key": key}), VersionStages=stages or ("AWSCURRENT",)
        )["VersionId"]
        return version

    def promote(self, version: str) -> None:
        old = self.client.describe_secret(SecretId="app")["VersionIdsToStages"]
        current = next(one for one, labels in old.items() if "AWSCURRENT" in labels)
        self.client.update_secret_version_stage(
            SecretId="app", VersionStage="AWSCURRENT", MoveToVersionId=version, RemoveFromVersionId=current
        )

    def cached(self, **more: Any) -> CachedSecret:
        return CachedSecret("app", client=self.client, **more)

    @property
    def reads(self) -> int:
        return self.service.count("GetSecretValue")


@pytest.fixture
def versions(service: SecretsManager) -> Versions:
    return Versions(service)
