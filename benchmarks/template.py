"""
What the benchmarks compare with: rotators of the shape of AWS's templates. Here is what all of them do alike.

Written for this comparison from a description of what those functions do: the same Secrets Manager calls, the same
logins and the same statements in the same order, a boto3 client made in every invocation. They differ in two points, both
in their favour: they take their CA bundle from ``ROTATORS_CA_BUNDLE``, and they never try a second login without TLS. Where
a secret does not say ``ssl``, AWS's own do, which is one more login that is refused, a rotation.

Source: aws-samples/aws-secrets-manager-rotation-lambdas, as of 2025-02.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Callable

CLONE = "_clone"

_log = logging.getLogger(__name__)
_log.addHandler(logging.StreamHandler(sys.stdout))
_log.setLevel(logging.INFO)
_changed: dict[str, float] = {}  # for the benchmark alone: when a version's password was set


@dataclass(frozen=True)
class Template:
    """
    A handler.

    set:     setSecret, given a client, the secret and the token
    test:    testSecret, given the pending value
    exclude: characters that no password has
    user:    whose the next password is, given the current user's name
    """

    set: Callable[[Any, str, str], None]
    test: Callable[[dict[str, Any]], None]
    exclude: str
    user: Callable[[str], str] = str

    def __call__(self, event: dict[str, Any], _: object) -> None:
        """Run one step."""
        arn, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
        service = boto3.client("secretsmanager", endpoint_url=os.environ["SECRETS_MANAGER_ENDPOINT"])
        about = service.describe_secret(SecretId=arn)
        if not about.get("RotationEnabled", True):
            raise ValueError(f"{arn} is not enabled for rotation")
        labels = about["VersionIdsToStages"].get(token)
        if labels is None:
            raise ValueError(f"{token} is no version of {arn}")
        if "AWSCURRENT" in labels:
            return
        if "AWSPENDING" not in labels:
            raise ValueError(f"{token} is not AWSPENDING of {arn}")
        if step == "createSecret":
            self._create(service, arn, token)
        elif step == "setSecret":
            self.set(service, arn, token)
        elif step == "testSecret":
            self.test(value(service, arn, "AWSPENDING", token))
        elif step == "finishSecret":
            _finish(service, arn, token)
        else:
            raise ValueError(f"{step} is no step")
        _log.info("%s: done for %s", step, arn)

    def _create(self, service: Any, arn: str, token: str) -> None:
        secret = value(service, arn, "AWSCURRENT")
        try:
            value(service, arn, "AWSPENDING", token)
        except service.exceptions.ResourceNotFoundException:
            drawn = service.get_random_password(PasswordLength=32, ExcludeCharacters=self.exclude)
            secret |= {"username": self.user(secret["username"]), "password": drawn["RandomPassword"]}
            service.put_secret_value(
                SecretId=arn, ClientRequestToken=token, SecretString=json.dumps(secret), VersionStages=["AWSPENDING"]
            )


def value(service: Any, arn: str, label: str, token: str | None = None) -> dict[str, Any]:
    """Read a secret's value."""
    which = {"VersionId": token} if token else {}
    answer = service.get_secret_value(SecretId=arn, VersionStage=label, **which)
    secret: dict[str, Any] = json.loads(answer["SecretString"])
    for key in ("engine", "host", "username", "password"):
        if key not in secret:
            raise KeyError(f"{key} key is missing from secret JSON")
    return secret


def changed(token: str) -> None:
    """Note the moment."""
    _changed[token] = time.monotonic()


def same_place(pending: dict[str, Any], user: str, host: str) -> None:
    """Refuse a pending value that is for another user or host."""
    if (pending["username"], pending["host"]) != (user, host):
        raise ValueError("AWSPENDING is for another user or host than AWSCURRENT")


def other(user: str) -> str:
    """Name the other user of a pair."""
    return user.removesuffix(CLONE) if user.endswith(CLONE) else user + CLONE


def _finish(service: Any, arn: str, token: str) -> None:
    labels = service.describe_secret(SecretId=arn)["VersionIdsToStages"]
    current = next((version for version, stages in labels.items() if "AWSCURRENT" in stages), None)
    if current == token:
        return
    service.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
    )
    if token in _changed:
        milliseconds = (time.monotonic() - _changed.pop(token)) * 1000
        print(json.dumps({"outage_window_ms": round(milliseconds, 1)}))
