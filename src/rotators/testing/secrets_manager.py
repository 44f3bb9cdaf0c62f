"""AWS Secrets Manager in memory, with its own rules."""

from __future__ import annotations

import functools
import time
import uuid
from typing import TYPE_CHECKING, Any

from rotators.testing import listing, replication, schema, secret_operations, staging, values, wire
from rotators.testing.account import Account
from rotators.testing.functions import Functions, Handler
from rotators.testing.journal import Call, Event
from rotators.testing.records import Attempt
from rotators.testing.rotation_request import cancel_rotate_secret
from rotators.testing.rotation_service import RotationService
from rotators.testing.service_error import ServiceError
from rotators.testing.versions import PENDING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.config import Config

    from rotators.testing.state import State


class SecretsManager:
    """One account's Secrets Manager in one Region.

    region, account:       as they appear in ARNs
    lag_reads:             a write is visible to reads (DescribeSecret, GetSecretValue, ListSecretVersionIds) only after
                           so many further reads of that secret; both lags may be changed at any time
    lag_seconds:           ... and only after so many seconds
    attempts:              how often a rotation is run from createSecret on before the service gives up; AWS says
                           "multiple times" (User Guide, "How rotation works")
    clock:                 seconds since 1970
    strict_rotation_token: refuse a RotationToken that is not the one of the rotation in progress
    state:                 where to find what an earlier one remembered, and to keep what this one does; a rotation that
                           was cut short waits there for RotateSecret. Functions are to be added anew

    >>> sm = SecretsManager()
    >>> _ = sm.client().create_secret(Name="app", SecretString="s3cret")
    >>> sm.count("CreateSecret")
    1
    """

    def __init__(  # noqa: PLR0913 - one setting of the service each, all with a default
        self,
        region: str = "eu-central-1",
        account: str = "123456789012",
        *,
        lag_reads: int = 0,
        lag_seconds: float = 0.0,
        attempts: int = 1,
        clock: Callable[[], float] = time.time,
        strict_rotation_token: bool = True,
        state: State | None = None,
    ) -> None:
        self.account = Account(region, account, clock, state)
        self.account.strict_rotation_token = strict_rotation_token
        self.lag_reads, self.lag_seconds = lag_reads, lag_seconds
        self.functions = Functions(region, account)
        self.rotations = RotationService(self.account, self.functions, attempts)
        self._operations: dict[str, Callable[[Account, dict[str, Any]], dict[str, Any]]] = {
            **secret_operations.OPERATIONS,
            **values.OPERATIONS,
            **staging.OPERATIONS,
            **listing.OPERATIONS,
            **replication.OPERATIONS,
            "RotateSecret": self.rotations.rotate_secret,
            "CancelRotateSecret": cancel_rotate_secret,
        }

    @property
    def lag_reads(self) -> int:
        """Reads that still see the state before a write."""
        return self.account.lag_reads

    @lag_reads.setter
    def lag_reads(self, reads: int) -> None:
        self.account.lag_reads = reads

    @property
    def lag_seconds(self) -> float:
        """Seconds during which reads still see the state before a write."""
        return self.account.lag_seconds

    @lag_seconds.setter
    def lag_seconds(self, seconds: float) -> None:
        self.account.lag_seconds = seconds

    def client(self, config: Config | None = None) -> Any:
        """A real boto3 client; its requests come here without a socket, and it needs no environment.

        Without a `config` it is the same client each time: making one costs as much as ten calls.
        """
        if config is not None:
            return wire.client(self, self.account.region, config)
        return self._client

    @functools.cached_property
    def _client(self) -> Any:
        return wire.client(self, self.account.region)

    def respond(self, target: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Answer one request of AWS JSON 1.1: the one door, for `client` and for an Endpoint.

        target: the header X-Amz-Target, ``secretsmanager.GetSecretValue``
        body:   the JSON request
        Returns the HTTP status and the JSON answer.
        """
        region = wire.region_of(headers or {}) or self.account.region  # unsigned requests are welcome
        try:
            return wire.success(self._call(wire.operation_of(target), wire.request_of(body), region))
        except ServiceError as error:
            return wire.failure(error)

    def _call(self, name: str, request: dict[str, Any], region: str) -> dict[str, Any]:
        operation = self._operations.get(name)
        if operation is None:
            raise ServiceError(
                "UnknownOperationException", f"This Secrets Manager doesn't know the operation {name!r}."
            )
        error: str | None = None
        response: dict[str, Any] = {}
        with self.account.lock:
            try:
                schema.check(name, request)
                response = operation(self.account, request | {"Region": region})
            except ServiceError as refused:
                error = refused.code
                raise
            finally:
                self.calls.append(_call(name, request, response, error))
        return response

    def add_function(self, name: str, handler: Handler, timeout: float = 30.0) -> str:
        """Make a handler a Lambda function, and return its ARN for RotateSecret.

        timeout: in seconds; a step that took longer has failed, whatever it did meanwhile
        """
        with self.account.lock:
            return self.functions.add(name, handler, timeout)

    @property
    def calls(self) -> list[Call]:
        """Every API call so far, in order."""
        return self.account.journal.calls

    @property
    def events(self) -> list[Event]:
        """What the service reported of its own accord so far, in order."""
        return self.account.journal.events

    def count(self, operation: str) -> int:
        """How many calls of one operation so far, refused ones too."""
        return self.account.journal.count(operation)

    def labels(self, secret_id: str, *, unlabelled: bool = False) -> dict[str, list[str]]:
        """The truth, whatever reads see: each version's labels, sorted; versions without labels only if asked for."""
        with self.account.lock:
            versions = self.account.find(secret_id).versions
            return {v.id: sorted(v.labels) for v in versions if v.labels or unlabelled}

    def put_placeholder(self, secret_id: str, token: str, rotation_token: str | None = None) -> None:
        """Leave what RotateSecret leaves before createSecret: a version without a value under AWSPENDING."""
        with self.account.lock:
            record = self.account.live(secret_id)
            with self.account.writing(record) as now:
                version = record.versions.get(token) or record.versions.add(token, now)
                record.versions.attach(PENDING, version)
                record.rotation_enabled = True
                record.attempt = Attempt(token, rotation_token or str(uuid.uuid4()))

    def wait(self, secret_id: str, timeout: float = 30.0) -> bool:
        """Wait for the secret's rotations that run behind RotateSecret; False if they take longer than `timeout`."""
        return self.rotations.wait(secret_id, timeout)

    def close(self, timeout: float = 5.0) -> bool:
        """Start no further step, and wait for those that run; False if they take longer than `timeout` seconds."""
        return self.rotations.close(timeout)


def _call(name: str, request: dict[str, Any], response: dict[str, Any], error: str | None) -> Call:
    def text(*fields: str) -> str | None:
        found = (request.get(field) for field in fields)
        return next((value for value in found if isinstance(value, str)), None)

    stages = request.get("VersionStages") or [request.get("VersionStage")]
    answered = response.get("VersionId")
    return Call(
        name,
        text("SecretId", "Name"),
        text("VersionId", "MoveToVersionId", "ClientRequestToken") or answered,
        tuple(stage for stage in stages if isinstance(stage, str)) if isinstance(stages, list) else (),
        text("RemoveFromVersionId"),
        error,
    )
