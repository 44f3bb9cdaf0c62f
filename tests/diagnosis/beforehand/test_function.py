"""The function and its network, as moto's Lambda and EC2 have them: another author's idea of AWS."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.diagnosis.beforehand.conftest import make, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.testing import SecretsManager
    from tests.diagnosis.beforehand.conftest import Found

    Checks = Callable[..., Found]

VALUE = {"engine": "mysql", "host": "127.0.0.1", "port": 3399, "username": "a", "password": "Canary-1", "ssl": False}
SERVICE = "secretsmanager.amazonaws.com"
OURS = "com.amazonaws.eu-central-1.secretsmanager"


def permit(client: Any, function: str, **more: Any) -> None:
    client.add_permission(
        FunctionName=function, StatementId=uuid.uuid4().hex, Action="lambda:InvokeFunction",
        **{"Principal": SERVICE, "SourceAccount": "123456789012", **more},
    )  # fmt: skip


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield boto3.client("lambda")


@pytest.fixture
def arn(service: SecretsManager) -> str:
    return put(service, VALUE)


def test_a_function_that_can_rotate(functions: Any, arn: str, check: Checks) -> None:
    function = make(functions)
    permit(functions, function)
    found = check(arn, "--function", function)
    assert found["function"] == found["permission"] == ["passed"]
    assert "Timeout 30 s" in found.text("function")


def test_the_one_that_the_secret_names(functions: Any, service: SecretsManager, check: Checks) -> None:
    arn = put(service, VALUE)
    function = make(functions)
    service.account.find(arn).rotation_function = function
    assert check(arn)["function"] == ["passed"]


def test_a_function_that_is_not_there(functions: Any, arn: str, check: Checks) -> None:
    found = check(arn, "--function", "arn:aws:lambda:eu-central-1:123456789012:function:nobody")
    assert "there is no function" in found.text("function", "failed")
    assert found["permission"] == found["network"] == ["not asked"]


def test_a_function_of_another_region(functions: Any, arn: str, check: Checks) -> None:
    there = boto3.client("lambda", region_name="us-east-1")
    function = make(there)
    found = check(arn, "--function", function)
    assert found["function"] == ["failed"]


@pytest.mark.parametrize(
    ("timeout", "said"), [(3, "failed"), (9, "failed"), (10, "warning"), (29, "warning"), (30, "passed")]
)
def test_its_time(functions: Any, arn: str, check: Checks, timeout: int, said: str) -> None:
    found = check(arn, "--function", make(functions, timeout=timeout))
    assert found["function"] == [said]
    assert said == "passed" or "--timeout 30" in found.text("function")


PERMISSIONS: list[tuple[dict[str, Any] | None, str, str]] = [
    (None, "failed", "no resource policy"),
    ({}, "passed", "123456789012"),
    ({"SourceAccount": "999999999999"}, "failed", "only where"),
    ({"Principal": "events.amazonaws.com"}, "failed", "does not let"),
    ({"Action": "lambda:GetFunction"}, "failed", "does not let"),
    ({"SourceAccount": None}, "warning", "any account"),
    (
        {"SourceAccount": None, "SourceArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/*"},
        "passed",
        "",
    ),
    (
        {"SourceAccount": None, "SourceArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:other"},
        "failed",
        "",
    ),
]


@pytest.mark.parametrize(("permission", "said", "words"), PERMISSIONS, ids=[str(one[0]) for one in PERMISSIONS])
def test_who_may_invoke_it(
    functions: Any, arn: str, check: Checks, permission: dict[str, Any] | None, said: str, words: str
) -> None:
    function = make(functions)
    if permission is not None:
        more = {"SourceAccount": "123456789012", **permission}
        functions.add_permission(
            FunctionName=function, StatementId="one",
            **{"Action": "lambda:InvokeFunction", "Principal": SERVICE, **{k: v for k, v in more.items() if v}},
        )  # fmt: skip
    found = check(arn, "--function", function)
    assert found["permission"] == [said], found.text("permission")
    assert words in found.text("permission")
    assert said != "failed" or "aws lambda add-permission" in found.text("permission")


def test_the_remedy_helps(functions: Any, arn: str, check: Checks) -> None:
    import shlex

    function = make(functions)
    found = check(arn, "--function", function)
    remedy = shlex.split(found.text("permission").partition("→ ")[2])
    assert remedy[:3] == ["aws", "lambda", "add-permission"]
    options = {k.removeprefix("--"): v for k, v in zip(remedy[3::2], remedy[4::2], strict=True)}
    functions.add_permission(**{"".join(part.capitalize() for part in k.split("-")): v for k, v in options.items()})
    assert check(arn, "--function", function)["permission"] == ["passed"]


@pytest.mark.parametrize(
    ("operation", "line", "action"),
    [
        ("GetFunctionConfiguration", "function", "lambda:GetFunctionConfiguration"),
        ("GetPolicy", "permission", "lambda:GetPolicy"),
        ("DescribeVpcEndpoints", "network", "ec2:DescribeVpcEndpoints"),
        ("DescribeRouteTables", "network", "ec2:DescribeRouteTables"),
        ("DescribeSecurityGroups", "network", "ec2:DescribeSecurityGroups"),
    ],
)
def test_what_is_denied_is_not_asked(
    functions: Any, network: Network, arn: str, check: Checks, monkeypatch: pytest.MonkeyPatch,
    operation: str, line: str, action: str,
) -> None:  # fmt: skip
    function = make(functions, vpc=network.config)
    permit(functions, function)
    real: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: Any, name: str, parameters: Any) -> Any:
        if name == operation:
            code = "AccessDeniedException" if action.startswith("lambda") else "UnauthorizedOperation"
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, name)
        return real(self, name, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    found = check(arn, "--function", function)
    assert "not asked" in found[line]
    assert f"needs {action}" in found.text(line, "not asked")


class Network:
    """A VPC with one subnet, whose routes and groups a test makes."""

    def __init__(self) -> None:
        self.ec2 = boto3.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        self.group = self.ec2.create_security_group(GroupName="f", Description="f", VpcId=self.vpc)["GroupId"]

    @property
    def config(self) -> dict[str, Any]:
        return {"SubnetIds": [self.subnet], "SecurityGroupIds": [self.group]}

    def endpoint(self, **more: Any) -> None:
        self.ec2.create_vpc_endpoint(
            VpcId=self.vpc, VpcEndpointType="Interface", SubnetIds=[self.subnet],
            **{"ServiceName": OURS, "PrivateDnsEnabled": True, **more},
        )  # fmt: skip

    def route(self, *, main: bool = False, **by: str) -> None:
        if main:
            tables = self.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["RouteTables"]
            table = tables[0]["RouteTableId"]
        else:
            table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=self.subnet)
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **by)

    def nat(self) -> str:
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        made: str = self.ec2.create_nat_gateway(SubnetId=self.subnet, AllocationId=address)["NatGateway"][
            "NatGatewayId"
        ]
        return made

    def gateway(self) -> str:
        made: str = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=self.vpc)
        return made

    def only_out(self, *ports: int) -> None:
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        self.ec2.revoke_security_group_egress(GroupId=self.group, IpPermissions=everything)
        for port in ports:
            rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
            self.ec2.authorize_security_group_egress(GroupId=self.group, IpPermissions=[rule])


@pytest.fixture
def network(functions: Any, monkeypatch: pytest.MonkeyPatch) -> Network:
    made = Network()
    real: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: Any, name: str, parameters: Any) -> Any:
        told = real(self, name, parameters)
        if name == "GetFunctionConfiguration" and told.get("VpcConfig"):
            told["VpcConfig"]["VpcId"] = made.vpc  # of every function moto says the same one
        return told

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return made


def test_no_way_to_secrets_manager(functions: Any, network: Network, arn: str, check: Checks) -> None:
    found = check(arn, "--function", make(functions, vpc=network.config))
    assert network.subnet in found.text("network", "failed")
    assert "aws ec2 create-vpc-endpoint" in found.text("network", "failed")


def test_an_endpoint(functions: Any, network: Network, arn: str, check: Checks) -> None:
    network.endpoint()
    found = check(arn, "--function", make(functions, vpc=network.config))
    assert set(found["network"]) == {"passed"}
    assert "interface endpoint" in found.text("network")


def test_the_endpoint_of_another_service(functions: Any, network: Network, arn: str, check: Checks) -> None:
    network.endpoint(ServiceName="com.amazonaws.eu-central-1.sqs")
    assert "failed" in check(arn, "--function", make(functions, vpc=network.config))["network"]


def test_an_endpoint_without_private_names(functions: Any, network: Network, arn: str, check: Checks) -> None:
    network.endpoint(PrivateDnsEnabled=False)
    found = check(arn, "--function", make(functions, vpc=network.config))
    assert "without private DNS" in found.text("network", "failed")


@pytest.mark.parametrize("main", [False, True])
def test_a_nat_gateway(functions: Any, network: Network, arn: str, check: Checks, main: bool) -> None:
    network.route(NatGatewayId=network.nat(), main=main)
    found = check(arn, "--function", make(functions, vpc=network.config))
    assert "by a NAT gateway" in found.text("network", "passed")


def test_an_internet_gateway_is_none(functions: Any, network: Network, arn: str, check: Checks) -> None:
    """A function has no public address, so that gateway leads nowhere."""
    network.route(GatewayId=network.gateway())
    assert "failed" in check(arn, "--function", make(functions, vpc=network.config))["network"]


@pytest.mark.parametrize(
    ("ports", "closed"), [((), "443 and 3399"), ((443,), "3399"), ((3399,), "443"), ((443, 3399), "")]
)
def test_the_ports_that_are_let_out(
    functions: Any, network: Network, arn: str, check: Checks, ports: tuple[int, ...], closed: str
) -> None:
    network.endpoint()
    network.only_out(*ports)
    found = check(arn, "--function", make(functions, vpc=network.config))
    assert bool(closed) == ("failed" in found["network"])
    assert not closed or f"to port {closed} →" in found.text("network", "failed")


def test_a_private_database_and_a_function_without_a_network(functions: Any, arn: str, check: Checks) -> None:
    found = check(arn, "--function", make(functions))
    assert "127.0.0.1 has the private address" in found.text("network", "warning")
