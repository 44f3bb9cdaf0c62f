"""The two services: the same calls, by other names."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rotators.clients import Clients, session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Service:
    """
    What one service calls things.

    Attributes:
        name: boto3's, and IAM's prefix.
        title: what errors call it.
        endpoint: boto3's variable that names its URL.
        vpc: the end of its interface endpoint's name.
        id: the parameter that names a user.
        username: where an answer holds what clients log in as.
        update: the method that changes a user.
        list_tags, add_tags: the methods that read and write a user's tags.
        resource: the parameter that names a user to those.
    """

    name: str
    title: str
    endpoint: str
    vpc: str
    id: str
    username: str
    update: str
    list_tags: str
    add_tags: str
    resource: str

    def passwords(self, passwords: Sequence[str]) -> Mapping[str, Any]:
        """Return the parameter that replaces a user's passwords."""
        if self.update == "modify_user":
            return {"Passwords": list(passwords)}
        return {"AuthenticationMode": {"Type": "password", "Passwords": list(passwords)}}


SERVICES = {
    service.name: service
    for service in (
        Service(
            name="elasticache",
            title="ElastiCache",
            endpoint="AWS_ENDPOINT_URL_ELASTICACHE",
            vpc="elasticache",
            id="UserId",
            username="UserName",
            update="modify_user",
            list_tags="list_tags_for_resource",
            add_tags="add_tags_to_resource",
            resource="ResourceName",
        ),
        Service(
            name="memorydb",
            title="MemoryDB",
            endpoint="AWS_ENDPOINT_URL_MEMORYDB",
            vpc="memory-db",
            id="UserName",
            username="Name",
            update="update_user",
            list_tags="list_tags",
            add_tags="tag_resource",
            resource="ResourceArn",
        ),
    )
}

_lock = threading.Lock()
_made: dict[tuple[str, str, str | None], Clients] = {}


def clients(service: Service, region: str) -> Clients:
    """Return what makes a service's clients in the user's own region, which may be another than the function's."""
    key = (service.name, region, os.environ.get(service.endpoint))
    with _lock:
        if key not in _made:
            _made[key] = _RegionalClients(service, region)
        return _made[key]


class _RegionalClients(Clients):
    def __init__(self, service: Service, region: str) -> None:
        super().__init__(service.name, service.title, service.endpoint)
        self._session = _Region(region)


class _Region:
    """What stands for a boto3 session whose clients are all in one region."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._session: Any = None

    def client(self, service: str, *, region_name: str | None, **more: Any) -> Any:  # noqa: ARG002 - the function's own region
        if self._session is None:
            self._session = session()
        return self._session.client(service, region_name=self._region, **more)
