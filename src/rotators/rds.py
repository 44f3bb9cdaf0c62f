"""
What RDS says of its servers: where one is, and which follows which.

A host's name only says which one to ask about; what counts is the endpoint that RDS answers with. boto3's ``rds`` client
is made when the first question comes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from rotators import deadline
from rotators.aliases import VARIABLE, normal
from rotators.calls import call
from rotators.clients import Clients
from rotators.errors import ConfigurationError, StoreUnavailable
from rotators.refusals import CREDENTIALS, PASSING, SERVER_ERROR, THROTTLED, Transient

if TYPE_CHECKING:
    from collections.abc import Iterator

#: `name.hash.region.rds.amazonaws.com`; clusters have `cluster-`, `cluster-ro-` or `cluster-custom-` before the hash.
#: Source: Amazon Aurora user guide, "Amazon Aurora endpoint connections"; in China the region stands behind `rds`.
_HOST = re.compile(
    r"(?P<name>[a-z0-9-]+)\.(?P<kind>cluster-custom-|cluster-ro-|cluster-|)[a-z0-9-]+\.(?:[a-z0-9-]+\.)?"
    r"rds\.(?:[a-z0-9-]+\.)?amazonaws\.(?:com|com\.cn|eu)"
)
#: A replica may have replicas: MySQL and MariaDB allow a few, PostgreSQL 14 and later too.
HOPS = 6
INSTANCES, CLUSTERS = ("describe_db_instances", "DBInstances"), ("describe_db_clusters", "DBClusters")
ACTIONS = {INSTANCES[0]: "DescribeDBInstances", CLUSTERS[0]: "DescribeDBClusters"}
#: There is no such server, or no server can have that name.
ABSENT = {"DBInstanceNotFound", "DBInstanceNotFoundFault", "DBClusterNotFoundFault", "InvalidParameterValue"}

_clients = Clients("rds", "RDS", "AWS_ENDPOINT_URL_RDS")


class Server(NamedTuple):
    """An instance that is on its own, or a cluster: by its ARN, and the one whose changes it gets ('' for none)."""

    arn: str
    source: str


class RDS:
    """
    RDS in this account and region, asked for the answer to one question.

    Args:
        client: a boto3 ``rds`` client; by default one made from the environment.

    Example:
        >>> RDS().follows(("replica.x.eu-central-1.rds.amazonaws.com", 5432), ("main.x.eu-central-1.rds.amazonaws.com", 5432))
        True
    """

    def __init__(self, client: Any = None) -> None:
        self._client = client

    def address(self, arn: str) -> tuple[str, int] | None:
        """
        Return host and port of an instance or, of a cluster, of its writer; None where there is none.

        Raises:
            ConfigurationError: RDS may not be asked.
            StoreUnavailable: it did not answer.
        """
        if arn.split(":")[5:6] == ["cluster"]:
            return next((_of_cluster(entry) for entry in self._pages(CLUSTERS, DBClusterIdentifier=arn)), None)
        return next((_of_instance(entry) for entry in self._pages(INSTANCES, DBInstanceIdentifier=arn)), None)

    def follows(self, one: tuple[str, int], other: tuple[str, int]) -> bool:
        """
        Say whether what is changed at (host, port) `other` is changed at `one` too.

        It is where both are endpoints of one cluster, or `one` is a replica of `other`, or a replica's replica.

        Raises:
            ConfigurationError: RDS may not be asked.
            StoreUnavailable: it did not answer.
        """
        if not (is_endpoint(one[0]) and is_endpoint(other[0])):
            return False
        goal, here = self._at(*other), self._at(*one)
        for _ in range(HOPS):
            if goal is None or here is None:
                return False
            if here.arn == goal.arn:
                return True
            here = self._named(here.source) if here.source else None
        return False

    def _at(self, host: str, port: int) -> Server | None:
        """Find what a host is an endpoint of."""
        found = _HOST.fullmatch(normal(host))
        if found is None:
            return None
        if not found["kind"]:
            for entry in self._pages(INSTANCES, DBInstanceIdentifier=found["name"]):
                if _of_instance(entry) == (normal(host), port):
                    return self._instance(entry)
            return None
        # The name of a custom endpoint does not say whose it is.
        which = {} if found["kind"] == "cluster-custom-" else {"DBClusterIdentifier": found["name"]}
        for entry in self._pages(CLUSTERS, **which):
            hosts = [entry.get("Endpoint"), entry.get("ReaderEndpoint"), *entry.get("CustomEndpoints", [])]
            if normal(host) in {normal(name) for name in hosts if name} and entry.get("Port") == port:
                return _cluster(entry)
        return None

    def _named(self, arn: str) -> Server | None:
        """Find a server by its ARN."""
        if arn.split(":")[5:6] == ["cluster"]:
            return next((_cluster(entry) for entry in self._pages(CLUSTERS, DBClusterIdentifier=arn)), None)
        return next((self._instance(entry) for entry in self._pages(INSTANCES, DBInstanceIdentifier=arn)), None)

    def _instance(self, entry: Any) -> Server | None:
        """Read an instance; one of a cluster stands for the cluster."""
        arn = str(entry.get("DBInstanceArn", ""))
        if cluster := entry.get("DBClusterIdentifier"):
            return self._named(_beside(arn, "cluster", cluster))
        if source := entry.get("ReadReplicaSourceDBInstanceIdentifier"):
            return Server(arn, _beside(arn, "db", source))
        source = entry.get("ReadReplicaSourceDBClusterIdentifier")
        return Server(arn, _beside(arn, "cluster", source) if source else "")

    def _pages(self, what: tuple[str, str], **query: str) -> Iterator[Any]:
        operation, key = what
        subject = query.get("DBInstanceIdentifier") or query.get("DBClusterIdentifier") or "*"
        while True:
            answer = call(self._made, operation, query, lambda error: _translate(error, operation, subject))
            if answer is None:
                return
            yield from answer.get(key, [])
            if not answer.get("Marker"):
                return
            query = {**query, "Marker": answer["Marker"]}

    def _made(self) -> Any:
        return self._client or _clients.get(deadline.current())


def is_endpoint(host: str) -> bool:
    """Say whether a host's name is of the form RDS gives its servers."""
    return _HOST.fullmatch(normal(host)) is not None


