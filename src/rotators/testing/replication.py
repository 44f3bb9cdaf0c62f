"""Replicas: which Regions a secret is replicated to. They are noted and shown; this Secrets Manager serves one Region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotators.testing.service_error import invalid_parameter, invalid_request, not_found

if TYPE_CHECKING:
    from rotators.testing.account import Account
    from rotators.testing.records import Record


def replicate_secret_to_regions(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Add replicas (API reference, ReplicateSecretToRegions)."""
    record = account.live(request["SecretId"])
    with account.writing(record):
        replicate(
            account, record, request["AddReplicaRegions"], force=request.get("ForceOverwriteReplicaSecret", False)
        )
    return {"ARN": record.arn, "ReplicationStatus": status(record)}


def remove_regions_from_replication(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """Remove replicas; one that is not there is refused."""
    record = account.live(request["SecretId"])
    absent = [region for region in request["RemoveReplicaRegions"] if region not in record.replicas]
    if absent:
        raise invalid_parameter(f"The secret is not replicated to {', '.join(absent)}.")
    with account.writing(record):
        for region in request["RemoveReplicaRegions"]:
            record.replicas.pop(region, None)
    return {"ARN": record.arn, "ReplicationStatus": status(record)}


def stop_replication_to_replica(account: Account, request: dict[str, Any]) -> dict[str, Any]:
    """
    Cut a replica's link: called in its Region, it makes of it a secret of its own (API reference, StopReplicationToReplica).

    That secret is in a Region which is not served here, so nothing more is to be seen of it.
    """
    here = request["Region"]
    record = account.lookup(request["SecretId"].replace(f":{here}:", f":{account.region}:", 1))
    if record is None or (here != account.region and here not in record.replicas):
        raise not_found()
    if here == account.region:
        raise invalid_request("Operation not permitted on a primary secret. Call it in the Region of the replica.")
    with account.writing(record):
        record.replicas.pop(here)
    return {"ARN": record.arn.replace(f":{account.region}:", f":{here}:", 1)}


def replicate(account: Account, record: Record, regions: list[dict[str, Any]], *, force: bool = False) -> None:
    """Note replicas, all or none."""
    for region in regions:
        if region["Region"] == account.region:
            raise invalid_parameter("Invalid replica region.")
        if region["Region"] in record.replicas and not force:
            raise invalid_parameter(f"The secret is replicated to {region['Region']} already.")
    record.replicas |= {region["Region"]: region.get("KmsKeyId") for region in regions}


def status(record: Record) -> list[dict[str, Any]]:
    """Return the state of each replica."""
    return [
        {"Region": region, "KmsKeyId": key or "alias/aws/secretsmanager", "Status": "InSync"}
        for region, key in sorted(record.replicas.items())
    ]


OPERATIONS = {
    "ReplicateSecretToRegions": replicate_secret_to_regions,
    "RemoveRegionsFromReplication": remove_regions_from_replication,
    "StopReplicationToReplica": stop_replication_to_replica,
}
