"""
``EngineRotator``: a Rotator made of an Engine (how to talk to the target) and a Strategy (whose identity).

Here live law 4 (know before you set: ask with current first, and only a clear "rejected" lets the next authority be
tried) and law 5 (pending must be for the same resource as current, checked before pending is used for any login).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from rotators import strategies
from rotators.errors import CredentialRejected, SecretError
from rotators.machine import AWSCURRENT, AWSPENDING
from rotators.passwords import PasswordPolicy
from rotators.rotator import Rotator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.abc import Engine, Strategy
    from rotators.rotation import Rotation
    from rotators.secret import Secret
    from rotators.store import SecretStore


@final
class EngineRotator(Rotator):
    """
    Rotates a credential of an engine.

    Args:
        engine: how to talk to the target.
        strategy: whose identity; by default chosen for each secret (tag, variable, else single user).
        store: the Secrets Manager calls.
        passwords: what a new password looks like.

    Example:
        >>> from rotators.engines.postgres import Postgres
        >>> handler = EngineRotator(Postgres())
    """

    def __init__(
        self,
        engine: Engine,
        strategy: Strategy | None = None,
        *,
        store: SecretStore | None = None,
        passwords: PasswordPolicy | None = None,
    ) -> None:
        super().__init__(store=store, passwords=passwords)
        self._engine = engine
        self._strategy = strategy

    def create(self, rotation: Rotation) -> Secret:
        """Return the current value, as the strategy names its user, with a fresh password."""
        self._engine.resource(rotation.current)  # a malformed value is refused before anything is stored
        identity = self._of(rotation).next(rotation.current)
        return identity.replace(password=rotation.draw_password(self.password_policy(rotation)))

    def check(self, rotation: Rotation) -> None:
        """Law 5. Names the key that differs, never a value."""
        found = self._engine.resource(rotation.pending)
        expected = self._engine.resource(self._of(rotation).next(rotation.current))
        self.same(rotation, expected, found, expected)

    def set(self, rotation: Rotation) -> None:
        """Make pending valid, on the first authority that opens."""
        current, pending = rotation.current, rotation.pending
        refused: list[str] = []
        tried: set[tuple[Any, Any]] = set()
        for name, authority in self._of(rotation).authorities(rotation):
            who = (authority.get("username"), authority.get("password"))
            if who in tried or not self._may(authority, current, name):
                continue
            tried.add(who)
            try:
                self._engine.set(pending, by=authority, like=current)
            except CredentialRejected as error:
                refused.append(f"{name} ({error})")
            else:
                self.say(authority=name)
                return
            if name == AWSCURRENT:
                if self._opens(pending, refused):
                    return
                tried.add((pending.get("username"), pending.get("password")))
        raise CredentialRejected(
            f"nothing we hold opens the target; tried {'; '.join(refused)}. Store the value that works with `aws "
            f"secretsmanager put-secret-value --secret-id {rotation.secret_id}`, or name an admin's secret in 'masterarn'"
        )

    def test(self, secret: Secret) -> None:
        """Ask the engine."""
        self._engine.test(secret)

    def password_policy(self, rotation: Rotation) -> PasswordPolicy:
        """Return what a new password looks like, by the engine's own list of characters to leave out."""
        exclude = getattr(self._engine, "exclude_characters", None)
        return self._passwords or PasswordPolicy.read(tags=rotation.about.tags, exclude=exclude)

    def facts(self) -> Mapping[str, str]:
        """Return the engine's name, for the log."""
        return {"rotator": type(self).__name__, "engine": self._engine.name}

    def _set_already(self, rotation: Rotation, rejected: CredentialRejected) -> None:  # noqa: ARG002 - the base's own
        """`set` has asked pending in its turn: another login would only be another failed one."""
        raise rejected

    def _of(self, rotation: Rotation) -> Strategy:
        strategy = self._strategy or strategies.choose(rotation.about)
        self.say(strategy=strategy.name)
        return strategy

    def _opens(self, pending: Secret, refused: list[str]) -> bool:
        """Say whether an earlier try has set pending already (law 4)."""
        try:
            self._engine.test(pending)
        except CredentialRejected as error:
            refused.append(f"{AWSPENDING} ({error})")
            return False
        return True

    def _may(self, authority: Secret, current: Secret, name: str) -> bool:
        """Law 5, for authorities: an older version may be for another host or user, and is then no use to us."""
        if authority is current or name == strategies.ADMIN:
            return True  # the engine itself holds an admin to the same host
        try:
            theirs = self._engine.resource(authority)
        except SecretError:
            return False
        return dict(theirs) == dict(self._engine.resource(current))
