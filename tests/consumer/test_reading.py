"""get_secret: what it returns, and what each failure of the service becomes."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    NoCredentialsError,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)

from rotators import ConfigurationError, SecretError
from rotators.consumer import (
    AccessDenied,
    KeyRefused,
    SecretDeleted,
    SecretNotFound,
    SecretUnreadable,
    ServiceUnavailable,
    Throttled,
    get_secret,
)
from rotators.testing import Endpoint, SecretsManager

if TYPE_CHECKING:
    from tests.consumer.conftest import Versions

CANARY = "Canary-9d1f"


def test_values_of_all_three_kinds_by_version_and_by_label(versions: Versions) -> None:
    first = get_secret("app", client=versions.client)
    second = versions.put("two")
    assert (first["key"], first.stages, first.secret_id) == ("one-Canary-1", ("AWSCURRENT",), versions.arn)
    assert get_secret("app", client=versions.client).version == second != first.version
    assert get_secret("app", version=first.version, client=versions.client) == first
    assert get_secret("app", stage="AWSPREVIOUS", client=versions.client).version == first.version
    versions.client.create_secret(Name="plain", SecretString="just text")
    versions.client.create_secret(Name="binary", SecretBinary=b"\x00\xff")
    plain = get_secret("plain", client=versions.client)
    assert (plain.text, get_secret("binary", client=versions.client).data) == ("just text", b"\x00\xff")
    with pytest.raises(SecretError, match="not JSON"):
        plain["password"]
    assert "Canary" not in f"{first!r} {first}"


class Refusing:
    """A client that answers with one error; counts the asking."""

    def __init__(self, error: Exception) -> None:
        self.error, self.asked = error, 0

    def get_secret_value(self, **_: Any) -> Any:
        self.asked += 1
        raise self.error


def answered(code: str, text: str = "", status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetSecretValue")


@pytest.mark.parametrize(
    ("error", "kind", "said", "asked"),
    [
        (answered("AccessDeniedException", "User is not authorized"), AccessDenied, "GetSecretValue", 1),
        (answered("AccessDeniedException", "Access to KMS is not allowed"), KeyRefused, "kms:Decrypt", 1),
        (answered("DecryptionFailure", CANARY), KeyRefused, "enabled", 1),
        (answered("ExpiredTokenException"), AccessDenied, "expired", 1),
        (answered("ThrottlingException"), Throttled, "cache", 4),
        (answered("InternalServiceError", status=500), ServiceUnavailable, "again and again", 4),
        (answered("", status=503), ServiceUnavailable, "503", 4),
        (ReadTimeoutError(endpoint_url="http://x"), ServiceUnavailable, "interface endpoint", 4),
        (ConnectTimeoutError(endpoint_url="http://x"), ServiceUnavailable, "interface endpoint", 4),
        (OSError("no route"), ServiceUnavailable, "interface endpoint", 4),
        (NoCredentialsError(), ConfigurationError, "AWS_REGION", 1),
        (UnauthorizedSSOTokenError(), ConfigurationError, "log in again", 1),
        (CredentialRetrievalError(provider="p", error_msg=CANARY), ConfigurationError, "give the process a role", 1),
        (answered("KMSAccessDeniedException"), KeyRefused, "kms:Decrypt", 1),
        (answered("InvalidRequestException", "something"), SecretUnreadable, "InvalidRequestException", 1),
        (RuntimeError(CANARY), ServiceUnavailable, "RuntimeError", 1),
    ],
)
def test_each_failure_is_named_with_its_fix(
    error: Exception, kind: type[Exception], said: str, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rotators.calls.PAUSES", (0.0, 0.0, 0.0, None))
    client = Refusing(error)
    with pytest.raises(kind, match=said) as raised:
        get_secret("app", client=client)
    assert type(raised.value) is kind
    assert client.asked == asked
    assert raised.value.__context__ is None
    assert CANARY not in str(raised.value)


def test_what_the_service_itself_says_of_missing_and_deleted(versions: Versions) -> None:
    for arguments, said in (
        ({"secret_id": "other"}, "no secret other in this account and eu-central-1"),
        ({"secret_id": "app", "stage": "AWSPENDING"}, "app has no version labelled AWSPENDING"),
        ({"secret_id": "app", "version": "0" * 32}, f"app has no version {'0' * 32}"),
        ({"secret_id": ""}, "check their form"),
    ):
        with pytest.raises(SecretNotFound, match=said):
            get_secret(**arguments, client=versions.client)
    versions.client.delete_secret(SecretId="app")
    with pytest.raises(SecretDeleted, match="restore-secret"):
        get_secret("app", client=versions.client)


def test_a_version_without_that_label(versions: Versions) -> None:
    first = get_secret("app", client=versions.client).version
    versions.put("two")
    assert get_secret("app", version=first, stage="AWSPREVIOUS", client=versions.client).version == first
    with pytest.raises(SecretNotFound, match=f"version {first} labelled AWSCURRENT"):
        get_secret("app", version=first, stage="AWSCURRENT", client=versions.client)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_makes_a_client_of_its_own() -> None:
    """Or it would read, on its parent's connection, what the parent asked for."""
    code = """if True:
        import os, sys
        from rotators.consumer import reading
        from rotators.deadline import current
        parents = reading._own().get(current())
        assert reading._own().get(current()) is parents
        child = os.fork()
        if child == 0:
            os._exit(reading._own().get(current()) is parents)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_over_http_by_a_client_of_its_own_and_silent_at_debug(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service = SecretsManager()
    service.client().create_secret(Name="app", SecretString=json.dumps({"key": CANARY}))
    caplog.set_level(logging.DEBUG)
    boto3.set_stream_logger("", logging.DEBUG)
    with Endpoint(service) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
        assert get_secret("app")["key"] == CANARY
    assert CANARY not in caplog.text


@pytest.mark.parametrize("statement", ["import rotators.consumer", "from rotators.consumer import *"])
def test_an_import_loads_nothing_heavy(statement: str) -> None:
    names = [
        "boto3",
        "botocore",
        "aws_lambda_powertools",
        "psycopg",
        "pymysql",
        "sqlalchemy",
        "requests",
        "httpx",
        "urllib3",
    ]
    made = "CachedSecret('app')" if "*" in statement else ""
    code = f"{statement}\nimport sys\n{made}\nprint([m for m in {names!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_resolves() -> None:
    import rotators.consumer

    assert [name for name in rotators.consumer.__all__ if getattr(rotators.consumer, name) is None] == []
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = rotators.consumer.Nonsense
