"""What RDS says: which endpoint is whose, and who follows whom. By moto, and over HTTP for what moto has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from rotators.rds import RDS, is_endpoint
from tests.rds import ACCOUNT, SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rds import RDSEndpoint

PORT = 5432


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """moto's RDS, with `main`, its replica `replica`, a stranger, and the cluster `aurora` of three."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with mock_aws():
        client = boto3.client("rds")
        one: dict[str, Any] = {"Engine": "postgres", "DBInstanceClass": "db.t4g.micro", "Port": PORT}
        for name in ("main", "stranger"):
            client.create_db_instance(DBInstanceIdentifier=name, MasterUsername="a", MasterUserPassword="x" * 9, **one)
        client.create_db_instance_read_replica(DBInstanceIdentifier="replica", SourceDBInstanceIdentifier="main")
        one |= {"Engine": "aurora-postgresql"}
        client.create_db_cluster(
            DBClusterIdentifier="aurora", Engine="aurora-postgresql", MasterUsername="a", MasterUserPassword="x" * 9
        )
        for number in range(3):
            client.create_db_instance(DBInstanceIdentifier=f"aurora-{number}", DBClusterIdentifier="aurora", **one)
        yield client


def host(client: Any, name: str) -> str:
    """The endpoint of an instance, or of the cluster's writer or reader."""
    if name in {"writer", "reader"}:
        (cluster,) = client.describe_db_clusters(DBClusterIdentifier="aurora")["DBClusters"]
        return str(cluster["Endpoint" if name == "writer" else "ReaderEndpoint"])
    (instance,) = client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return str(instance["Endpoint"]["Address"])


@pytest.mark.parametrize(
    "one, other, expected",
    [
        ("replica", "main", True),
        ("main", "replica", False),
        ("stranger", "main", False),
        ("main", "stranger", False),
        ("replica", "stranger", False),
        ("writer", "reader", True),
        ("reader", "writer", True),
        ("aurora-0", "writer", True),
        ("writer", "aurora-2", True),
        ("reader", "aurora-1", True),
        ("aurora-1", "aurora-2", True),
        ("aurora-0", "main", False),
        ("main", "writer", False),
    ],
)
def test_who_follows_whom(moto: Any, one: str, other: str, expected: bool) -> None:
    assert RDS().follows((host(moto, one), PORT), (host(moto, other).upper(), PORT)) is expected


@pytest.mark.parametrize("one, other", [("replica", "main"), ("reader", "writer"), ("aurora-0", "writer")])
def test_a_port_that_is_not_rdss(moto: Any, one: str, other: str) -> None:
    assert not RDS().follows((host(moto, one), 1), (host(moto, other), PORT))
    assert not RDS().follows((host(moto, one), PORT), (host(moto, other), 1))


@pytest.mark.parametrize("name", ["gone", "gone.cluster", "gone.cluster-ro", "gone.cluster-custom"])
def test_servers_that_are_not_there(moto: Any, name: str) -> None:
    nobody = f"{name}-x.{SUFFIX}" if "cluster" in name else f"{name}.x.{SUFFIX}"
    assert is_endpoint(nobody)
    assert not RDS().follows((nobody, PORT), (host(moto, "main"), PORT))
    assert not RDS().follows((host(moto, "replica"), PORT), (nobody, PORT))


@pytest.mark.parametrize("name", ["main", "replica", "aurora-0"])
def test_somebody_elses_server_of_the_same_name(moto: Any, name: str) -> None:
    """Another account's endpoint begins alike: what counts is the endpoint RDS answers with."""
    theirs = host(moto, name).replace("aaaaaaaaaa", "bbbbbbbbbb")
    assert theirs != host(moto, name)
    assert not RDS().follows((theirs, PORT), (host(moto, "main"), PORT))
    assert not RDS().follows((theirs, PORT), (host(moto, "writer"), PORT))
    assert not RDS().follows((host(moto, "replica"), PORT), (theirs, PORT))


