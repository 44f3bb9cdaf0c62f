"""Many secrets of one target, in a Secrets Manager that can be made to refuse; cheap enough for hundreds of rotations."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

from rotators.testing.wire import operation_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rotators.testing import SecretsManager

CANARY = "hunter2-Canary"
GROUP = "rotators:apart"


def name_of(arn: str) -> str:
    return arn.split(":secret:")[1][:-7]


class Target:
    """A rotation function: takes as long as it is told to, fails for the names it is told to, and counts."""

    def __init__(self, service: SecretsManager) -> None:
        self._service = service
        self.takes = 0.0
        self.failing: set[str] = set()
        self.dying: set[str] = set()
        self.open = threading.Event()
        self.open.set()
        self.running: list[str] = []
        self.most = 0
        self.overlaps: set[frozenset[str]] = set()
        self.order: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, event: dict[str, Any], _: object) -> None:
        arn, token = event["SecretId"], event["ClientRequestToken"]
        if event["Step"] == "createSecret":
            self._call(
                "PutSecretValue",
                SecretId=arn,
                ClientRequestToken=token,
                VersionStages=["AWSPENDING"],
                SecretString=CANARY,
            )
        elif event["Step"] == "setSecret":
            self._work(name_of(arn))
        elif event["Step"] == "finishSecret":
            stages = self._service.labels(arn)
            current = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
            self._call(
                "UpdateSecretVersionStage", SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token,
                RemoveFromVersionId=current,
            )  # fmt: skip

    def _work(self, name: str) -> None:
        with self._lock:
            self.order.append(name)
            self.running.append(name)
            self.most = max(self.most, len(self.running))
            self.overlaps |= {frozenset({name, other}) for other in self.running}
        try:
            self.open.wait(60)
            time.sleep(self.takes)
            if name in self.dying:
                raise SystemExit("the process died")
            if name in self.failing:
                raise RuntimeError("the target is ill")
        finally:
            with self._lock:
                self.running.remove(name)

    def _call(self, operation: str, **request: Any) -> None:
        status, answer = self._service.respond(f"secretsmanager.{operation}", json.dumps(request).encode())
        assert status == 200, answer


class Crowd:
    """
    The secrets, their target, and what stands before the service.

    refuse: given an operation and its request, a status and an error to answer with; None lets it through
    """

    def __init__(self, service: SecretsManager) -> None:
        self.service = service
        self.target = Target(service)
        self.function = service.add_function("f", self.target)
        self.refuse: Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]] | None] = lambda *_: None

    def respond(self, target: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        refused = self.refuse(operation_of(target), json.loads(body))
        if refused is not None:
            return refused[0], json.dumps(refused[1]).encode()
        return self.service.respond(target, body, headers)

    def make(self, name: str, group: str = "", *, rotated: bool = True, **tags: str) -> str:
        """Past the API, which would look for each name among all."""
        account = self.service.account
        record = account.create(name)
        record.tags = tags | ({GROUP: group} if group else {})
        version = record.versions.add(str(uuid.uuid4()), account.clock())
        version.value = CANARY
        record.versions.attach("AWSCURRENT", version)
        if rotated:
            record.rotation_enabled, record.rotation_function = True, self.function
            record.rotation_rules = {"AutomaticallyAfterDays": 30}
        return record.arn

    def many(self, number: int, prefix: str = "s/") -> list[str]:
        names = [f"{prefix}{n:03}" for n in range(number)]
        for name in names:
            self.make(name)
        return names

    def rotations(self) -> Counter[str]:
        """How many rotations of each secret ended well."""
        return Counter(name_of(event.arn) for event in self.service.events if event.name == "RotationSucceeded")
