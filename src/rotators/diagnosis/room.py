"""``Room``: how many keys there may be, and whose those are that there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rotators import deadline, telemetry
from rotators.abc import Issues
from rotators.diagnosis.answer import PATIENCE
from rotators.engines.iam import AccessKeyRotator
from rotators.engines.iam.access_key import AccessKey
from rotators.engines.iam.authority import authorities
from rotators.engines.iam.room import MOST
from rotators.engines.iam.user import User, name_of, owner
from rotators.key_name import ours
from rotators.key_rotator import KeyRotator
from rotators.machine import Step

if TYPE_CHECKING:
    from rotators.diagnosis.target import Target


@dataclass(frozen=True, slots=True)
class Room:
    """
    How many keys there may be, and whose those are that there are; ids are no secrets.

    Attributes:
        most: None where there is no limit.
        keys: their ids.
        held: those that a labelled version holds.
        ours: those that were issued for this secret and nobody holds: the next rotation revokes them.
    """

    most: int | None
    keys: tuple[str, ...]
    held: tuple[str, ...]
    ours: tuple[str, ...]

    @property
    def foreign(self) -> tuple[str, ...]:
        """The keys that are somebody's."""
        return tuple(key for key in self.keys if key not in self.held and key not in self.ours)

    @property
    def full(self) -> bool:
        """Say whether no key can be issued, whatever of ours is revoked first."""
        return self.most is not None and len(self.foreign) + 1 >= self.most

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        lists = {"keys": self.keys, "held": self.held, "ours": self.ours, "foreign": self.foreign}
        return {"most": self.most, "full": self.full, **{name: list(ids) for name, ids in lists.items()}}

    @classmethod
    def of(cls, target: Target) -> Room | None:
        """
        List the keys, on the authority that a rotation would use; None where there are none to list.

        Raises:
            RotatorsError: they may not be listed, or nobody answered.
        """
        with deadline.running(deadline.Deadline(PATIENCE)), telemetry.noting():
            if isinstance(target.rotator, KeyRotator):
                return _keys(target, target.rotator)
            return _access_keys(target, target.rotator) if isinstance(target.rotator, AccessKeyRotator) else None


def _keys(target: Target, rotator: KeyRotator) -> Room | None:
    provider = rotator.provider_of(target.current)
    if not isinstance(provider, Issues):
        return None
    rotation = target.rotation()
    keys = provider.keys(by=rotation.admin or target.current, like=target.current)
    held = {provider.key_of(value) for value in target.labelled}
    return Room(
        provider.most,
        tuple(key.id for key in keys),
        tuple(key.id for key in keys if key.id in held),
        tuple(key.id for key in keys if key.id not in held and ours(key, rotation)),
    )


def _access_keys(target: Target, rotator: AccessKeyRotator) -> Room:
    """IAM's keys have no names, so which of them was lost by a rotation that died, the next one finds out by its mark."""
    arn = owner(AccessKey.of(target.current), title="the key of AWSCURRENT")
    by = authorities(target.rotation(step=Step.CREATE))[0]
    keys = User(name_of(arn), by, own=rotator._own).keys().keys  # noqa: SLF001 - of one house
    held = {AccessKey.of(value).id for value in target.labelled}
    return Room(MOST, tuple(key.id for key in keys), tuple(key.id for key in keys if key.id in held), ())