def _of_instance(entry: Any) -> tuple[str, int] | None:
    endpoint = entry.get("Endpoint") or {}  # one that is being made has none yet
    return (normal(endpoint["Address"]), endpoint["Port"]) if endpoint.get("Address") else None


def _of_cluster(entry: Any) -> tuple[str, int] | None:
    return (normal(entry["Endpoint"]), entry["Port"]) if entry.get("Endpoint") else None


def _cluster(entry: Any) -> Server:
    return Server(str(entry.get("DBClusterArn", "")), str(entry.get("ReplicationSourceIdentifier") or ""))


def _beside(arn: str, kind: str, name: str) -> str:
    """Return the ARN of what is named in the same account and region; across regions RDS names an ARN itself."""
    return name if name.startswith("arn:") else ":".join([*arn.split(":")[:5], kind, name])


def _translate(error: Exception, operation: str, subject: str) -> Exception | None:
    from botocore.exceptions import ClientError, HTTPClientError, ParamValidationError  # noqa: PLC0415 - after a failure
    from botocore.exceptions import ConnectionError as NoConnection  # noqa: PLC0415

    action = ACTIONS[operation]
    otherwise = f"or name the database's hosts in {VARIABLE}"
    if isinstance(error, ParamValidationError):
        return None
    if isinstance(error, (NoConnection, HTTPClientError, TimeoutError)):
        return Transient(
            StoreUnavailable(
                f"RDS did not answer {action} ({type(error).__name__}): a function in a VPC needs an interface endpoint for "
                f"rds or a NAT gateway, {otherwise}"
            )
        )
    if not isinstance(error, ClientError):
        return ConfigurationError(
            f"{action} could not be asked ({type(error).__name__}): set AWS_REGION and credentials"
        )
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in ABSENT:
        return None
    if code in THROTTLED or code in PASSING or status >= SERVER_ERROR:
        return Transient(StoreUnavailable(f"RDS answered {action} with {code or status}, again and again"))
    if code.startswith(("AccessDenied", "Unauthorized")):
        return ConfigurationError(
            f"the function's role may not do rds:{action} on {subject}: allow it in its policy, {otherwise}"
        )
    if code in CREDENTIALS:
        return ConfigurationError(f"RDS does not accept the function's credentials ({code})")
    return ConfigurationError(f"RDS refused {action} ({code}): {otherwise.removeprefix('or ')}")
