"""A secret as a whole: created, described, updated, deleted, restored, tagged, found; and its policy."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing import SecretsManager
from tests.testing.conftest import A, B, refused

if TYPE_CHECKING:
    from tests.testing.conftest import Service

MARKED = "You can't perform this operation on the secret because it was marked for deletion."
DAY = 86400


def test_an_arn_ends_with_six_random_characters(ours: Service) -> None:
    prefix = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:team/app-"
    arn = ours.secret(name="team/app")
    assert arn.startswith(prefix)
    assert len(arn) == len(prefix) + 6


def test_the_description_holds_only_what_there_is(ours: Service) -> None:
    secret = ours.secret(name="bare")
    shown = ours.client.describe_secret(SecretId="bare")
    del shown["ResponseMetadata"]
    assert shown.pop("CreatedDate") == shown.pop("LastChangedDate")
    assert shown == {"ARN": secret, "Name": "bare", "VersionIdsToStages": {A: ["AWSCURRENT"]}}


def test_the_description_holds_everything(service: Service) -> None:
    tags = [{"Key": "rotators:strategy", "Value": "single"}, {"Key": "empty", "Value": ""}]
    service.client.create_secret(Name="full", SecretString="v", Description="what for", KmsKeyId="alias/own", Tags=tags)
    shown = service.client.describe_secret(SecretId="full")
    assert (shown["Description"], shown["KmsKeyId"], shown["Tags"]) == ("what for", "alias/own", tags)


def test_rotation_is_not_mentioned_until_it_is_configured(service: Service) -> None:
    shown = service.client.describe_secret(SecretId=service.secret())
    assert not {name for name in shown if "Rotat" in name}


def test_a_name_is_taken_once(service: Service) -> None:
    service.secret(name="app")
    with refused("ResourceExistsException", "The operation failed because the secret app already exists."):
        service.secret(name="app", token=B)


def test_the_same_creation_again_is_answered_again(service: Service) -> None:
    assert service.secret("v", A, "app") == service.secret("v", A, "app")


def test_the_same_creation_with_another_value_is_refused(service: Service) -> None:
    service.secret("v", A, "app")
    with refused("ResourceExistsException"):
        service.secret("other", A, "app")


def test_replicas_come_and_go(ours: Service) -> None:
    def regions() -> list[str]:
        return [
            replica["Region"] for replica in ours.client.describe_secret(SecretId="app").get("ReplicationStatus", [])
        ]

    made = ours.client.create_secret(Name="app", SecretString=A, AddReplicaRegions=[{"Region": "us-east-1"}])
    assert [replica["Status"] for replica in made["ReplicationStatus"]] == ["InSync"]
    answer = ours.client.replicate_secret_to_regions(SecretId="app", AddReplicaRegions=[{"Region": "eu-west-1"}])
    assert answer["ARN"] == made["ARN"]
    assert regions() == ["eu-west-1", "us-east-1"]
    assert ours.client.describe_secret(SecretId="app")["PrimaryRegion"] == made["ARN"].split(":")[3]
    with refused("InvalidRequestException"):
        ours.client.delete_secret(SecretId="app")
    ours.client.remove_regions_from_replication(SecretId="app", RemoveReplicaRegions=["eu-west-1", "us-east-1"])
    assert regions() == []
    ours.client.delete_secret(SecretId="app")


def test_replicas_that_can_not_be(ours: Service) -> None:
    arn = ours.client.create_secret(Name="app", AddReplicaRegions=[{"Region": "us-east-1"}])["ARN"]
    for region in ("us-east-1", arn.split(":")[3]):
        with refused("InvalidParameterException"):
            ours.client.replicate_secret_to_regions(
                SecretId="app", AddReplicaRegions=[{"Region": "eu-west-1"}, {"Region": region}]
            )
    with refused("InvalidParameterException"):
        ours.client.create_secret(Name="other", AddReplicaRegions=[{"Region": arn.split(":")[3]}])
    with refused("ResourceNotFoundException"):
        ours.client.describe_secret(SecretId="other")
    with refused("InvalidParameterException"):
        ours.client.remove_regions_from_replication(SecretId="app", RemoveReplicaRegions=["eu-west-1"])
    assert len(ours.client.describe_secret(SecretId="app")["ReplicationStatus"]) == 1


@pytest.mark.parametrize(
    "principal, condition, passes",
    [
        ("*", None, False),
        ({"AWS": "*"}, None, False),
        ({"AWS": ["*"]}, None, False),
        ("*", {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, True),
        ({"AWS": "arn:aws:iam::123456789012:role/app"}, None, True),
    ],
)
def test_a_policy_is_validated(ours: Service, principal: object, condition: object, passes: bool) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}
    answer = ours.client.validate_resource_policy(ResourcePolicy=json.dumps(policy))
    assert answer["PolicyValidationPassed"] is passes
    assert bool(answer["ValidationErrors"]) is not passes


def test_a_policy_that_is_none_is_not_validated(ours: Service) -> None:
    with refused("MalformedPolicyDocumentException"):
        ours.client.validate_resource_policy(ResourcePolicy="[]")


@pytest.mark.moto_gap("accepts any name")
@pytest.mark.parametrize("name", ["a b", "ü", "a*", "a:b"])
def test_a_name_that_is_not_allowed(service: Service, name: str) -> None:
    text = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
    with refused("ValidationException", text):
        service.secret(name=name)


def test_update_makes_a_new_current_version(service: Service) -> None:
    secret = service.secret()
    service.client.update_secret(SecretId=secret, SecretString="v2", ClientRequestToken=B)
    assert service.labels(secret) == {A: ["AWSPREVIOUS"], B: ["AWSCURRENT"]}


def test_update_without_a_value_makes_no_version(ours: Service) -> None:
    secret = ours.secret()
    answer = ours.client.update_secret(SecretId=secret, Description="new", KmsKeyId="alias/own")
    assert "VersionId" not in answer
    assert ours.labels(secret) == {A: ["AWSCURRENT"]}
    shown = ours.client.describe_secret(SecretId=secret)
    assert (shown["Description"], shown["KmsKeyId"]) == ("new", "alias/own")


@pytest.mark.parametrize("value", ["v1", "other"])
def test_update_never_accepts_a_token_that_was_used(ours: Service, value: str) -> None:
    with refused("ResourceExistsException"):
        ours.client.update_secret(SecretId=ours.secret("v1"), SecretString=value, ClientRequestToken=A)


def test_tags_are_added_replaced_and_removed(service: Service) -> None:
    secret = service.secret()
    service.client.tag_resource(SecretId=secret, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    service.client.tag_resource(SecretId=secret, Tags=[{"Key": "a", "Value": "3"}])
    service.client.untag_resource(SecretId=secret, TagKeys=["b", "never"])
    assert service.client.describe_secret(SecretId=secret)["Tags"] == [{"Key": "a", "Value": "3"}]


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("get_secret_value", {}),
    ("put_secret_value", {"SecretString": "v"}),
    ("update_secret", {"Description": "d"}),
    ("update_secret_version_stage", {"VersionStage": "x", "MoveToVersionId": A}),
    ("rotate_secret", {}),
    ("cancel_rotate_secret", {}),
    ("tag_resource", {"Tags": []}),
    ("untag_resource", {"TagKeys": []}),
    ("put_resource_policy", {"ResourcePolicy": "{}"}),
    ("get_resource_policy", {}),
]


@pytest.mark.parametrize(("operation", "more"), CHANGES, ids=[name for name, _ in CHANGES])
def test_a_secret_marked_for_deletion_is_out_of_use(ours: Service, operation: str, more: dict[str, Any]) -> None:  # F16
    secret = ours.secret()
    ours.client.delete_secret(SecretId=secret)
    with refused("InvalidRequestException", MARKED):
        getattr(ours.client, operation)(SecretId=secret, **more)


@pytest.mark.moto_gap("M15: a secret marked for deletion takes values")
def test_a_secret_marked_for_deletion_takes_no_value(service: Service) -> None:
    secret = service.secret()
    service.client.delete_secret(SecretId=secret)
    with refused("InvalidRequestException", MARKED):
        service.put(secret, B, "v2")


def test_a_secret_marked_for_deletion_is_described_and_restored(service: Service) -> None:  # F16
    secret = service.secret()
    service.client.delete_secret(SecretId=secret)
    assert "DeletedDate" in service.client.describe_secret(SecretId=secret)
    service.client.restore_secret(SecretId=secret)
    assert "DeletedDate" not in service.client.describe_secret(SecretId=secret)
    assert service.get(secret) == "v1"


def test_a_name_is_not_free_before_the_window_is_over() -> None:
    now = [1_800_000_000.0]
    client = SecretsManager(clock=lambda: now[0]).client()
    client.create_secret(Name="app")
    deletion = client.delete_secret(SecretId="app", RecoveryWindowInDays=7)["DeletionDate"]
    assert deletion == datetime.fromtimestamp(now[0] + 7 * DAY, UTC)
    text = "You can't create this secret because a secret with this name is already scheduled for deletion."
    with refused("InvalidRequestException", text):
        client.create_secret(Name="app")
    with refused("InvalidRequestException"):
        client.delete_secret(SecretId="app")
    now[0] += 7 * DAY
    with refused("ResourceNotFoundException"):
        client.describe_secret(SecretId="app")
    client.create_secret(Name="app")


def test_the_window_is_thirty_days_unless_told_otherwise() -> None:
    client = SecretsManager(clock=lambda: 1_800_000_000.0).client()
    client.create_secret(Name="app")
    expected = datetime.fromtimestamp(1_800_000_000 + 30 * DAY, UTC)
    assert client.delete_secret(SecretId="app")["DeletionDate"] == expected
    assert client.describe_secret(SecretId="app")["DeletedDate"] == expected


def test_deletion_by_force_is_at_once_and_never_fails(service: Service) -> None:
    secret = service.secret(name="app")
    for _ in range(2):
        service.client.delete_secret(SecretId="app", ForceDeleteWithoutRecovery=True)
    with refused("ResourceNotFoundException"):
        service.client.describe_secret(SecretId="app")
    assert service.secret(name="app") != secret


@pytest.mark.parametrize("days", [0, 6, 31])
def test_the_window_is_between_7_and_30_days(service: Service, days: int) -> None:
    with refused("InvalidParameterException"):
        service.client.delete_secret(SecretId=service.secret(), RecoveryWindowInDays=days)


def test_force_and_a_window_exclude_each_other(service: Service) -> None:
    with refused("InvalidParameterException"):
        service.client.delete_secret(SecretId=service.secret(), RecoveryWindowInDays=7, ForceDeleteWithoutRecovery=True)


def test_dates() -> None:
    now = [1_800_000_000.25]
    client = SecretsManager(clock=lambda: now[0]).client()
    client.create_secret(Name="app", SecretString="v1", ClientRequestToken=A)
    now[0] += 100_000
    client.put_secret_value(SecretId="app", SecretString="v2")
    shown = client.describe_secret(SecretId="app")
    assert shown["CreatedDate"].timestamp() == 1_800_000_000.25
    assert shown["LastChangedDate"].timestamp() == now[0]
    assert "LastAccessedDate" not in shown
    assert client.get_secret_value(SecretId="app")["CreatedDate"].timestamp() == now[0]
    assert client.get_secret_value(SecretId="app", VersionId=A)["CreatedDate"].timestamp() == 1_800_000_000.25
    accessed = client.describe_secret(SecretId="app")["LastAccessedDate"].timestamp()
    assert accessed == now[0] - now[0] % DAY
    listed = client.list_secret_version_ids(SecretId="app")["Versions"]
    assert {v["LastAccessedDate"].timestamp() for v in listed} == {accessed}


def test_a_placeholder_is_created_when_it_gets_its_value() -> None:
    now = [1_800_000_000.0]
    sm = SecretsManager(clock=lambda: now[0])
    client = sm.client()
    client.create_secret(Name="app", SecretString="v1", ClientRequestToken=A)
    sm.put_placeholder("app", B)
    now[0] += 60
    client.put_secret_value(SecretId="app", SecretString="v2", ClientRequestToken=B, VersionStages=["AWSPENDING"])
    assert client.get_secret_value(SecretId="app", VersionId=B)["CreatedDate"].timestamp() == now[0]


POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


def test_a_policy_comes_back_as_it_was_put(service: Service) -> None:
    secret = service.secret()
    service.client.put_resource_policy(SecretId=secret, ResourcePolicy=POLICY)
    assert service.client.get_resource_policy(SecretId=secret)["ResourcePolicy"] == POLICY
    service.client.delete_resource_policy(SecretId=secret)
    assert "ResourcePolicy" not in service.client.get_resource_policy(SecretId=secret)


@pytest.mark.moto_gap("M15: accepts garbage")
@pytest.mark.parametrize("policy", ["garbage", "[]", "{}"])
def test_a_policy_that_is_none(service: Service, policy: str) -> None:
    with refused("MalformedPolicyDocumentException"):
        service.client.put_resource_policy(SecretId=service.secret(), ResourcePolicy=policy)


def test_there_is_only_the_default_policy(ours: Service) -> None:
    """The SDKs don't know the parameter yet in all versions, so it is sent as it is."""
    assert ours.own is not None
    body = json.dumps({"SecretId": ours.secret(), "ResourcePolicy": POLICY, "PolicyName": "other"}).encode()
    status, answer = ours.own.respond("secretsmanager.PutResourcePolicy", body)
    assert (status, json.loads(answer)["__type"]) == (400, "InvalidParameterException")


