"""
``AccessKeyRotator``: rotates an IAM user's access key.

It is no ``KeyRotator``, as that one finds lost keys by their names, and IAM's have none: here a mark on the user says that a key
is about to be issued (see ``mark``). And there is room for two keys at most, so the one of AWSPREVIOUS goes when the next one
is to be issued, not before and not after: it has lived in caches until then.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rotators import deadline, waiting
from rotators.clients import Clients
from rotators.engines.iam import access_key
from rotators.engines.iam.access_key import AccessKey
from rotators.engines.iam.authority import IAM, authorities
from rotators.engines.iam.mark import Mark
from rotators.engines.iam.room import make_room, unused_days
from rotators.engines.iam.user import Listing, User, name_of, owner
from rotators.errors import CredentialRejected, SecretError
from rotators.machine import AWSCURRENT, AWSPENDING, Step
from rotators.rotator import Rotator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.rotation import Rotation
    from rotators.secret import Secret
    from rotators.store import SecretStore

#: Seconds a new key may be refused, as it is not known everywhere yet; between two tries; and what is left for the answer.
SETTLES, PAUSE, ANSWER = 60.0, 0.5, 1.0


class AccessKeyRotator(Rotator):
    """
    Rotates an IAM user's access key.

    Args:
        store: the Secrets Manager calls.

    Example:
        >>> handler = AccessKeyRotator()
    """

    resource_keys = frozenset(Rotator.resource_keys) | {*access_key.USERS, *access_key.REGIONS}

    def __init__(self, *, store: SecretStore | None = None) -> None:
        super().__init__(store=store)
        self._own = Clients(*IAM)

    def create(self, rotation: Rotation) -> Secret:
        """Make room where there is none, leave the mark, and issue a key."""
        current = rotation.current
        key, days = AccessKey.of(current), unused_days(rotation)
        access_key.issued(current, key)  # what can't be derived is refused while nothing has been changed
        user, listing = self._user(rotation, _owner_of_current(rotation, key), key)
        tag = Mark.tag(rotation)
        mark = Mark.read(rotation, user.tags())
        deadline.current().enough(steps=3)
        make_room(rotation, user, listing, mark, days=days)
        if mark is None or not mark.stands(listing.now):
            user.mark(tag, Mark.new(rotation, listing.now).value)
        fresh = access_key.issued(current, user.issue())
        return rotation.saw(fresh)

    def check(self, rotation: Rotation) -> None:
        """Law 5: pending is for the same user and region as current, and another key. Who it belongs to, AWS says later."""
        current, pending = rotation.current, rotation.pending
        if rotation.step is Step.TEST and pending == current:
            return
        self.same(rotation, current.keyed(), pending.keyed(), self.resource_keys)
        if AccessKey.of(pending).id in access_key.ids(current):
            self._unusable(rotation, "holds the same key as AWSCURRENT")
        if not access_key.derived(pending):
            self._unusable(rotation, "has an SMTP password or user name that is not its key's")

    def set(self, rotation: Rotation) -> None:
        """Nothing is to be done: a key is valid as soon as it is issued."""

    def test(self, secret: Secret) -> None:
        """Ask STS whose key it is, again for a while where it may not be known everywhere yet."""
        key = AccessKey.of(secret)
        end = deadline.Deadline(min(SETTLES, deadline.current().left() - ANSWER))
        while True:
            try:
                owner(key, title=f"the key {key.ending}")
            except CredentialRejected as error:
                refused = error
            else:
                return
            if end.left() <= 0:
                break
            time.sleep(min(PAUSE, end.left()))
        refused.retryable = True
        raise refused

    def test_once(self, secret: Secret) -> None:
        """Ask STS, and believe its first answer."""
        key = AccessKey.of(secret)
        owner(key, title=f"the key {key.ending}")

    def compare(self, rotation: Rotation) -> None:
        """Law 5, as AWS says it: pending's key is one of the user whose key current is."""
        self._same_user(rotation)

    def retire(self, rotation: Rotation) -> None:
        """
        Take the mark off: the key is stored.

        There is nothing to delete (law 7). The user has two keys, pending's and the one that is about to be AWSPREVIOUS's; the
        one before made room for pending's.
        """
        self._same_user(rotation).unmark(Mark.tag(rotation))

    def facts(self) -> Mapping[str, str]:
        """Return the engine, for the log."""
        return {"rotator": type(self).__name__, "engine": "iam"}

    def _user(self, rotation: Rotation, arn: str, *keys: AccessKey) -> tuple[User, Listing]:
        """
        Find the user where our authority reaches, and see that these keys, the newest last, are its own (law 11).

        A user of that name may be of another account than the key; its key's id would not be listed.
        """
        refused: CredentialRejected | None = None
        for by in authorities(rotation):
            user = User(name_of(arn), by, own=self._own)
            try:
                listing = _list(user, keys[-1])
            except CredentialRejected as error:
                refused = refused or error
                continue
            self.say(iam_user=user.name, authority=by.title)
            if not listing.has(*keys) and not self._issued_here(rotation, user, listing, *keys):
                raise SecretError(
                    f"{by.title} finds at the IAM user {user.name} not all keys of {AWSCURRENT} and {AWSPENDING}: one was "
                    "deleted, or it is another user's, or another account's. Nothing was changed. Store a key that works with "
                    f"`aws secretsmanager put-secret-value --secret-id {rotation.secret_id}`",
                    retryable=not listing.has(keys[-1]) and rotation.step is not Step.CREATE,  # a new one may show late
                )
            return user, listing
        raise refused or SecretError("nobody may be asked")

    def _issued_here(self, rotation: Rotation, user: User, listing: Listing, *keys: AccessKey) -> bool:
        """Say whether pending's key, the last of these, was issued for this version: the mark tells, if current's is gone."""
        if rotation.step is Step.CREATE or not listing.has(keys[-1]):
            return False
        mark = Mark.read(rotation, user.tags())
        return mark is not None and mark.version == Mark.new(rotation, 0).version

    def _same_user(self, rotation: Rotation) -> User:
        pending = AccessKey.of(rotation.pending)
        arn = owner(pending, title=f"the key of {AWSPENDING}")
        return self._user(rotation, arn, AccessKey.of(rotation.current), pending)[0]

    def _unusable(self, rotation: Rotation, what: str) -> None:
        raise SecretError(
            f"the AWSPENDING value {what}; it was not used. Take it off with `aws secretsmanager update-secret-version-stage "
            f"--secret-id {rotation.secret_id} --version-stage AWSPENDING --remove-from-version-id {rotation.version}` and "
            "rotate again"
        )


def _owner_of_current(rotation: Rotation, key: AccessKey) -> str:
    """Law 5: nobody's authority is used for a user whose key the secret does not prove to hold."""
    problem = ""
    try:
        return owner(key, title=f"the key of {AWSCURRENT}")
    except CredentialRejected as error:
        problem = str(error)
    raise CredentialRejected(
        f"{problem}: it is wrong, inactive or deleted. Store one that works with `aws secretsmanager put-secret-value "
        f"--secret-id {rotation.secret_id}`"
    )


def _list(user: User, newest: AccessKey) -> Listing:
    """List a user's keys, again for a while where this one is not among them: a new one may show late."""
    for pause in waiting.pauses():
        listing = user.keys()
        if pause is None or listing.has(newest):
            break
        time.sleep(pause)
    return listing
