"""The secret itself: what AWS says of it, and what its value and tags say."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from tests.diagnosis.beforehand.conftest import answer, deny, make, put

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rotators.testing import SecretsManager
    from tests.diagnosis.beforehand.conftest import Found

    Checks = Callable[..., Found]

VALUE = {
    "engine": "postgres",
    "host": "127.0.0.1",
    "port": 9,
    "username": "app",
    "password": "Canary-4711",
    "ssl": False,
}
ROLE = "arn:aws:iam::123456789012:role/rotation"


def test_nothing_is_wrong_with_the_secret_itself(service: SecretsManager, check: Checks) -> None:
    found = check(put(service, VALUE))
    for name in ("secret", "owner", "pending", "resource policy", "encryption", "value", "strategy", "password"):
        assert found[name] == ["passed"], name
    for name in ("function", "permission", "network", "schedule"):
        assert found[name] == ["not asked"], name
    assert "--function ARN" in found.text("function")


def test_deleted(service: SecretsManager, check: Checks) -> None:
    arn = put(service, VALUE)
    service.client().delete_secret(SecretId=arn)
    found = check(arn)
    assert found.failed == {"secret"}
    assert "restore-secret --secret-id shop/app" in found.text("secret")
    assert found["value"] == found["server"] == ["not asked"]


def test_a_replica(service: SecretsManager, check: Checks) -> None:
    answer(service, "DescribeSecret", PrimaryRegion="us-east-1")
    found = check(put(service, VALUE))
    assert "us-east-1" in found.text("secret", "failed")


@pytest.mark.parametrize(
    "fields",
    [
        {"OwningService": "rds"},
        {"Tags": [{"Key": "aws:rds:primaryDBInstanceArn", "Value": "arn:aws:rds:eu-central-1:1:db:main"}]},
    ],
)
def test_owned_by_a_service(service: SecretsManager, check: Checks, fields: Any) -> None:
    arn = put(service, VALUE)
    answer(service, "DescribeSecret", **fields)
    assert "service rds" in check(arn).text("owner", "failed")


def test_an_earlier_rotation_waits(service: SecretsManager, check: Checks) -> None:
    arn = put(service, VALUE)
    service.put_placeholder(arn, "1" * 32)
    assert "1" * 32 in check(arn).text("pending", "failed")


def test_a_key_of_ones_own(service: SecretsManager, check: Checks) -> None:
    arn = service.client().create_secret(Name="k", SecretString=json.dumps(VALUE), KmsKeyId="alias/ours")["ARN"]
    assert "kms:Decrypt and kms:GenerateDataKey" in check(arn).text("encryption", "warning")


def statement(**more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*", **more}


POLICIES: list[tuple[dict[str, Any], str]] = [
    (statement(), "failed"),
    (statement(Effect="Allow"), "passed"),
    (statement(Action="secretsmanager:DeleteSecret"), "passed"),
    (statement(Action=["secretsmanager:Put*"]), "failed"),
    (statement(Principal={"AWS": ROLE}), "failed"),
    (statement(Principal={"AWS": [ROLE, "arn:aws:iam::123456789012:role/other"]}), "failed"),
    (statement(Principal={"AWS": "arn:aws:iam::123456789012:role/other"}), "passed"),
    (statement(Principal={"AWS": "123456789012"}), "failed"),
    (statement(Principal={"AWS": "arn:aws:iam::123456789012:root"}), "failed"),
    ({"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:role/other"}, "Action": "*"}, "failed"),
    ({"Effect": "Deny", "Principal": "*", "NotAction": "secretsmanager:*", "Resource": "*"}, "passed"),
    ({"Effect": "Deny", "Principal": "*", "NotAction": "secretsmanager:Get*", "Resource": "*"}, "failed"),
    (statement(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}), "warning"),
]


@pytest.mark.parametrize(("policy", "said"), POLICIES, ids=[str(number) for number in range(len(POLICIES))])
def test_a_resource_policy(
    service: SecretsManager, check: Checks, policy: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    arn = put(service, VALUE)
    service.client().put_resource_policy(
        SecretId=arn, ResourcePolicy=json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    )
    with mock_aws(config={"lambda": {"use_docker": False}}):
        found = check(arn, "--function", make(boto3.client("lambda"), role="rotation"))
    assert set(found["resource policy"]) == {said}, found.text("resource policy")


def test_who_asks_is_known_by_the_session_of_its_role() -> None:
    from rotators.diagnosis.beforehand.policy import statements

    (one,) = statements(
        json.dumps({"Statement": statement(Principal={"AWS": "arn:aws:iam::123456789012:role/ops/me"})})
    )
    assert one.denies("arn:aws:sts::123456789012:assumed-role/me/session", "secretsmanager:GetSecretValue")
    assert not one.denies("arn:aws:sts::123456789012:assumed-role/you/session", "secretsmanager:GetSecretValue")
    assert not one.denies("arn:aws:sts::999999999999:assumed-role/me/session", "secretsmanager:GetSecretValue")


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Canary in one string", "has no keys"),
        ({"password": "Canary"}, "'engine'"),
        ({**VALUE, "engine": "oracle-Canary"}, "'engine'"),
        ({**VALUE, "host": ""}, "'host'"),
        ({**VALUE, "port": "x-Canary"}, "'port'"),
        ({**VALUE, "username": None}, "'username'"),
        ({**VALUE, "ssl": "Canary"}, "'ssl'"),
        ({key: VALUE[key] for key in VALUE if key != "password"}, "'password'"),
    ],
)
def test_a_value_that_is_wrong_is_named_by_its_key(
    service: SecretsManager, check: Checks, value: Any, names: str
) -> None:
    found = check(put(service, value))
    assert names in found.text("value", "failed")
    assert found["strategy"] == found["server"] == ["not asked"]


def test_no_value_yet(service: SecretsManager, check: Checks) -> None:
    arn = service.client().create_secret(Name="empty")["ARN"]
    assert "put-secret-value" in check(arn).text("value", "failed")


@pytest.mark.parametrize(
    ("tags", "line", "said", "words"),
    [
        ({"strategy": "duble"}, "strategy", "failed", "strategy"),
        ({"strategy": "alternating"}, "strategy", "failed", "masterarn"),
        ({"discard_old": "yes"}, "strategy", "failed", "discard-old"),
        ({"stratgy": "single"}, "strategy", "warning", "rotators:stratgy"),
        ({"password_length": "no"}, "password", "failed", "password-length"),
        ({"password_length": "3"}, "password", "failed", "3 characters"),
        ({"password_length": "10"}, "password", "warning", "guessed"),
        ({"exclude_characters": ""}, "password", "warning", "URLs"),
        ({"exclude_characters": "0123456789"}, "password", "failed", "all numbers"),
    ],
)
def test_tags(service: SecretsManager, check: Checks, tags: dict[str, str], line: str, said: str, words: str) -> None:
    assert words in check(put(service, VALUE, **tags)).text(line, said)


@pytest.mark.parametrize("shown", ["password-of-64", "password-of-3"])
def test_what_is_said_of_passwords_is_what_the_service_does(service: SecretsManager, shown: str) -> None:
    """GetRandomPassword itself refuses what the check calls impossible."""
    from rotators import SecretStore
    from rotators.errors import ConfigurationError
    from rotators.passwords import PasswordPolicy

    policy = PasswordPolicy(length=int(shown.rpartition("-")[2]))
    if policy.length > 3:
        assert len(SecretStore(service.client()).random_password(policy)) == policy.length
    else:
        with pytest.raises(ConfigurationError):
            SecretStore(service.client()).random_password(policy)


def test_the_functions_variables_decide(
    service: SecretsManager, check: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not those of the operator's own shell."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("PASSWORD_LENGTH", "64")
    arn = put(service, VALUE)
    assert "64 characters" in check(arn).text("password")
    with mock_aws(config={"lambda": {"use_docker": False}}):
        function = make(boto3.client("lambda"), ROTATORS_STRATEGY="alternating", ROTATORS_CA_BUNDLE="/none")
        found = check(arn, "--function", function)
        assert "masterarn" in found.text("strategy", "failed")
        function = make(boto3.client("lambda"), PASSWORD_LENGTH="40")
        assert "40 characters" in check(arn, "--function", function).text("password", "passed")
        function = make(boto3.client("lambda"))
        assert "32 characters" in check(arn, "--function", function).text("password", "passed")
    import os

    assert os.environ["PASSWORD_LENGTH"] == "64"


def test_a_rotator_of_ones_own(
    service: SecretsManager, check: Checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"own_{uuid.uuid4().hex}"
    (tmp_path / f"{module}.py").write_text(
        "from rotators import CredentialRejected, Rotator\n\n\nclass Own(Rotator):\n    def set(self, rotation): ...\n\n"
        "    def test(self, secret):\n        if secret.text == 'Canary-2': raise CredentialRejected('no')\n"
        "        if secret.text == 'Canary-3': raise ValueError(secret.text)\n\n\nhandler = Own()\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["", *__import__("sys").path])
    handler = ("--handler", f"{module}.handler")
    assert check(put(service, "Canary-1", name="1"), *handler)["current"] == ["passed"]
    assert check(put(service, "Canary-2", name="2"), *handler).failed == {"current"}
    found = check(put(service, "Canary-3", name="3"), *handler)
    assert "ValueError" in found.text("server", "failed") + found.text("current", "failed")
    assert check(put(service, "Canary-4", name="4"), "--handler", f"{module}.nobody").failed == {"value"}


def test_what_is_denied_is_not_a_failure(service: SecretsManager, check: Checks) -> None:
    arn = put(service, VALUE)
    deny(service, "GetSecretValue")
    deny(service, "GetResourcePolicy")
    found = check(arn)
    assert found.code == 0
    assert "you may not do secretsmanager:GetSecretValue" in found.text("value", "not asked")
    assert "secretsmanager:GetResourcePolicy" in found.text("resource policy", "not asked")
    assert found["server"] == ["not asked"]


def test_refused(service: SecretsManager, check: Checks) -> None:
    missing = check("nobody")
    assert missing.code == 2
    assert "there is no secret nobody in eu-central-1" in missing.err
    arn = put(service, VALUE)
    assert check(arn, "--duration", "2h").code == 2
    assert check(arn, "--schedule", "rate(4 hours)", "--duration", "two").code == 2
    assert check("shop/app", "--region", "us-east-1").code == 2
    deny(service, "DescribeSecret")
    denied = check(arn)
    assert denied.code == 2
    assert "secretsmanager:DescribeSecret" in denied.err


@pytest.mark.parametrize(
    ("schedule", "said", "words"),
    [
        (["rate(30 days)"], "passed", "the first rotation by"),
        (["cron(0 3 1 * ? *)", "--duration", "2h"], "passed", "03:00|05:00"),
        (["cron(30 3 1 * ? *)"], "failed", "minute must be 0"),
        (["rate(2 hours)"], "failed", "four hours"),
        (["rate(4 hours)", "--duration", "5"], "failed", "window"),
        (["cron(0 0 31 2 ? *)"], "failed", "never comes"),
        (["tomorrow"], "failed", "must read"),
    ],
)
def test_a_schedule(service: SecretsManager, check: Checks, schedule: list[str], said: str, words: str) -> None:
    found = check(put(service, VALUE), "--schedule", *schedule)
    assert found["schedule"] == [said]
    assert any(word in found.text("schedule") for word in words.split("|"))


def test_for_people(service: SecretsManager, check: Checks, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = put(service, {**VALUE, "username": "a\x1b[2Jb"}, strategy="alternating")
    found = check(arn, form="")
    assert "failed     strategy" in found.out
    assert "nothing was changed" in found.out
    assert "\x1b" not in found.out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    coloured = check(arn, form="").out
    assert "\x1b[31mfailed" in coloured
    assert "\x1b[2J" not in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in check(arn, form="").out


def test_only_questions_can_be_put(service: SecretsManager) -> None:
    from rotators.diagnosis.beforehand.asking import AskingStore, ask

    arn = put(service, VALUE)
    store = AskingStore(service.client())
    with pytest.raises(RuntimeError, match="update_secret_version_stage"):
        store.move_current(store.describe(arn), "1" * 32)
    with pytest.raises(RuntimeError, match="delete_secret"):
        ask(service.client(), "delete_secret", SecretId=arn)
    assert service.count("DeleteSecret") == 0
