"""What an ``EngineRotator`` is made of: engines, their abilities, and strategies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from rotators.rotation import Rotation
    from rotators.secret import Secret


@runtime_checkable
class Engine(Protocol):
    """
    The far side of a credential: how to talk to the thing.

    An engine keeps no state between two calls and need not import us; what it raises is of ``rotators.errors``.
    """

    @property
    def name(self) -> str:
        """Return what the log calls it."""

    def resource(self, secret: Secret) -> Mapping[str, str]:
        """
        Return what the secret opens, by key: what must be the same in pending as in current (law 5).

        Raises:
            SecretError: a key is missing or of the wrong form.
        """

    def test(self, secret: Secret) -> None:
        """
        Log in with it and do one harmless read.

        Raises:
            CredentialRejected: refused.
            TargetUnreachable: could not be asked (law 8).
        """

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """
        Make `secret` valid, on the authority of `by`; idempotent.

        Before it returns it proves `secret` with a second login while the session that made the change is open; if that
        fails, the same session puts `like`, the current value, back (law 10).

        Raises:
            CredentialRejected: `by` was refused, and nothing was changed.
            ChangeRefused: the target would not have it, or it did not take and was undone.
            TargetUnreachable: could not be asked.
        """


@runtime_checkable
class Strategy(Protocol):
    """Whose identity the next version has, and on whose authority it is made valid."""

    @property
    def name(self) -> str:
        """Return the word that chooses it."""

    def next(self, current: Secret) -> Secret:
        """Return the current value as the next version's identity needs it, before it gets its fresh password."""

    def authorities(self, rotation: Rotation) -> Iterator[tuple[str, Secret]]:
        """Yield (what to call it, credential), the first choice first. Read lazily: a normal rotation needs one."""


@runtime_checkable
class Compares(Protocol):
    """An ability of engines whose users can work in pairs: `Engine.set` makes `secret`'s user equal to `like`'s first."""

    def same_rights(self, secret: Secret, like: Secret) -> None:
        """
        Ask whether both users can do the same (law 12).

        Raises:
            ChangeRefused: they can't; names the differences.
            CredentialRejected: one of them does not open.
            TargetUnreachable: could not be asked.
        """


@runtime_checkable
class Pairs(Compares, Protocol):
    """An ability of engines that tell by the secret's other values whether the second user of a pair is ours (law 11)."""

    def pair(self, secret: Secret, *, by: Secret, like: Secret, known: Iterable[tuple[str, Secret]]) -> None:
        """
        Do what `Engine.set` does, where `secret` and `like` name the two users of a pair.

        Args:
            secret: pending.
            by: an admin.
            like: current.
            known: (what to call it, value) of the secret's other versions, AWSPREVIOUS first: each costs a call when it is
                read, so read as few as will do.

        Raises:
            CredentialRejected, ChangeRefused, TargetUnreachable: as `Engine.set`; refused too is what is not ours.
        """


@runtime_checkable
class Discards(Protocol):
    """An ability of engines that keep an older password valid beside the new one."""

    def discard(self, secret: Secret, *, by: Secret) -> None:
        """
        Make every password of the user but `secret`'s invalid, on the authority of `by`; idempotent.

        Raises:
            CredentialRejected: `by` was refused.
            ChangeRefused: the target would not have it.
            TargetUnreachable: could not be asked.
        """


@dataclass(frozen=True, slots=True)
class Obstacle:
    """
    What speaks against a change that has not been made yet.

    Attributes:
        text: what it is; never a secret.
        remedy: what helps, such as a statement; empty where the text says it.
        fatal: whether the change would fail; else it is worth knowing.
    """

    text: str
    remedy: str = ""
    fatal: bool = True


@runtime_checkable
class Foresees(Protocol):
    """An ability of engines that can say beforehand what would stop `Engine.set`, and change nothing for that."""

    def foresee(
        self, secret: Secret, *, by: Secret, like: Secret, known: Iterable[tuple[str, Secret]] = ()
    ) -> Collection[Obstacle]:
        """
        Ask, over a session of `by`, what stands in the way of `Engine.set`, or of `Pairs.pair`, with the same arguments.

        Args:
            secret: what pending would be; its password is not used.
            by: on whose authority.
            like: current.
            known: (what to call it, value) of the secret's other versions, AWSPREVIOUS first.

        Raises:
            CredentialRejected: `by` was refused.
            SecretError: `by` is for another server, or malformed.
            TargetUnreachable: could not be asked.
        """


@runtime_checkable
class Chooses(Protocol):
    """What stands for several engines: one function for every database secret."""

    def engine_of(self, secret: Secret) -> Engine:
        """
        Return the engine for a secret.

        Raises:
            SecretError: there is none for it.
        """