@pytest.fixture
def many(ours: Service) -> Any:
    for n in range(5):
        ours.client.create_secret(
            Name=f"app/{n}",
            SecretString=str(n),
            Description=f"Number {n} of FIVE",
            Tags=[{"Key": "env", "Value": f"e{n}"}],
        )
    ours.client.create_secret(Name="other", SecretString="x")
    return ours.client


def listed(client: Any, **request: Any) -> list[str]:
    return [entry["Name"] for entry in client.list_secrets(**request)["SecretList"]]


FILTERS: list[tuple[str, list[str], list[str]]] = [
    ("name", ["app/"], ["app/0", "app/1", "app/2", "app/3", "app/4"]),
    ("name", ["APP/"], []),
    ("name", ["app/1", "oth"], ["app/1", "other"]),
    ("name", ["!app"], ["other"]),
    ("tag-key", ["en"], ["app/0", "app/1", "app/2", "app/3", "app/4"]),
    ("tag-value", ["e3"], ["app/3"]),
    ("description", ["number 4"], ["app/4"]),
    ("all", ["five 2"], ["app/2"]),
    ("primary-region", ["us-"], []),
    ("owning-service", ["rds"], []),
]


@pytest.mark.parametrize(("key", "values", "expected"), FILTERS)
def test_secrets_are_found(many: Any, key: str, values: list[str], expected: list[str]) -> None:
    assert listed(many, Filters=[{"Key": key, "Values": values}]) == expected


