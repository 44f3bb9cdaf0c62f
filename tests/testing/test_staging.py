"""UpdateSecretVersionStage and ListSecretVersionIds, on ours and on moto."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rotators.testing import SecretsManager
from tests.testing.conftest import A, B, C, refused, token

if TYPE_CHECKING:
    from tests.testing.conftest import Service


@pytest.fixture
def rotated(service: Service) -> str:
    """A secret with a pending version B beside A."""
    secret = service.secret()
    service.put(secret, B, "v2", "AWSPENDING")
    return secret


def test_moving_awscurrent_moves_awsprevious_and_leaves_awspending(service: Service, rotated: str) -> None:  # F4
    moved = service.move(rotated, "AWSCURRENT", to=B, of=A)
    del moved["ResponseMetadata"]
    assert set(moved) == {"ARN", "Name"}
    assert service.labels(rotated) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT", "AWSPENDING"]}


@pytest.mark.moto_gap("M1: the default version is not moved")
def test_a_plain_read_follows_awscurrent_at_once(service: Service, rotated: str) -> None:  # F5
    service.move(rotated, "AWSCURRENT", to=B, of=A)
    answer = service.client.get_secret_value(SecretId=rotated)
    assert answer["SecretString"] == "v2"
    assert answer["VersionStages"] == ["AWSCURRENT", "AWSPENDING"]


def test_rolling_back(service: Service) -> None:
    secret = service.secret()
    service.put(secret, B, "v2")
    service.move(secret, "AWSCURRENT", to=A, of=B)
    assert service.labels(secret) == {A: ["AWSCURRENT"], B: ["AWSPREVIOUS"]}


def test_moving_awscurrent_needs_the_version_it_is_on(service: Service, rotated: str) -> None:
    text = (
        "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version "
        f"{A}, so you must explicitly reference that version in RemoveFromVersionId."
    )
    with refused("InvalidParameterException", text):
        service.move(rotated, "AWSCURRENT", to=B)
    assert service.labels(rotated) == {A: ["AWSCURRENT"], B: ["AWSPENDING"]}


@pytest.mark.moto_gap("M13: the label ends up on both versions")
def test_moving_any_label_needs_the_version_it_is_on(service: Service, rotated: str) -> None:
    with refused("InvalidParameterException"):
        service.move(rotated, "AWSPENDING", to=A)
    assert service.labels(rotated) == {A: ["AWSCURRENT"], B: ["AWSPENDING"]}


def test_the_version_named_must_have_the_label(service: Service, rotated: str) -> None:
    with refused("InvalidParameterException"):
        service.move(rotated, "AWSCURRENT", to=B, of=B)
    with refused("InvalidParameterException"):
        service.move(rotated, "AWSPENDING", of=A)
    assert service.labels(rotated) == {A: ["AWSCURRENT"], B: ["AWSPENDING"]}


@pytest.mark.moto_gap("M13: the label is removed before the target is checked")
def test_an_unknown_target_changes_nothing(service: Service, rotated: str) -> None:
    with refused("ResourceNotFoundException"):
        service.move(rotated, "AWSCURRENT", to=C, of=A)
    assert service.labels(rotated) == {A: ["AWSCURRENT"], B: ["AWSPENDING"]}


@pytest.mark.moto_gap("M13: AWSPREVIOUS is lost")
def test_moving_a_label_to_where_it_is_changes_nothing(service: Service, rotated: str) -> None:
    service.move(rotated, "AWSCURRENT", to=B, of=A)
    service.move(rotated, "AWSCURRENT", to=B, of=B)
    service.move(rotated, "AWSCURRENT", to=B)
    assert service.labels(rotated) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT", "AWSPENDING"]}


def test_a_move_replayed_is_refused_because_the_label_is_gone(service: Service, rotated: str) -> None:
    service.move(rotated, "AWSCURRENT", to=B, of=A)
    with refused("InvalidParameterException"):
        service.move(rotated, "AWSCURRENT", to=B, of=A)
    assert service.labels(rotated) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT", "AWSPENDING"]}


def test_a_label_is_removed(service: Service, rotated: str) -> None:  # F13
    service.move(rotated, "AWSCURRENT", to=B, of=A)
    service.move(rotated, "AWSPENDING", of=B)
    assert service.labels(rotated) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}


@pytest.mark.moto_gap("AWSCURRENT can be removed")
def test_awscurrent_is_never_removed(service: Service, rotated: str) -> None:
    text = "You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed."
    with refused("InvalidParameterException", text):
        service.move(rotated, "AWSCURRENT", of=A)


def test_nothing_to_do_is_refused(ours: Service) -> None:
    with refused("InvalidParameterException"):
        ours.move(ours.secret(), "AWSCURRENT")


@pytest.mark.moto_gap("M14: versions without labels stay in the description")
def test_a_version_without_labels_is_not_described(service: Service) -> None:  # F12
    secret = service.secret()
    service.put(secret, B, "v2")
    service.put(secret, C, "v3")
    assert set(service.client.describe_secret(SecretId=secret)["VersionIdsToStages"]) == {B, C}


@pytest.mark.moto_gap("M14: versions without labels are listed")
def test_a_version_without_labels_is_listed_only_if_asked_for(service: Service) -> None:  # F12
    secret = service.secret()
    service.put(secret, B, "v2")
    service.put(secret, C, "v3")
    listed = service.client.list_secret_version_ids(SecretId=secret)["Versions"]
    assert {v["VersionId"]: v["VersionStages"] for v in listed} == {B: ["AWSPREVIOUS"], C: ["AWSCURRENT"]}
    listed = service.client.list_secret_version_ids(SecretId=secret, IncludeDeprecated=True)["Versions"]
    assert [v["VersionId"] for v in listed if "VersionStages" not in v] == [A]


@pytest.mark.moto_gap("M14: ARN is the name")
def test_a_list_names_the_secret(service: Service) -> None:
    secret = service.secret(name="listed")
    listed = service.client.list_secret_version_ids(SecretId="listed")
    assert (listed["ARN"], listed["Name"]) == (secret, "listed")
    assert listed["Versions"][0]["KmsKeyIds"] == ["DefaultEncryptionKey"]


def test_versions_without_a_value_are_described_but_not_listed(ours: Service) -> None:
    secret = ours.secret()
    assert ours.own is not None
    ours.own.put_placeholder(secret, B)
    assert ours.labels(secret) == {A: ["AWSCURRENT"], B: ["AWSPENDING"]}
    listed = ours.client.list_secret_version_ids(SecretId=secret, IncludeDeprecated=True)["Versions"]
    assert [v["VersionId"] for v in listed] == [A]


def test_a_list_comes_in_pages(ours: Service) -> None:
    secret = ours.secret()
    versions = [A] + [token(f"{n:x}") for n in range(7)]
    for version in versions[1:]:
        ours.put(secret, version, "v", f"label-{version[:1]}")
    pages = [ours.client.list_secret_version_ids(SecretId=secret, MaxResults=3)]
    while "NextToken" in pages[-1]:
        pages.append(
            ours.client.list_secret_version_ids(SecretId=secret, MaxResults=3, NextToken=pages[-1]["NextToken"])
        )
    assert [len(page["Versions"]) for page in pages] == [3, 3, 2]
    assert [v["VersionId"] for page in pages for v in page["Versions"]] == versions


@pytest.mark.parametrize("bad", ["nonsense", "Kjox", "TGlzdFNlY3JldHM6MQ=="])
def test_a_next_token_that_was_not_given_out(ours: Service, bad: str) -> None:
    with refused("InvalidNextTokenException"):
        ours.client.list_secret_version_ids(SecretId=ours.secret(), NextToken=bad)


def test_old_versions_without_labels_go_when_there_are_more_than_a_hundred() -> None:
    now = [1_800_000_000.0]
    sm = SecretsManager(clock=lambda: now[0])
    client = sm.client()
    client.create_secret(Name="busy", SecretString="v", ClientRequestToken=A)
    client.update_secret_version_stage(SecretId="busy", VersionStage="keep", MoveToVersionId=A)
    for n in range(120):
        client.put_secret_value(SecretId="busy", SecretString=f"v{n}")
    assert len(sm.labels("busy", unlabelled=True)) == 121  # none is a day old
    now[0] += 24 * 3600
    client.put_secret_value(SecretId="busy", SecretString="last")
    left = sm.labels("busy", unlabelled=True)
    assert len(left) == 100
    assert left[A] == ["keep"]  # the oldest, but labelled
    assert sorted(label for labels in left.values() for label in labels) == ["AWSCURRENT", "AWSPREVIOUS", "keep"]
