"""template.yaml: who may call each function, and what it may do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.deploy.cloudformation import Stack
from tests.deploy.sam import DATABASES, FUNCTIONS, ROOT

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:rotators-"
SECRETS = "arn:aws:secretsmanager:us-east-1:123456789012:secret:*"
LOG = json.dumps({"Fn::GetAtt": ["RotationLogs", "Arn"]})
RDS = "arn:aws:rds:us-east-1:123456789012"
MASTER = "arn:aws:secretsmanager:us-east-1:123456789012:secret:admin-AbCdEf"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
each_function = pytest.mark.parametrize("function", FUNCTIONS)


def grants(stack: Stack, function: str, effect: str = "Allow") -> set[tuple[str, str, str]]:
    """Each action allowed to a function (or denied), on what, and on which condition."""
    found: set[tuple[str, str, str]] = set()
    for statement in stack.statements(f"{function}Role"):
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert statement["Effect"] in {"Allow", "Deny"}
        actions, on = statement["Action"], statement["Resource"]
        found |= {
            (
                action,
                resource if isinstance(resource, str) else json.dumps(resource),
                json.dumps(statement.get("Condition")),
            )
            for action in ([actions] if isinstance(actions, str) else actions)
            for resource in (on if isinstance(on, list) else [on])
            if statement["Effect"] == effect
        }
    return found


def rotation_grants(function: str, *, secrets: str = SECRETS, group: str = "") -> set[tuple[str, str, str]]:
    ours = {"secretsmanager:resource/AllowRotationLambdaArn": FUNCTION + FUNCTIONS[function]}
    on = json.dumps({"StringEquals": ours | ({"aws:ResourceTag/rotators:group": group} if group else {})})
    calls = ("DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage", "ListSecretVersionIds")
    return {(f"secretsmanager:{call}", secrets, on) for call in calls} | {
        ("secretsmanager:GetRandomPassword", "*", "null"),
        ("logs:CreateLogStream", LOG, "null"),
        ("logs:PutLogEvents", LOG, "null"),
    }


@each_function
def test_only_secrets_manager_of_this_account_may_call(stack: Stack, function: str) -> None:
    permissions = stack.of_type("AWS::Lambda::Permission")

    assert len(permissions) == len(FUNCTIONS)
    assert permissions[f"{function}Permission"] == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": function},
        "Principal": "secretsmanager.amazonaws.com",
        "SourceAccount": "123456789012",
    }


@each_function
def test_the_role_may_do_what_a_rotation_needs_and_no_more(stack: Stack, function: str) -> None:
    assert grants(stack, function) == rotation_grants(function)


@each_function
def test_the_admins_secrets_and_the_keys_are_allowed_by_name_when_they_are_given(
    expanded: dict[str, Any], function: str
) -> None:
    given = Stack(expanded, MasterSecretArn=f"{MASTER},{MASTER}2", KmsKeyArn=f"{KEY},{KEY}2")
    via = {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}
    context = "kms:EncryptionContext:SecretARN"
    through = json.dumps({"StringEquals": via, "StringLike": {context: SECRETS}})
    admins = json.dumps({"StringEquals": {**via, context: [MASTER, f"{MASTER}2"]}})

    database = function in DATABASES
    assert grants(given, function) - rotation_grants(function) == {
        *(
            (f"secretsmanager:{call}", admin, "null")
            for call in ("GetSecretValue", "DescribeSecret")[: 2 if database else 1]
            for admin in (MASTER, f"{MASTER}2")
        ),
        *(
            (f"rds:Describe{kind}s", f"{RDS}:{on}:*", "null")
            for kind in ("DBInstance", "DBCluster")
            if database
            for on in ("db", "cluster")
        ),
        *((f"kms:{call}", key, through) for call in ("Decrypt", "GenerateDataKey") for key in (KEY, f"{KEY}2")),
        *(("kms:Decrypt", key, admins) for key in (KEY, f"{KEY}2")),
    }


@each_function
def test_without_admins_secrets_the_keys_open_only_this_accounts_secrets(
    expanded: dict[str, Any], function: str
) -> None:
    key = [
        json.loads(on) for call, _, on in grants(Stack(expanded, KmsKeyArn=KEY), function) if call.startswith("kms:")
    ]

    assert [on["StringLike"] for on in key] == [{"kms:EncryptionContext:SecretARN": SECRETS}] * 2


@each_function
def test_a_prefix_and_a_group_leave_only_the_secrets_that_have_them(expanded: dict[str, Any], function: str) -> None:
    """The keys open the same names; what a key's condition knows of a secret is its ARN alone."""
    given = Stack(expanded, SecretNamePrefix="shop/", SecretGroup="shop", KmsKeyArn=KEY)
    shops = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/*"
    via = {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}
    through = json.dumps({"StringEquals": via, "StringLike": {"kms:EncryptionContext:SecretARN": shops}})

    assert grants(given, function) == rotation_grants(function, secrets=shops, group="shop") | {
        (f"kms:{call}", KEY, through) for call in ("Decrypt", "GenerateDataKey")
    }


@pytest.mark.parametrize("parameter", ["SecretNamePrefix", "SecretGroup"])
def test_what_narrows_holds_nothing_that_widens(expanded: dict[str, Any], parameter: str) -> None:
    pattern = re.compile(expanded["Parameters"][parameter]["AllowedPattern"])

    assert pattern.match("shop/a_b+c=d.e@f-1")
    for wide in ("*", "shop*", "sh?p", "${aws:username}"):
        assert not pattern.match(wide)


NETWORK = {
    f"ec2:{call}"
    for call in (
        *("CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets"),
        *("AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"),
    )
}


@each_function
def test_network_interfaces_are_lambdas_to_make_and_in_a_vpc_alone(
    expanded: dict[str, Any], stack: Stack, function: str
) -> None:
    inside = Stack(expanded, VpcSubnetIds="subnet-1", VpcSecurityGroupIds="sg-1")
    itself = json.dumps({"ArnLike": {"lambda:SourceFunctionArn": f"{FUNCTION}*"}})

    assert grants(inside, function) - rotation_grants(function) == {(call, "*", "null") for call in NETWORK}
    assert grants(inside, function, "Deny") == {(call, "*", itself) for call in NETWORK}
    assert grants(stack, function, "Deny") == set()
    assert not [action for action, *_ in grants(stack, function) if action.startswith("ec2:")]


@each_function
def test_a_role_is_lambdas_alone_and_has_no_policy_but_ours(expanded: dict[str, Any], function: str) -> None:
    """Those of AWS's own would let it write to every log group, and make network interfaces without a VPC."""
    everything = Stack(
        expanded, MasterSecretArn=MASTER, KmsKeyArn=KEY, IamUsers=USERS[0], CacheUsers=CACHES[0], VpcSubnetIds="s"
    )
    role = everything.of_type("AWS::IAM::Role")[f"{function}Role"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert everything.of_type("AWS::Lambda::Function")[function]["Role"] == {"Fn::GetAtt": [f"{function}Role", "Arn"]}
    assert trust == {
        "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"
    }  # fmt: skip
    assert {arn["Ref"] for arn in role["ManagedPolicyArns"]} <= everything.of_type("AWS::IAM::ManagedPolicy").keys()
    assert everything.of_type("AWS::IAM::Role").keys() == {f"{name}Role" for name in FUNCTIONS}


USERS = ("arn:aws:iam::123456789012:user/relay", "arn:aws:iam::123456789012:user/rotated/*")
CACHES = (
    "arn:aws:elasticache:us-east-1:123456789012:user:app",
    "arn:aws:memorydb:us-east-1:123456789012:user/app",
)


def test_the_access_keys_of_the_users_that_are_named_are_one_functions_to_change(expanded: dict[str, Any]) -> None:
    given = Stack(expanded, IamUsers=",".join(USERS))
    calls = {f"{verb}AccessKey" for verb in ("Create", "Update", "Delete")}
    calls |= {"ListAccessKeys", "GetAccessKeyLastUsed", "ListUserTags", "TagUser", "UntagUser"}

    own = grants(given, "AccessKeyRotation") - rotation_grants("AccessKeyRotation")
    assert own == {(f"iam:{call}", user, "null") for call in calls for user in USERS}
    for function in FUNCTIONS.keys() - {"AccessKeyRotation"}:
        assert grants(given, function) == rotation_grants(function)


def test_it_is_what_the_guide_asks_for(expanded: dict[str, Any]) -> None:
    (policy,) = re.findall(r"```json\n(\{\s+\"Version\".*?)```", (ROOT / "docs/iam.md").read_text(), re.DOTALL)
    (statement,) = json.loads(policy)["Statement"]
    given = grants(Stack(expanded, IamUsers=USERS[0]), "AccessKeyRotation") - rotation_grants("AccessKeyRotation")

    assert {(action, statement["Resource"], "null") for action in statement["Action"]} == given


def test_the_cache_users_that_are_named_are_one_functions_to_change(expanded: dict[str, Any]) -> None:
    given = Stack(expanded, CacheUsers=",".join(CACHES))
    calls = {
        f"elasticache:{call}" for call in ("DescribeUsers", "ModifyUser", "ListTagsForResource", "AddTagsToResource")
    }
    calls |= {f"memorydb:{call}" for call in ("DescribeUsers", "UpdateUser", "ListTags", "TagResource")}

    own = grants(given, "CacheUserRotation") - rotation_grants("CacheUserRotation")
    assert own == {(call, user, "null") for call in calls for user in CACHES}
    for function in FUNCTIONS.keys() - {"CacheUserRotation"}:
        assert grants(given, function) == rotation_grants(function)


@pytest.mark.parametrize("parameter", ["IamUsers", "CacheUsers", "MasterSecretArn", "KmsKeyArn"])
def test_nothing_is_named_by_wildcards_alone(expanded: dict[str, Any], parameter: str) -> None:
    pattern = re.compile(expanded["Parameters"][parameter]["AllowedPattern"])

    assert pattern.match("")
    for everything in ("*", "arn:aws:iam::123456789012:user/*", "arn:aws:iam::123456789012:*", "arn:aws:elasticache:*"):
        assert not pattern.match(everything)
    for one in (*USERS, *CACHES, MASTER, KEY):
        assert not pattern.match(f"{one[:-8]}????????")


@each_function
def test_a_function_that_is_not_wanted_is_not_made(expanded: dict[str, Any], function: str) -> None:
    """Nor its role, nor anything that names it; and every other one is."""
    given = Stack(expanded, **{f"Make{function}": "false"})

    assert not [name for name in given.resources if name.startswith(function)]
    assert function not in json.dumps(given.resources) + json.dumps(given.outputs)
    assert len(given.of_type("AWS::Lambda::Function")) == len(FUNCTIONS) - 1
    assert len(given.outputs) == 2 * (len(FUNCTIONS) - 1)