def test_filters_must_all_match(many: Any) -> None:
    both = [{"Key": "name", "Values": ["app/"]}, {"Key": "tag-value", "Values": ["e1", "e2"]}]
    assert listed(many, Filters=both) == ["app/1", "app/2"]


def test_secrets_are_listed_in_order_and_in_pages(many: Any) -> None:
    many.put_secret_value(SecretId="app/0", SecretString="later")
    many.get_secret_value(SecretId="app/3")
    assert listed(many, SortBy="name", SortOrder="desc")[0] == "other"
    assert listed(many, SortBy="last-changed-date")[-1] == "app/0"
    assert listed(many, SortBy="last-accessed-date")[-1] == "app/3"
    pages = list(many.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 4}))
    assert [len(page["SecretList"]) for page in pages] == [4, 2]
    entry = pages[0]["SecretList"][1]
    assert list(entry["SecretVersionsToStages"].values()) == [["AWSCURRENT"]]


def test_secrets_marked_for_deletion_are_listed_only_if_asked_for(many: Any) -> None:
    many.delete_secret(SecretId="other")
    assert "other" not in listed(many)
    assert "other" in listed(many, IncludePlannedDeletion=True)


def test_values_in_a_batch(many: Any) -> None:
    answer = many.batch_get_secret_value(SecretIdList=["app/1", "nobody", "app/2"])
    assert [value["SecretString"] for value in answer["SecretValues"]] == ["1", "2"]
    assert answer["Errors"] == [
        {
            "SecretId": "nobody",
            "ErrorCode": "ResourceNotFoundException",
            "Message": "Secrets Manager can't find the specified secret.",
        }
    ]
    found = many.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["app/"]}], MaxResults=3)
    assert len(found["SecretValues"]) == 3
    assert "NextToken" in found


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"SecretIdList": ["a"], "Filters": [{"Key": "name", "Values": ["a"]}]},
        {"SecretIdList": ["a"], "MaxResults": 3},
    ],
)
def test_a_batch_is_by_names_or_by_filters(ours: Service, request_: dict[str, Any]) -> None:
    with refused("InvalidParameterException"):
        ours.client.batch_get_secret_value(**request_)
