"""The view of a secret that holds an access key."""

from __future__ import annotations

from typing import Any

import pytest

from rotators import Secret, SecretError
from rotators.engines.iam import AccessKeyRotator
from rotators.engines.iam.access_key import AccessKey, ids, issued
from rotators.engines.iam.smtp import smtp_password

CANARY = "canary-51b2"
GOOD = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}


@pytest.mark.parametrize(
    "change, said",
    [
        ({"access_key_id": None}, "'access_key_id' in the secret is not an access key's id"),
        ({"access_key_id": 7}, "'access_key_id'"),
        ({"access_key_id": f"{CANARY} {CANARY}"}, "'access_key_id'"),
        ({"access_key_id": "ASIAIOSFODNN7EXAMPLE"}, "a temporary one, of a role's session"),
        ({"secret_access_key": None}, "'secret_access_key' in the secret is missing"),
        ({"secret_access_key": ""}, "'secret_access_key'"),
        ({"secret_access_key": [CANARY]}, "'secret_access_key'"),
        ({"secret_access_key": f"{CANARY}\n"}, "'secret_access_key'"),
        ({"secret_access_key": f"{CANARY} {CANARY}"}, "'secret_access_key'"),
        ({"secret_access_key": f"{CANARY}é"}, "'secret_access_key'"),
        ({"username": f"/{CANARY}/relay"}, "'username' in the secret is not the name of an IAM user"),
        ({"user_name": 7}, "'user_name'"),
        ({"username": "relay", "UserName": CANARY}, "'username' and 'UserName' in the secret differ"),
        ({"AccessKeyId": "AKIAI44QH8DHBEXAMPLE"}, "'access_key_id' and 'AccessKeyId' in the secret differ"),
        ({"secret_key": CANARY}, "'access_key_id' and 'access_key' in the secret differ"),
    ],
)
def test_a_malformed_value_is_named_by_its_key(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SecretError) as caught:
        AccessKey.of(Secret({**GOOD, **change}))
    assert said in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("value", [{}, {"username": "relay", "password": CANARY}, "plain", b"bytes"])
def test_a_secret_without_a_key(value: Any) -> None:
    with pytest.raises(SecretError) as caught:
        AccessKey.of(Secret(value))
    assert CANARY not in str(caught.value)
    assert ids(Secret(value)) == frozenset()


def test_the_view() -> None:
    key = AccessKey.of(Secret({**GOOD, "username": "relay"}))
    assert (key.id, key.secret, key.user) == (*GOOD.values(), "relay")
    assert ids(Secret(GOOD)) == {GOOD["access_key_id"]}


#: Source: terraform-provider-aws, internal/service/iam, TestSESSMTPPasswordFromSecretKeySigV4.
@pytest.mark.parametrize(
    "region, key, expected",
    [("eu-central-1", "some+secret+key", "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2")],
)
def test_ses_smtp_passwords(region: str, key: str, expected: str) -> None:
    assert smtp_password(key, region) == expected


def test_an_smtp_password_by_terraforms_name() -> None:
    like = Secret({**GOOD, "ses_smtp_password_v4": "", "aws_region": "eu-central-1", "SMTP_USERNAME": ""})
    fresh = issued(like, AccessKey("AKIAI44QH8DHBEXAMPLE", "some+secret+key"))
    assert list(fresh) == list(like)
    assert fresh["ses_smtp_password_v4"] == "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2"
    assert fresh["SMTP_USERNAME"] == "AKIAI44QH8DHBEXAMPLE"


def test_the_handler() -> None:
    from rotators.handlers import iam

    assert isinstance(iam.handler, AccessKeyRotator)
    assert iam.handler.facts()["engine"] == "iam"
