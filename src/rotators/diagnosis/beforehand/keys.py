"""Whether a provider that issues its keys has room for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotators.abc import Accepts
from rotators.diagnosis.beforehand.asking import NotThere, ask
from rotators.diagnosis.beforehand.line import Line, failed, passed, warned
from rotators.engines.iam import AccessKeyRotator
from rotators.engines.iam.authority import Authority
from rotators.engines.iam.mark import Mark
from rotators.engines.iam.room import MOST, doomed, unused_days
from rotators.engines.iam.user import User, name_of
from rotators.errors import ChangeRefused
from rotators.key_room import doomed as revocable
from rotators.key_room import full
from rotators.key_rotator import KeyRotator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.abc import Issues
    from rotators.clients import Clients
    from rotators.diagnosis.beforehand.subject import Subject


def room(subject: Subject) -> Iterator[Line]:
    """Another key can be issued, if need be after one that is ours and not in use has gone."""
    rotator, rotation = subject.rotator, subject.rotation
    if isinstance(rotator, AccessKeyRotator):
        yield from _of_user(subject)
    elif isinstance(rotator, KeyRotator):
        provider = rotator.provider_of(rotation.current)
        if not isinstance(provider, Accepts):
            yield from _of_provider(subject, rotator, provider)


def _of_provider(subject: Subject, rotator: KeyRotator, provider: Issues) -> Iterator[Line]:
    rotation = subject.rotation
    found = list(provider.keys(by=rotation.admin or rotation.current, like=rotation.current))
    most = provider.most
    if most is None or len(found) < most:
        yield passed(f"{provider.name} has {len(found)} keys of this owner, and room for {most or 'any number'}")
        return
    lost, last = revocable(rotation, provider, found, rotator.adopted)
    spare = [*lost, *last] if provider.key_of(rotation.current) else []
    if len(found) - len(spare) < most:
        whose = "one that nobody holds" if lost else "the one of AWSPREVIOUS"
        yield warned(f"{provider.name} has no room, so the next rotation first revokes a key of ours: {whose}")
    else:
        yield failed(str(full(rotation, provider, found)))


def _of_user(subject: Subject) -> Iterator[Line]:
    """Source: IAM user guide, "IAM and AWS STS quotas": two keys a user, and that can't be raised."""
    rotation, name = subject.rotation, name_of(subject.iam_user)
    client = subject.client("iam")
    try:
        ask(client, "list_access_keys", UserName=name)  # who may not, is told what that takes
    except NotThere as error:
        yield failed(f"IAM knows no user {name} in the account that is asked: {error}")
        return
    as_operator: Any = _Operator(client)
    user = User(name, Authority("you"), own=as_operator)
    listing = user.keys()
    try:
        going = doomed(rotation, user, listing, Mark.read(rotation, user.tags()), days=unused_days(rotation))
    except ChangeRefused as error:
        yield failed(str(error))
        return
    if going:
        yield warned(
            f"the IAM user {name} has {MOST} keys, so the next rotation first deletes a key of ours: the one ending in "
            f"{going[0].id[-4:]}"
        )
    else:
        yield passed(f"the IAM user {name} has {len(listing.keys)} of {MOST} keys")


class _Operator:
    """What stands for the function's own clients: one client, of who asks."""

    def __init__(self, client: Clients) -> None:
        self._client = client

    def get(self, _: object) -> Any:
        return self._client
