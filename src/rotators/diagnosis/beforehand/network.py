"""
Whether the function's network leads to Secrets Manager and to the database, as far as EC2 says.

A function in a VPC has no public address: it reaches Secrets Manager by an interface endpoint, or by a NAT gateway. Source:
Secrets Manager user guide, "Using an AWS Secrets Manager VPC endpoint"; Lambda developer guide, "VPC networking".
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rotators.addresses import addresses
from rotators.diagnosis.beforehand.asking import ask
from rotators.diagnosis.beforehand.line import Line, failed, passed, warned
from rotators.engine_rotator import EngineRotator
from rotators.errors import RotatorsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.diagnosis.beforehand.subject import Subject

HTTPS = 443
#: By what a route leads out, as DescribeRouteTables names it. Behind the last three nobody here knows what there is.
NAT = "NatGatewayId"
ELSEWHERE = ("TransitGatewayId", "VpcPeeringConnectionId", "NetworkInterfaceId", "InstanceId")


def ways(subject: Subject) -> Iterator[Line]:
    """The ways that a step has to go."""
    vpc = subject.configuration.get("VpcConfig") or {}
    if not vpc.get("VpcId"):
        yield from _without(subject)
        return
    yield from _to_secrets_manager(subject, vpc)
    yield from _out(subject, vpc)


def _without(subject: Subject) -> Iterator[Line]:
    host, port = _target(subject)
    private = ""
    with suppress(RotatorsError, ValueError):
        private = next(
            (one for one in (addresses(host, port) if host else []) if ipaddress.ip_address(one).is_private), ""
        )
    if private:
        yield warned(
            f"the function is in no VPC, and {host} has the private address {private}",
            "give it the database's VPC: the template's parameters SubnetIds and SecurityGroupIds",
        )
    else:
        yield passed("the function is in no VPC: it reaches Secrets Manager by its public address")


def _to_secrets_manager(subject: Subject, vpc: dict[str, Any]) -> Iterator[Line]:
    ec2 = subject.client("ec2")
    service = f"com.amazonaws.{subject.region}.secretsmanager"
    found = ask(
        ec2,
        "describe_vpc_endpoints",
        Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}, {"Name": "service-name", "Values": [service]}],
    )["VpcEndpoints"]
    ready = [entry for entry in found if str(entry.get("State", "")).lower() == "available"]
    if any(entry.get("PrivateDnsEnabled", True) for entry in ready):
        yield passed(f"{vpc['VpcId']} has an interface endpoint for Secrets Manager")
        return
    remedy = (
        f"aws ec2 create-vpc-endpoint --vpc-endpoint-type Interface --private-dns-enabled --vpc-id {vpc['VpcId']} "
        f"--service-name {service} --subnet-ids {' '.join(vpc.get('SubnetIds', []))}"
    )
    closed, unknown = [], []
    for subnet in vpc.get("SubnetIds", []):
        out = _way_out(ec2, vpc["VpcId"], subnet)
        if out in ELSEWHERE:
            unknown.append(f"{subnet} (by {out})")
        elif out != NAT:
            closed.append(subnet)
    of = "an endpoint without private DNS, or one that is not available" if found else "no endpoint"
    if closed:
        yield failed(
            f"{vpc['VpcId']} has {of} for Secrets Manager, and no route to a NAT gateway from {', '.join(closed)}",
            remedy,
        )
    elif unknown:
        yield warned(
            f"{vpc['VpcId']} has {of} for Secrets Manager; where these lead is not known: {', '.join(unknown)}", remedy
        )
    else:
        yield passed(f"{vpc['VpcId']} reaches Secrets Manager by a NAT gateway")


def _way_out(ec2: Any, vpc: str, subnet: str) -> str:
    """Return by what a subnet's route leads out, as its route table names it; empty for none. Else the VPC's main table counts."""
    mine = [{"Name": "association.subnet-id", "Values": [subnet]}]
    main = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    tables = ask(ec2, "describe_route_tables", Filters=mine)["RouteTables"]
    tables = tables or ask(ec2, "describe_route_tables", Filters=main)["RouteTables"]
    routes = [
        route
        for table in tables
        for route in table["Routes"]
        if route.get("DestinationCidrBlock") == "0.0.0.0/0" and route.get("State") != "blackhole"
    ]
    return next((by for by in (NAT, *ELSEWHERE) for route in routes if route.get(by)), "")


def _out(subject: Subject, vpc: dict[str, Any]) -> Iterator[Line]:
    """One of its security groups at least lets each port out, whereto is not asked."""
    groups = vpc.get("SecurityGroupIds", [])
    told = ask(subject.client("ec2"), "describe_security_groups", GroupIds=groups)["SecurityGroups"]
    rules = [rule for group in told for rule in group.get("IpPermissionsEgress", [])]
    _, port = _target(subject)
    closed = [
        wanted for wanted in dict.fromkeys((HTTPS, port)) if wanted and not any(_lets(rule, wanted) for rule in rules)
    ]
    if closed:
        yield failed(
            f"{', '.join(groups)} let nothing out to port {' and '.join(map(str, closed))}",
            f"aws ec2 authorize-security-group-egress --group-id {groups[0] if groups else '…'} --protocol tcp --port "
            f"{closed[0]} --cidr …",
        )
    else:
        yield passed(f"{', '.join(groups)} let out port {HTTPS}{f' and {port}' if port else ''}")


def _lets(rule: dict[str, Any], port: int) -> bool:
    somewhere = any(rule.get(key) for key in ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"))
    if rule.get("IpProtocol") == "-1":
        return somewhere
    return somewhere and rule.get("IpProtocol") == "tcp" and rule.get("FromPort", 0) <= port <= rule.get("ToPort", 0)


def _target(subject: Subject) -> tuple[str, int]:
    """Return host and port of the database, as far as the value has them."""
    with suppress(RotatorsError):
        current = subject.rotation.current
        if isinstance(subject.rotator, EngineRotator):
            told = subject.rotator.engine_of(current).resource(current)
            return told.get("host", ""), int(told.get("port", "0") or 0)
    return "", 0
