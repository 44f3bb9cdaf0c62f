"""Reads that lag behind writes, as an eventually consistent service may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing import SecretsManager
from tests.testing.conftest import A, B, refused

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def client(sm: SecretsManager) -> Any:
    made = sm.client()
    made.create_secret(Name="app", SecretString="v1", ClientRequestToken=A)
    return made


def seen(client: Any) -> list[str]:
    return sorted(client.describe_secret(SecretId="app")["VersionIdsToStages"])


def test_a_write_is_seen_after_so_many_reads(sm: SecretsManager, client: Any) -> None:
    sm.lag_reads = 3
    client.put_secret_value(SecretId="app", SecretString="v2", ClientRequestToken=B)
    assert [seen(client) for _ in range(5)] == [[A]] * 3 + [[A, B]] * 2
    assert sm.labels("app") == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}


@pytest.mark.parametrize(
    "read",
    [
        lambda client: client.describe_secret(SecretId="app")["VersionIdsToStages"][A],
        lambda client: client.get_secret_value(SecretId="app")["VersionId"],
        lambda client: [v["VersionId"] for v in client.list_secret_version_ids(SecretId="app")["Versions"]],
    ],
    ids=["DescribeSecret", "GetSecretValue", "ListSecretVersionIds"],
)
def test_every_read_lags(sm: SecretsManager, client: Any, read: Callable[[Any], Any]) -> None:
    before = read(client)
    sm.lag_reads = 1
    client.put_secret_value(SecretId="app", SecretString="v2", ClientRequestToken=B)
    assert read(client) == before
    assert read(client) != before


def test_writes_become_visible_one_after_the_other(sm: SecretsManager, client: Any) -> None:
    sm.lag_reads = 2
    client.put_secret_value(SecretId="app", SecretString="v2", ClientRequestToken=B, VersionStages=["AWSPENDING"])
    seen(client)
    client.update_secret_version_stage(
        SecretId="app", VersionStage="AWSCURRENT", MoveToVersionId=B, RemoveFromVersionId=A
    )
    assert [client.get_secret_value(SecretId="app")["SecretString"] for _ in range(3)] == ["v1", "v1", "v2"]


def test_the_value_under_a_late_label_is_missing(sm: SecretsManager, client: Any) -> None:
    sm.lag_reads = 1
    client.put_secret_value(SecretId="app", SecretString="v2", ClientRequestToken=B, VersionStages=["AWSPENDING"])
    with refused("ResourceNotFoundException"):
        client.get_secret_value(SecretId="app", VersionStage="AWSPENDING")
    assert client.get_secret_value(SecretId="app", VersionStage="AWSPENDING")["SecretString"] == "v2"


def test_writes_see_the_truth(sm: SecretsManager, client: Any) -> None:
    sm.lag_reads = 100
    client.put_secret_value(SecretId="app", SecretString="v2", ClientRequestToken=B, VersionStages=["AWSPENDING"])
    with refused("ResourceExistsException"):
        client.put_secret_value(SecretId="app", SecretString="other", ClientRequestToken=B)
    arn = sm.add_function("never", lambda *_: None)
    with refused("InvalidRequestException", "A previous rotation isn't complete. That rotation will be reattempted."):
        client.rotate_secret(SecretId="app", RotationLambdaARN=arn)
    client.update_secret_version_stage(
        SecretId="app", VersionStage="AWSCURRENT", MoveToVersionId=B, RemoveFromVersionId=A
    )
    assert seen(client) == [A]


def test_a_refused_write_makes_nothing_late(sm: SecretsManager, client: Any) -> None:
    sm.lag_reads = 100
    with refused("ResourceExistsException"):
        client.put_secret_value(SecretId="app", SecretString="other", ClientRequestToken=A)
    sm.lag_reads = 0
    client.put_secret_value(SecretId="app", SecretString="v2", ClientRequestToken=B)
    assert seen(client) == [A, B]


def test_a_write_is_seen_after_so_many_seconds() -> None:
    now = [1_800_000_000.0]
    sm = SecretsManager(clock=lambda: now[0], lag_seconds=2.0)
    client = sm.client()
    client.create_secret(Name="app", SecretString="v1", ClientRequestToken=A)
    client.put_secret_value(SecretId="app", SecretString="v2", ClientRequestToken=B)
    assert [seen(client) for _ in range(9)] == [[A]] * 9
    now[0] += 2
    assert seen(client) == [A, B]


def test_secrets_do_not_lag_for_each_other(sm: SecretsManager, client: Any) -> None:
    client.create_secret(Name="other", SecretString="v1")
    sm.lag_reads = 1
    client.put_secret_value(SecretId="app", SecretString="v2", ClientRequestToken=B)
    client.describe_secret(SecretId="other")
    assert seen(client) == [A]
    assert seen(client) == [A, B]


def test_switching_the_lag_off_ends_it_with_the_next_write(sm: SecretsManager, client: Any) -> None:
    sm.lag_reads = 100
    client.put_secret_value(SecretId="app", SecretString="v2", ClientRequestToken=B)
    sm.lag_reads = 0
    assert (sm.lag_reads, sm.lag_seconds) == (0, 0.0)
    assert seen(client) == [A]
    client.tag_resource(SecretId="app", Tags=[])
    assert seen(client) == [A, B]
