"""What a ``KeyRotator`` is made of: who issues its keys, or is told them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rotators.secret import Secret


@dataclass(frozen=True, slots=True)
class Key:
    """
    A key as its provider lists it, without the key itself.

    Attributes:
        id: what the provider revokes it by.
        name: what it was named when it was issued.
    """

    id: str
    name: str


@runtime_checkable
class Issues(Protocol):
    """
    A provider that issues its keys itself: the far side of a `KeyRotator`.

    Like an `Engine` it keeps no state between two calls.
    """

    @property
    def name(self) -> str:
        """Return what the log calls it."""

    @property
    def most(self) -> int | None:
        """Return how many keys an owner may have at once, None where there is no such limit."""

    @property
    def settles(self) -> float:
        """Return how many seconds a new key may be refused, as it is not known everywhere yet."""

    def resource(self, secret: Secret) -> Mapping[str, str]:
        """
        Return what the secret opens, by key: what must be the same in pending as in current (law 5).

        Raises:
            SecretError: a key is missing or of the wrong form.
        """

    def key_of(self, secret: Secret) -> str:
        """Return the `Key.id` of the key that a secret holds; empty where it does not say."""

    def test(self, secret: Secret) -> None:
        """
        Make one authenticated call that changes nothing.

        Raises:
            CredentialRejected: refused.
            TargetUnreachable: could not be asked (law 8).
        """

    def keys(self, *, by: Secret, like: Secret) -> Collection[Key]:
        """
        Return the keys of the owner for whom `issue` issues.

        Raises:
            CredentialRejected, ChangeRefused, TargetUnreachable: as `issue`.
        """

    def issue(self, name: str, *, by: Secret, like: Secret) -> Secret:
        """
        Issue a key of that name, with the rights of the one in `like`, on the authority of `by`.

        Returns:
            `like` with the new key in it.

        Raises:
            CredentialRejected: `by` was refused.
            ChangeRefused: the provider would not.
            TargetUnreachable: could not be asked, or did not answer; there may be a key of that name now.
        """

    def revoke(self, key: str, *, by: Secret, like: Secret) -> None:
        """
        Revoke the key of that id, of the owner of the one in `like`. One that is gone already is a success.

        Raises:
            CredentialRejected, ChangeRefused, TargetUnreachable: as `issue`.
        """


@runtime_checkable
class Promotes(Issues, Protocol):
    """An ability of providers with a first and a second place, where the old key ends when the new one moves up."""

    def promote(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """
        Move the key of `secret` to the first place; done already is a success.

        Called in finishSecret, when the key has been proven, just before the label moves (laws 6 and 7).

        Args:
            secret: pending.
            by: on whose authority.
            like: current, whose key ends.

        Raises:
            CredentialRejected, ChangeRefused, TargetUnreachable: as `issue`.
        """


@runtime_checkable
class Accepts(Protocol):
    """
    A service that is told the key to accept, such as the one it signs its webhooks with: we make the key ourselves.

    The far side of a `KeyRotator` as well.
    """

    @property
    def name(self) -> str:
        """Return what the log calls it."""

    @property
    def settles(self) -> float:
        """Return how many seconds a new key may be refused, as it is not known everywhere yet."""

    def resource(self, secret: Secret) -> Mapping[str, str]:
        """
        Return what the secret is for, by key: what must be the same in pending as in current (law 5).

        Raises:
            SecretError: a key is missing or of the wrong form.
        """

    def fresh(self, like: Secret, *, drawn: str) -> Secret:
        """
        Return `like` with a new key in it.

        Args:
            like: current.
            drawn: from GetRandomPassword; may be left unused where a key has a form of its own.
        """

    def accept(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """
        Have the key of `secret` accepted, on the authority of `by`; idempotent.

        Args:
            secret: pending.
            by: an admin, or current.
            like: current, which a service that accepts two goes on accepting.

        Raises:
            CredentialRejected: `by` was refused.
            ChangeRefused: the service would not.
            TargetUnreachable: could not be asked, or did not answer.
        """

    def test(self, secret: Secret) -> None:
        """
        Prove that the service accepts the key, by a call that changes nothing.

        Raises:
            CredentialRejected: it does not.
            TargetUnreachable: could not be asked (law 8).
        """


@runtime_checkable
class Offers(Protocol):
    """What stands for several providers: one function for every API key."""

    @property
    def name(self) -> str:
        """Return what the log calls it."""

    def provider_of(self, secret: Secret) -> Issues | Accepts:
        """
        Return the provider of a secret's key.

        Raises:
            SecretError: there is none for it.
            ConfigurationError: there is one, and its description is wrong.
        """
