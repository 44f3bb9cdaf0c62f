"""
``EngineRotator``: a Rotator made of an Engine (how to talk to the target) and a Strategy (whose identity).

Here live law 4 (know before you set: ask with current first, and only a clear "rejected" lets the next authority be
tried) and law 5 (pending must be for the same resource as current, checked before pending is used for any login; an
admin's authority is borrowed only once current has opened).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, final

from rotators import strategies
from rotators.abc import Chooses, Compares, Discards
from rotators.attempt import Attempt
from rotators.errors import ConfigurationError, CredentialRejected
from rotators.machine import Step
from rotators.passwords import PasswordPolicy
from rotators.rotator import Rotator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.abc import Engine, Strategy
    from rotators.description import Description
    from rotators.rotation import Rotation
    from rotators.secret import Secret
    from rotators.store import SecretStore

DISCARD_TAG = "rotators:discard-old"
DISCARD_VARIABLE = "ROTATORS_DISCARD_OLD"


@final
class EngineRotator(Rotator):
    """
    Rotates a credential of an engine.

    Args:
        engine: how to talk to the target, or what chooses it for each secret.
        strategy: whose identity; by default chosen for each secret (tag, variable, alternating users where it names an
            admin, else single user).
        store: the Secrets Manager calls.
        passwords: what a new password looks like.

    Example:
        >>> from rotators.engines.postgres import Postgres
        >>> handler = EngineRotator(Postgres())
    """

    def __init__(
        self,
        engine: Engine | Chooses,
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
        engine = self.engine_of(rotation.current)
        engine.resource(rotation.current)  # a malformed value is refused before anything is stored
        identity = self.strategy_of(rotation).next(rotation.current)
        engine.resource(identity)
        discards_old(rotation.about)  # a wrong word is refused while nothing has been changed
        return identity.replace(password=rotation.draw_password(self.password_policy(rotation)))

    def check(self, rotation: Rotation) -> None:
        """
        Law 5. Names the key that differs, never a value.

        testSecret alone is asked about a copy of current, which then is no other user's. Source: RotateSecret,
        RotateImmediately.
        """
        if rotation.step is Step.TEST and rotation.pending == rotation.current:
            return
        engine = self.engine_of(rotation.current)
        found = engine.resource(rotation.pending)
        expected = engine.resource(self.strategy_of(rotation).next(rotation.current))
        self.same(rotation, expected, found, expected)

    def set(self, rotation: Rotation) -> None:
        """Make pending valid, on the first authority that opens."""
        attempt = Attempt(rotation, self.engine_of(rotation.current))
        for name, authority in self.strategy_of(rotation).authorities(rotation):
            if attempt.made(name, authority):
                self.say(authority=attempt.authority)
                return
        attempt.failed()

    def test(self, secret: Secret) -> None:
        """Ask the engine."""
        self.engine_of(secret).test(secret)

    def compare(self, rotation: Rotation) -> None:
        """Law 12, where pending is another user than current."""
        engine = self.engine_of(rotation.current)
        if isinstance(engine, Compares) and rotation.pending.get("username") != rotation.current.get("username"):
            engine.same_rights(rotation.pending, rotation.current)

    def retire(self, rotation: Rotation) -> None:
        """Law 7, where it is asked for: end the old password now, and not at the next rotation."""
        engine = self.engine_of(rotation.current)
        same_user = rotation.pending.get("username") == rotation.current.get("username")
        if same_user and isinstance(engine, Discards) and discards_old(rotation.about):
            engine.discard(rotation.pending, by=rotation.admin or rotation.pending)

    def password_policy(self, rotation: Rotation) -> PasswordPolicy:
        """Return what a new password looks like, by the engine's own list of characters to leave out."""
        exclude = getattr(self.engine_of(rotation.current), "exclude_characters", None)
        return self._passwords or PasswordPolicy.read(tags=rotation.about.tags, exclude=exclude)

    def facts(self) -> Mapping[str, str]:
        """Return the engine's name, for the log."""
        return {"rotator": type(self).__name__, "engine": str(getattr(self._engine, "name", ""))}

    def _set_already(self, rotation: Rotation, rejected: CredentialRejected) -> None:  # noqa: ARG002 - the base's own
        """`set` has asked pending in its turn: another login would only be another failed one."""
        raise rejected

    def engine_of(self, secret: Secret) -> Engine:
        """Return the engine for a secret."""
        if not isinstance(self._engine, Chooses):
            return self._engine
        engine = self._engine.engine_of(secret)
        self.say(engine=engine.name)
        return engine

    def strategy_of(self, rotation: Rotation) -> Strategy:
        """
        Return the strategy for a rotation's secret.

        Raises:
            ConfigurationError: the word is none of ours, or the engine does not have that strategy.
        """
        engine = self.engine_of(rotation.current)
        first = bool(getattr(engine, "admin_first", False))
        strategy = self._strategy or strategies.choose(rotation, admin_first=first, pairs=isinstance(engine, Compares))
        if isinstance(strategy, strategies.AlternatingUsers) and not isinstance(engine, Compares):
            raise ConfigurationError(
                f"the engine {engine.name} has no alternating users: set the tag {strategies.TAG} to single"
            )
        self.say(strategy=strategy.name)
        return strategy


def discards_old(about: Description) -> bool:
    """
    Say whether a user's old password is to end with the rotation: the tag ``rotators:discard-old``, else the variable.

    Raises:
        ConfigurationError: it is neither true nor false.
    """
    where, said = f"the tag {DISCARD_TAG}", about.tags.get(DISCARD_TAG)
    if said is None:
        where, said = DISCARD_VARIABLE, os.environ.get(DISCARD_VARIABLE)
    answer = (said or "false").strip().lower()
    if answer not in {"true", "false"}:
        raise ConfigurationError(f"{where} must be true or false")
    return answer == "true"
