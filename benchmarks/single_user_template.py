"""
What the benchmarks compare with: a rotator of the shape of AWS's PostgreSQL single-user template.

Written for this comparison from a description of what that function does: the same Secrets Manager calls, the same
logins and the same statements in the same order, a boto3 client made in every invocation. It differs in three points, all
in its favour: it takes its CA bundle from ``ROTATORS_CA_BUNDLE``, it never tries a second login without TLS, and its
driver is psycopg instead of PyGreSQL.

Source: aws-samples/aws-secrets-manager-rotation-lambdas, SecretsManagerRDSPostgreSQLRotationSingleUser, as of 2025-02.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from contextlib import suppress
from typing import Any

import boto3
import psycopg
from psycopg import ClientCursor

_log = logging.getLogger(__name__)
_log.addHandler(logging.StreamHandler(sys.stdout))
_log.setLevel(logging.INFO)
_changed: dict[str, float] = {}  # for the benchmark alone: when a version's password was set


def handler(event: dict[str, Any], _: object) -> None:
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
    steps = {"createSecret": _create, "setSecret": _set, "testSecret": _test, "finishSecret": _finish}
    steps[step](service, arn, token)
    _log.info("%s: done for %s", step, arn)


def _create(service: Any, arn: str, token: str) -> None:
    secret = _value(service, arn, "AWSCURRENT")
    try:
        _value(service, arn, "AWSPENDING", token)
    except service.exceptions.ResourceNotFoundException:
        drawn = service.get_random_password(PasswordLength=32, ExcludeCharacters=":/@\"'\\")
        secret["password"] = drawn["RandomPassword"]
        service.put_secret_value(
            SecretId=arn, ClientRequestToken=token, SecretString=json.dumps(secret), VersionStages=["AWSPENDING"]
        )


def _set(service: Any, arn: str, token: str) -> None:
    with suppress(service.exceptions.ResourceNotFoundException):
        _value(service, arn, "AWSPREVIOUS")
    current = _value(service, arn, "AWSCURRENT")
    pending = _value(service, arn, "AWSPENDING", token)
    connection = _login(pending)
    if connection is not None:
        connection.close()
        return
    if (current["username"], current["host"]) != (pending["username"], pending["host"]):
        raise ValueError("AWSPENDING is for another user or host than AWSCURRENT")
    connection = _login(current)
    if connection is None:
        raise ValueError("unable to log in with AWSCURRENT")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(%s)", (pending["username"],))
            row = cursor.fetchone()
            name = str(row[0] if row else "")
            cursor.execute(f"ALTER USER {name} WITH PASSWORD %s".encode(), (pending["password"],))
            connection.commit()
            _changed[token] = time.monotonic()
    finally:
        connection.close()


def _test(service: Any, arn: str, token: str) -> None:
    connection = _login(_value(service, arn, "AWSPENDING", token))
    if connection is None:
        raise ValueError("unable to log in with AWSPENDING")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT NOW()")
            connection.commit()
    finally:
        connection.close()


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


def _value(service: Any, arn: str, label: str, token: str | None = None) -> dict[str, Any]:
    which = {"VersionId": token} if token else {}
    answer = service.get_secret_value(SecretId=arn, VersionStage=label, **which)
    secret: dict[str, Any] = json.loads(answer["SecretString"])
    for key in ("engine", "host", "username", "password"):
        if key not in secret:
            raise KeyError(f"{key} key is missing from secret JSON")
    return secret


def _login(secret: dict[str, Any]) -> psycopg.Connection[Any] | None:
    bundle = os.environ.get("ROTATORS_CA_BUNDLE")
    try:
        return psycopg.connect(
            host=secret["host"],
            port=int(secret.get("port", 5432)),
            user=secret["username"],
            password=secret["password"],
            dbname=secret.get("dbname", "postgres"),
            connect_timeout=5,
            cursor_factory=ClientCursor,
            sslmode="verify-full" if bundle else "disable",
            sslrootcert=bundle,
        )
    except psycopg.OperationalError:
        return None
