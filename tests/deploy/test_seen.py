"""template.yaml: what is seen of the functions from outside, and whom they tell."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.cloudformation import Stack
from tests.deploy.sam import FUNCTIONS

TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"


def test_without_a_topic_nobody_is_told(stack: Stack) -> None:
    assert not stack.of_type("AWS::CloudWatch::Alarm")
    assert not stack.of_type("AWS::Events::Rule")


def test_each_functions_errors_are_an_alarm(expanded: dict[str, Any]) -> None:
    given = Stack(expanded, AlarmTopicArn=TOPIC, MakeRedisRotation="false")
    alarms = given.of_type("AWS::CloudWatch::Alarm")

    watched = {alarm["Dimensions"][0]["Value"]["Ref"] for alarm in alarms.values()}
    assert watched == FUNCTIONS.keys() - {"RedisRotation"}
    for alarm in alarms.values():
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("AWS/Lambda", "Errors", "Sum")
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmActions"] == [TOPIC]


def test_rotations_that_fail_or_are_given_up_are_told_of(expanded: dict[str, Any]) -> None:
    (rule,) = Stack(expanded, AlarmTopicArn=TOPIC).of_type("AWS::Events::Rule").values()

    assert rule["EventPattern"]["detail-type"] == ["AWS Service Event via CloudTrail"]
    assert rule["EventPattern"]["detail"]["eventName"] == ["RotationFailed", "RotationAbandoned"]
    assert [target["Arn"] for target in rule["Targets"]] == [TOPIC]


def test_a_new_current_value_is_told_of_where_it_is_asked_for(expanded: dict[str, Any]) -> None:
    (rule,) = Stack(expanded, SecretChangedTopicArn=TOPIC).of_type("AWS::Events::Rule").values()

    assert rule["EventPattern"] == {
        "source": ["aws.secretsmanager"],
        "detail-type": ["Secret Label Updated"],
        "detail": {"labelUpdated": ["AWSCURRENT"]},
    }
    assert [target["Arn"] for target in rule["Targets"]] == [TOPIC]


@pytest.mark.parametrize("key", ["", KEY])
def test_the_log_has_an_end_and_may_have_a_key(expanded: dict[str, Any], key: str) -> None:
    (group,) = Stack(expanded, LogRetentionDays="30", LogKmsKeyArn=key).of_type("AWS::Logs::LogGroup").values()

    expected = {"LogGroupName": "/rotators/rotators", "RetentionInDays": "30"}
    assert group == expected | ({"KmsKeyId": key} if key else {})


def test_a_boundary_and_a_reservation_are_there_only_when_they_are_given(
    expanded: dict[str, Any], stack: Stack
) -> None:
    given = Stack(expanded, PermissionsBoundary=BOUNDARY, ReservedConcurrency="2")

    for function in FUNCTIONS:
        assert given.of_type("AWS::IAM::Role")[f"{function}Role"]["PermissionsBoundary"] == BOUNDARY
        assert given.of_type("AWS::Lambda::Function")[function]["ReservedConcurrentExecutions"] == "2"
        assert "PermissionsBoundary" not in stack.of_type("AWS::IAM::Role")[f"{function}Role"]
        assert "ReservedConcurrentExecutions" not in stack.of_type("AWS::Lambda::Function")[function]
