"""PutSecretValue and GetSecretValue, on ours and on moto. README.md explains the F and M numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.testing.conftest import A, B, C, D, refused

if TYPE_CHECKING:
    from tests.testing.conftest import Service

MISSING = "Secrets Manager can't find the specified secret value for "
NO_SECRET = "Secrets Manager can't find the specified secret."


def test_a_valueless_secret_has_no_labels_and_its_first_value_gets_awscurrent(service: Service) -> None:  # F15
    secret = service.secret(None)
    assert "VersionIdsToStages" not in service.client.describe_secret(SecretId=secret)
    assert service.put(secret, A, "v1") == ["AWSCURRENT"]


def test_the_first_value_gets_awscurrent_even_if_only_awspending_was_asked_for(service: Service) -> None:  # M17
    secret = service.secret(None)
    service.put(secret, A, "v1", "AWSPENDING")
    assert service.labels(secret) == {A: ["AWSCURRENT", "AWSPENDING"]}
    assert service.get(secret) == "v1"


def test_put_without_stages_moves_awscurrent_and_awsprevious(service: Service) -> None:
    secret = service.secret()
    service.put(secret, B, "v2")
    assert service.labels(secret) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}
    service.put(secret, C, "v3")
    assert service.labels(secret) == {B: ["AWSPREVIOUS"], C: ["AWSCURRENT"]}


def test_put_with_awscurrent_named_moves_awsprevious_too(service: Service) -> None:
    secret = service.secret()
    service.put(secret, B, "v2", "AWSCURRENT", "blue")
    assert service.labels(secret) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT", "blue"]}


@pytest.mark.parametrize("stages", [["AWSPENDING"], ["AWSCURRENT"], ["blue"]])
def test_the_same_token_and_value_again_changes_nothing(service: Service, stages: list[str]) -> None:
    secret = service.secret()
    service.put(secret, B, "v2", *stages)
    before = service.labels(secret)
    service.put(secret, B, "v2", *stages)
    assert service.labels(secret) == before


@pytest.mark.moto_gap("the labels of the second request are attached")
def test_the_same_token_and_value_again_ignores_other_labels(service: Service) -> None:
    secret = service.secret()
    service.put(secret, B, "v2", "AWSPENDING")
    assert service.put(secret, B, "v2") == ["AWSPENDING"]
    assert service.labels(secret) == {A: ["AWSCURRENT"], B: ["AWSPENDING"]}


def test_the_same_value_again_for_a_version_without_labels(ours: Service) -> None:
    secret = ours.secret()
    for version, value in ((B, "v2"), (C, "v3")):
        ours.put(secret, version, value)
    answer = ours.client.put_secret_value(SecretId=secret, ClientRequestToken=A, SecretString="v1")
    assert "VersionStages" not in answer
    assert ours.labels(secret) == {B: ["AWSPREVIOUS"], C: ["AWSCURRENT"]}


@pytest.mark.moto_gap("M4: a pending value is silently overwritten")
def test_the_same_token_and_another_value_is_refused_while_pending(service: Service) -> None:
    secret = service.secret()
    service.put(secret, B, "v2", "AWSPENDING")
    with refused("ResourceExistsException"):
        service.put(secret, B, "other", "AWSPENDING")
    assert service.get(secret, VersionId=B) == "v2"


@pytest.mark.parametrize("stage", ["AWSCURRENT", "blue"])
def test_the_same_token_and_another_value_is_refused(service: Service, stage: str) -> None:
    secret = service.secret()
    service.put(secret, B, "v2", stage)
    with refused("ResourceExistsException"):
        service.put(secret, B, "other", stage)
    assert service.get(secret, VersionId=B) == "v2"


def test_the_refusal_names_token_and_secret_but_no_value(ours: Service) -> None:
    secret = ours.secret("canary-one")
    text = (
        f"You can't use ClientRequestToken {A} because that value is already in use for a version of secret {secret}."
    )
    with refused("ResourceExistsException", text):
        ours.put(secret, A, "canary-two")


def test_text_and_bytes_of_the_same_value_differ(ours: Service) -> None:
    secret = ours.secret("v1")
    with refused("ResourceExistsException"):
        ours.client.put_secret_value(SecretId=secret, ClientRequestToken=A, SecretBinary=b"v1")


def test_awspending_leaves_a_version_that_is_current(service: Service) -> None:  # F9
    secret = service.secret()
    service.put(secret, B, "v2", "AWSPENDING")
    service.move(secret, "AWSCURRENT", to=B, of=A)
    service.put(secret, C, "v3", "AWSPENDING")
    assert service.labels(secret) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"], C: ["AWSPENDING"]}


@pytest.mark.moto_gap("AWSPENDING stays on the version that was current")
def test_awspending_vanishes_when_a_value_is_put_by_hand(service: Service) -> None:  # F10
    secret = service.secret()
    service.put(secret, B, "v2", "AWSPENDING")
    service.move(secret, "AWSCURRENT", to=B, of=A)
    service.put(secret, C, "v3")
    assert service.labels(secret) == {B: ["AWSPREVIOUS"], C: ["AWSCURRENT"]}


def test_awspending_named_with_awscurrent_stays(service: Service) -> None:
    secret = service.secret()
    service.put(secret, B, "v2", "AWSPENDING")
    service.put(secret, C, "v3", "AWSCURRENT", "AWSPENDING")
    assert service.labels(secret)[C] == ["AWSCURRENT", "AWSPENDING"]


@pytest.mark.moto_gap("a version that becomes AWSPREVIOUS loses its custom labels")
def test_custom_labels_survive_and_keep_a_version_readable(service: Service) -> None:  # F11
    secret = service.secret()
    service.move(secret, "AWSSOMETHING", to=A)
    for version, value in ((B, "v2"), (C, "v3")):
        service.put(secret, version, value)
    assert service.labels(secret) == {A: ["AWSSOMETHING"], B: ["AWSPREVIOUS"], C: ["AWSCURRENT"]}
    assert service.get(secret, VersionStage="AWSSOMETHING") == "v1"


def test_a_custom_label_used_again_moves(service: Service) -> None:  # F12
    secret = service.secret()
    service.put(secret, B, "v2", "blue")
    service.put(secret, C, "v3", "blue")
    assert service.labels(secret) == {A: ["AWSCURRENT"], C: ["blue"]}


def test_the_value_is_what_was_put(service: Service) -> None:
    for value in ("ü-密-🔑", '{"a": "\\u0000"}', "x" * 65536):
        secret = service.secret(value)
        assert service.get(secret) == value


def test_binary_values_come_back_as_bytes(service: Service) -> None:
    secret = service.client.create_secret(Name="binary", SecretBinary=b"\x00\xff\x01")["ARN"]
    answer = service.client.get_secret_value(SecretId=secret)
    assert answer["SecretBinary"] == b"\x00\xff\x01"
    assert "SecretString" not in answer


@pytest.mark.moto_gap("M15: no limit of its own")
@pytest.mark.parametrize(
    "value", [{"SecretString": "x" * 65537}, {"SecretString": "ü" * 32769}, {"SecretBinary": b"x" * 65537}]
)
def test_a_value_has_65536_bytes_at_most(service: Service, value: dict[str, str | bytes]) -> None:
    secret = service.secret()
    with refused("ValidationException") as _:
        service.client.put_secret_value(SecretId=secret, **value)


def test_a_value_that_is_too_long_is_not_repeated_in_the_error(ours: Service) -> None:
    text = "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536"
    with refused("ValidationException", text):
        ours.put(ours.secret(), B, "canary" * 20000)


@pytest.mark.parametrize("given", [{}, {"VersionStages": ["AWSPENDING"]}])
def test_put_needs_a_value(service: Service, given: dict[str, list[str]]) -> None:
    with refused("InvalidRequestException", "You must provide either SecretString or SecretBinary."):
        service.client.put_secret_value(SecretId=service.secret(), **given)


@pytest.mark.moto_gap("accepts both")
def test_put_takes_text_or_bytes_but_not_both(service: Service) -> None:
    with refused("InvalidParameterException"):
        service.client.put_secret_value(SecretId=service.secret(), SecretString="a", SecretBinary=b"a")


@pytest.mark.moto_gap("M15: accepts 21 labels")
def test_there_are_20_labels_at_most_in_one_request(service: Service) -> None:
    secret = service.secret()
    with refused("ValidationException"):
        service.put(secret, B, "v2", *(f"label-{n}" for n in range(21)))
    assert service.labels(secret) == {A: ["AWSCURRENT"]}


def test_there_are_20_labels_at_most_across_the_versions(ours: Service) -> None:
    secret = ours.secret()
    ours.put(secret, B, "v2", *(f"label-{n}" for n in range(19)))  # and AWSCURRENT
    with refused("LimitExceededException"):
        ours.put(secret, C, "v3", "one-more")
    with refused("LimitExceededException"):
        ours.move(secret, "one-more", to=A)
    assert C not in ours.labels(secret)
    ours.put(secret, D, "v4", "label-1")  # a label that moves is not one more


def test_put_by_name_by_arn_and_by_partial_arn(service: Service) -> None:
    secret = service.secret(name="team/app")
    service.put("team/app", B, "v2")
    service.put(secret[:-7], C, "v3")
    assert service.get(secret) == service.get("team/app") == service.get(secret[:-7]) == "v3"


def test_a_secret_whose_name_is_anothers_arn_suffix_is_found_by_its_full_arn(ours: Service) -> None:
    short = ours.secret("short", name="app")
    long = ours.secret("long", name="app-" + short[-6:])
    assert ours.get(short) == "short"
    assert ours.get(long) == "long"


@pytest.mark.parametrize("name", ["nobody", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:nobody-AbCdEf"])
def test_an_unknown_secret(service: Service, name: str) -> None:  # F8
    for call in (service.client.get_secret_value, service.client.describe_secret):
        with refused("ResourceNotFoundException", NO_SECRET):
            call(SecretId=name)
    with refused("ResourceNotFoundException", NO_SECRET):
        service.put(name, B, "v2")


@pytest.mark.moto_gap("a KeyError of its own")
def test_the_versions_of_an_unknown_secret(service: Service) -> None:
    with refused("ResourceNotFoundException", NO_SECRET):
        service.client.list_secret_version_ids(SecretId="nobody")


@pytest.mark.moto_gap("M12: a missing secret is HTTP 404")
def test_every_refusal_is_http_400(service: Service) -> None:
    with pytest.raises(ClientError) as caught:
        service.get("nobody")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.moto_gap("M12: reads as if the secret were missing")
@pytest.mark.parametrize("label", ["AWSPENDING", "AWSPREVIOUS"])
def test_an_absent_label(service: Service, label: str) -> None:  # F7
    with refused("ResourceNotFoundException", f"{MISSING}staging label: {label}"):
        service.get(service.secret(), VersionStage=label)


def test_a_secret_without_a_value(service: Service) -> None:  # F7
    with refused("ResourceNotFoundException", f"{MISSING}staging label: AWSCURRENT"):
        service.get(service.secret(None))


def test_an_unknown_version(service: Service) -> None:  # F7
    with refused("ResourceNotFoundException", f"{MISSING}VersionId: {B}"):
        service.get(service.secret(), VersionId=B)


def test_a_version_and_a_label_that_do_not_match(service: Service) -> None:  # F6
    secret = service.secret()
    service.put(secret, B, "v2")
    text = "You provided a VersionStage that is not associated to the provided VersionId."
    with refused("InvalidRequestException", text):
        service.get(secret, VersionId=B, VersionStage="AWSPREVIOUS")
    assert service.get(secret, VersionId=A, VersionStage="AWSPREVIOUS") == "v1"


def test_a_placeholder_has_no_value_under_its_label(ours: Service) -> None:
    secret = ours.secret()
    assert ours.own is not None
    ours.own.put_placeholder(secret, B)
    for which in ({"VersionStage": "AWSPENDING"}, {"VersionId": B}, {"VersionId": B, "VersionStage": "AWSPENDING"}):
        with refused("ResourceNotFoundException"):
            ours.get(secret, **which)
    assert ours.put(secret, B, "v2", "AWSPENDING") == ["AWSPENDING"]
    assert ours.get(secret, VersionStage="AWSPENDING") == "v2"


def test_a_version_without_labels_is_still_readable_by_its_id(service: Service) -> None:
    secret = service.secret()
    service.put(secret, B, "v2")
    service.put(secret, C, "v3")
    assert service.get(secret, VersionId=A) == "v1"


def test_the_answer_has_everything(service: Service) -> None:
    secret = service.secret("v1", name="whole")
    answer = service.client.get_secret_value(SecretId="whole")
    del answer["ResponseMetadata"]
    created = answer.pop("CreatedDate")
    assert created.timestamp() > 1.6e9
    assert answer == {
        "ARN": secret,
        "Name": "whole",
        "VersionId": A,
        "SecretString": "v1",
        "VersionStages": ["AWSCURRENT"],
    }
