"""
``KeyRotator``: rotates keys that their provider issues, shows once, and revokes; or that a service is told to accept.

To issue a key and to store it are two acts with a crash between them, so a key may be left that nobody holds. Each is
named after the secret and the version it was issued for, with the time: so what is ours and lost is found again, and what is
not ours is left alone. The next finishSecret revokes it; createSecret does where there is no room for another key.

The key that AWSPREVIOUS holds is in caches still. It lives until the next rotation's finishSecret (law 7).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, final

from rotators import deadline
from rotators.abc import Accepts, Offers, Promotes
from rotators.errors import ChangeRefused, ConfigurationError, CredentialRejected, SecretError
from rotators.key_name import name_of, ours
from rotators.key_room import STORED, make_room
from rotators.machine import Step
from rotators.rotator import Rotator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rotators.abc import Issues, Key
    from rotators.passwords import PasswordPolicy
    from rotators.rotation import Rotation
    from rotators.secret import Secret
    from rotators.store import SecretStore

#: Seconds between two tries of a key that may not be known everywhere yet, and what is left for the answer.
PAUSE, ANSWER = 0.5, 1.0
#: How often a place is looked for that others may take.
TRIES = 2
ADOPT_TAG = "rotators:adopt"


@final
class KeyRotator(Rotator):
    """
    Rotates a key of a provider.

    Args:
        provider: who issues, tests and revokes; or is told the key; or what chooses one of these for each secret.
        adopt: revoke keys too that this secret held and we have not issued: stored by hand, they are somebody's choice. The
            secret's tag ``rotators:adopt`` overrules it.
        store: the Secrets Manager calls.
        passwords: what a key looks like that we make ourselves.

    Example:
        >>> handler = KeyRotator(Relay())
    """

    def __init__(
        self,
        provider: Issues | Accepts | Offers,
        *,
        adopt: bool = False,
        store: SecretStore | None = None,
        passwords: PasswordPolicy | None = None,
    ) -> None:
        super().__init__(store=store, passwords=passwords)
        self._provider = provider
        self._adopt = adopt

    def create(self, rotation: Rotation) -> Secret:
        """Issue a key, after making room for it where there is none; or make one."""
        provider, current = self.provider_of(rotation.current), rotation.current
        provider.resource(current)
        self._adopts(rotation)  # a wrong word is refused while nothing has been changed
        if isinstance(provider, Accepts):
            return provider.fresh(current, drawn=rotation.draw_password(self.password_policy(rotation)))
        by = self._authority(rotation)
        if provider.most is None:
            return rotation.saw(provider.issue(name_of(rotation), by=by, like=current))
        rotation.patience = STORED
        refused: ChangeRefused | None = None
        for _ in range(TRIES):
            if not make_room(rotation, provider, by=by, most=provider.most, adopted=self.adopted):
                return rotation.pending  # another run's, stored while we waited
            try:
                return rotation.saw(provider.issue(name_of(rotation), by=by, like=current))
            except ChangeRefused as error:
                refused = error  # another run may have taken the last place
        raise refused or ChangeRefused(f"{provider.name} has no room")

    def check(self, rotation: Rotation) -> None:
        """Law 5: pending is for the same thing as current, and not the very same key."""
        if rotation.step is Step.TEST and rotation.pending == rotation.current:
            return
        provider = self.provider_of(rotation.current)
        expected = provider.resource(rotation.current)
        found = provider.resource(rotation.pending)
        self.same(rotation, expected, found, {*expected, *found})
        if not isinstance(provider, Accepts) and not _ids(provider, rotation.pending):
            raise SecretError(
                "the AWSPENDING value does not say which key it holds, so that retiring keys might revoke it; it was not used. "
                f"Take it off with `aws secretsmanager update-secret-version-stage --secret-id {rotation.secret_id} "
                f"--version-stage AWSPENDING --remove-from-version-id {rotation.version}` and rotate again"
            )

    def set(self, rotation: Rotation) -> None:
        """Tell the service the key that we made, and prove it. A provider's key is valid as soon as it is issued."""
        provider, current, pending = self.provider_of(rotation.current), rotation.current, rotation.pending
        if not isinstance(provider, Accepts):
            return
        by = self._authority(rotation)
        deadline.current().enough()
        provider.accept(pending, by=by, like=current)
        undone = False
        try:
            self.test(pending)
        except CredentialRejected:
            undone = True
        if undone:  # law 10
            provider.accept(current, by=by, like=current)
            raise ChangeRefused(
                f"{provider.name} took the new key and does not accept it; the current one was put back. See what `push` sends"
            )

    def test(self, secret: Secret) -> None:
        """Ask the provider, again for a while where the key may not be known everywhere yet."""
        provider = self.provider_of(secret)
        refused: CredentialRejected | None = None
        for pause in _pauses(provider.settles):
            try:
                provider.test(secret)
            except CredentialRejected as error:
                refused = error
            else:
                return
            if pause:
                time.sleep(pause)
        if refused is not None:
            refused.retryable = refused.retryable or provider.settles > 0
            raise refused

    def test_once(self, secret: Secret) -> None:
        """Ask the provider, and believe its first answer."""
        self.provider_of(secret).test(secret)

    def retire(self, rotation: Rotation) -> None:
        """Law 7: revoke the key before the previous one, and what tries that failed have left."""
        provider, pending = self.provider_of(rotation.current), rotation.pending
        if isinstance(provider, Accepts):
            return
        by = rotation.admin or pending
        if isinstance(provider, Promotes):
            provider.promote(pending, by=by, like=rotation.current)
        if not _ids(provider, rotation.current):
            rotation.warn(f"no key of {provider.name} was revoked: AWSCURRENT does not say which one it holds")
            return
        kept = _ids(provider, rotation.current, pending)
        for key in provider.keys(by=by, like=pending):
            if key.id not in kept and (ours(key, rotation) or self.adopted(rotation, provider, key)):
                provider.revoke(key.id, by=by, like=pending)

    def facts(self) -> Mapping[str, str]:
        """Return the provider's name, for the log."""
        return {"rotator": type(self).__name__, "engine": self._provider.name}

    def provider_of(self, secret: Secret) -> Issues | Accepts:
        """Return the provider of a secret's key."""
        if not isinstance(self._provider, Offers):
            return self._provider
        provider = self._provider.provider_of(secret)
        self.say(engine=provider.name)
        return provider

    def _authority(self, rotation: Rotation) -> Secret:
        """Law 5: an admin is borrowed once current has opened, or whoever may write the secret could have any key issued."""
        admin = rotation.admin
        if admin is None:
            return rotation.current
        opens = True
        try:
            self.provider_of(rotation.current).test(rotation.current)
        except CredentialRejected:
            opens = False
        if not opens:
            raise CredentialRejected(
                "the key in AWSCURRENT does not work, so the admin's was not used: store one that works with `aws secretsmanager "
                f"put-secret-value --secret-id {rotation.secret_id}`"
            )
        return admin

    def _adopts(self, rotation: Rotation) -> bool:
        said = rotation.about.tags.get(ADOPT_TAG, str(self._adopt)).strip().lower()
        if said not in {"true", "false"}:
            raise ConfigurationError(f"the tag {ADOPT_TAG} must be true or false")
        return said == "true"

    def adopted(self, rotation: Rotation, provider: Issues, key: Key) -> bool:
        """Say whether we may revoke the key of AWSPREVIOUS though we have not issued it: it was stored here by hand."""
        if rotation.previous is None or key.id not in _ids(provider, rotation.previous):
            return False
        if self._adopts(rotation):
            return True
        rotation.warn(
            f"the key {key.id} of {provider.name} was stored in this secret by hand and is left valid: revoke it, or tag the "
            f"secret {ADOPT_TAG}=true"
        )
        return False


def _ids(provider: Issues, *secrets: Secret) -> frozenset[str]:
    return frozenset(provider.key_of(secret) for secret in secrets if not secret.plain) - {""}


def _pauses(settles: float) -> Iterator[float]:
    """Yield how long to wait after a refusal, and 0 at the last."""
    end = deadline.Deadline(min(settles, deadline.current().left() - ANSWER))
    while end.left() > 0:
        yield min(PAUSE, end.left())
    yield 0.0