def test_an_address_by_arn(moto: Any) -> None:
    arn = "arn:aws:rds:eu-central-1:123456789012"
    assert RDS().address(f"{arn}:db:main") == (host(moto, "main"), PORT)
    assert RDS().address(f"{arn}:cluster:aurora") == (host(moto, "writer"), PORT)
    assert RDS().address(f"{arn}:db:gone") is None
    assert RDS().address(f"{arn}:cluster:gone") is None


def test_an_instance_that_is_being_made_has_no_address_yet(rds: RDSEndpoint) -> None:
    rds.instance("main", Endpoint={"Port": 5432})
    assert RDS().address(f"{ACCOUNT}:db:main") is None
    assert not RDS().follows((f"main.abc.{SUFFIX}", PORT), (f"main.abc.{SUFFIX}", PORT))


@pytest.mark.parametrize("page", [1, 2, 100])
def test_a_custom_endpoint_is_looked_for_on_every_page(rds: RDSEndpoint, page: int) -> None:
    rds.page = page
    for number in range(3):
        rds.cluster(f"other-{number}", CustomEndpoints=[f"theirs-{number}.cluster-custom-abc.{SUFFIX}"])
    custom = f"reports.cluster-custom-abc.{SUFFIX}"
    writer = rds.cluster("aurora", members=2, CustomEndpoints=[f"more.cluster-custom-abc.{SUFFIX}", custom])
    assert RDS().follows((custom, PORT), (writer, PORT))
    assert RDS().follows((f"aurora-1.abc.{SUFFIX}", PORT), (custom, PORT))
    assert not RDS().follows((f"theirs-0.cluster-custom-abc.{SUFFIX}", PORT), (writer, PORT))
    markers = [marker for action, name, marker in rds.asked if action == "DescribeDBClusters" and not name]
    assert set(markers) == {"" if number == 0 else str(number * page) for number in range(-(-4 // page))}


def test_replicas_of_replicas_and_of_clusters(rds: RDSEndpoint) -> None:
    main = rds.instance("main", port=3306)
    rds.instance("one", port=3307, ReadReplicaSourceDBInstanceIdentifier="main")
    two = rds.instance("two", port=3308, ReadReplicaSourceDBInstanceIdentifier=f"{ACCOUNT}:db:one")
    follower = rds.cluster("follower", port=3306, ReplicationSourceIdentifier=f"{ACCOUNT}:db:main")
    leader = rds.cluster("leader", port=3306)
    reads = rds.instance("reads", port=3306, ReadReplicaSourceDBClusterIdentifier="leader")
    far = rds.instance("far", ReadReplicaSourceDBInstanceIdentifier="arn:aws:rds:us-east-1:123456789012:db:main")
    assert RDS().follows((two, 3308), (main, 3306))
    assert RDS().follows((follower, 3306), (main, 3306))
    assert RDS().follows((reads, 3306), (leader, 3306))
    assert not RDS().follows((reads, 3306), (main, 3306))
    assert not RDS().follows((far, 5432), (main, 3306)), "a main of another region"


def test_servers_that_follow_each_other_end_too(rds: RDSEndpoint) -> None:
    main = rds.instance("main")
    one = rds.instance("one", ReadReplicaSourceDBInstanceIdentifier="two")
    rds.instance("two", ReadReplicaSourceDBInstanceIdentifier="one")
    assert not RDS().follows((one, PORT), (main, PORT))
    assert len(rds.asked) < 10


@pytest.mark.parametrize(
    "name, expected",
    [
        (f"main.abc.{SUFFIX}", True),
        (f"MAIN.abc.{SUFFIX}.", True),
        (f"a.cluster-ro-abc.{SUFFIX}", True),
        ("main.abc.us-gov-west-1.rds.amazonaws.com", True),
        ("main.abc.rds.cn-north-1.amazonaws.com.cn", True),
        ("main.abc.cn-north-1.rds.amazonaws.com.cn", True),
        ("db.example.com", False),
        (f"main.abc.{SUFFIX}.example.com", False),
        ("main.abc.eu-central-1.rdsxamazonaws.com", False),
        ("10.0.0.1", False),
        ("localhost", False),
    ],
)
def test_what_looks_like_an_endpoint(name: str, expected: bool) -> None:
    assert is_endpoint(name) is expected
