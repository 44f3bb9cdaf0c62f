"""
``KeyRotator``: rotates keys that their provider issues, shows once, and revokes.

To issue a key and to store it are two acts with a crash between them, so a key may be left that nobody holds. Each is
named after the secret and the version it was issued for, with the time: so what is ours and lost is found again, and what is
not ours is left alone. The next finishSecret revokes it; createSecret does where there is no room for another key.

The key that AWSPREVIOUS holds is in caches still. It lives until the next rotation's finishSecret (law 7).
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, final

from rotators import deadline
from rotators.errors import ChangeRefused, CredentialRejected, SecretError
from rotators.machine import Step
from rotators.rotator import Rotator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rotators.abc import Issues, Key
    from rotators.passwords import PasswordPolicy
    from rotators.rotation import Rotation
    from rotators.secret import Secret
    from rotators.store import SecretStore

#: Seconds after which whoever issued a key has stored it or never will: no invocation lasts longer (law 13).
ABANDONED = 2 * deadline.LONGEST
#: Seconds between two tries of a key that may not be known everywhere yet, and what is left for the answer.
PAUSE, ANSWER = 0.5, 1.0
#: How many foreign keys an error names.
NAMED = 5


@final
class KeyRotator(Rotator):
    """
    Rotates a key of a provider.

    Args:
        provider: who issues, tests and revokes.
        adopt: revoke keys too that this secret held and we have not issued: stored by hand, they are somebody's choice.
        store: the Secrets Manager calls.

    Example:
        >>> handler = KeyRotator(Relay())
    """

    def __init__(
        self,
        provider: Issues,
        *,
        adopt: bool = False,
        store: SecretStore | None = None,
        passwords: PasswordPolicy | None = None,
    ) -> None:
        super().__init__(store=store, passwords=passwords)
        self._provider = provider
        self._adopt = adopt

    def create(self, rotation: Rotation) -> Secret:
        """Issue a key, after making room for it where there is none."""
        self._provider.resource(rotation.current)
        by = rotation.admin or rotation.current
        if self._provider.most is not None:
            self._make_room(rotation, by, self._provider.most)
        return self._provider.issue(_name(rotation), by=by, like=rotation.current)

    def check(self, rotation: Rotation) -> None:
        """Law 5: pending is for the same thing as current, and not the very same key."""
        if rotation.step is Step.TEST and rotation.pending == rotation.current:
            return
        expected = self._provider.resource(rotation.current)
        self.same(rotation, expected, self._provider.resource(rotation.pending), expected)
        if not self._ids(rotation.pending):
            raise SecretError(
                "the AWSPENDING value does not say which key it holds, so that retiring keys might revoke it; it was not used. "
                f"Take it off with `aws secretsmanager update-secret-version-stage --secret-id {rotation.secret_id} "
                f"--version-stage AWSPENDING --remove-from-version-id {rotation.version}` and rotate again"
            )

    def set(self, rotation: Rotation) -> None:
        """Do nothing: a provider's key is valid as soon as it is issued."""

    def test(self, secret: Secret) -> None:
        """Ask the provider, again for a while where the key may not be known everywhere yet."""
        refused: CredentialRejected | None = None
        for pause in self._pauses():
            try:
                self._provider.test(secret)
            except CredentialRejected as error:
                refused = error
            else:
                return
            if pause:
                time.sleep(pause)
        if refused is not None:
            refused.retryable = refused.retryable or self._provider.settles > 0
            raise refused

    def retire(self, rotation: Rotation) -> None:
        """Law 7: revoke the key before the previous one, and what tries that failed have left."""
        if not self._ids(rotation.current):
            rotation.warn(f"no key of {self._provider.name} was revoked: AWSCURRENT does not say which one it holds")
            return
        by = rotation.admin or rotation.pending
        kept = self._ids(rotation.current, rotation.pending)
        for key in self._provider.keys(by=by):
            if key.id not in kept and (_ours(key, rotation) or self._adopted(rotation, key)):
                self._provider.revoke(key.id, by=by)

    def facts(self) -> Mapping[str, str]:
        """Return the provider's name, for the log."""
        return {"rotator": type(self).__name__, "engine": self._provider.name}

    def _make_room(self, rotation: Rotation, by: Secret, most: int) -> None:
        """
        Revoke what nobody holds; where that is not enough, the key of AWSPREVIOUS.

        A key of ours that is younger than `ABANDONED` may be another run's, which is about to store it.
        """
        keys = list(self._provider.keys(by=by))
        labelled = [rotation.current, *([rotation.previous] if rotation.previous is not None else [])]
        held = self._ids(*labelled)
        lost = [key for key in keys if _ours(key, rotation) and key.id not in held]
        young = [key for key in lost if time.time() - _born(key) < ABANDONED]
        current = self._ids(rotation.current)
        previous = held - current
        last = [key for key in keys if key.id in previous and (_ours(key, rotation) or self._adopted(rotation, key))]
        spare = [*(key for key in lost if key not in young), *([] if young else last)]
        for key in spare if current else []:  # or it might be the one in use
            if len(keys) < most:
                return
            self._provider.revoke(key.id, by=by)
            keys.remove(key)
        if len(keys) < most:
            return
        if young:
            raise ChangeRefused(
                f"{self._provider.name} has room for {most} keys, and one was issued for this secret less than {ABANDONED:g} s "
                "ago, by a run that may still store it: the next try finds out",
                retryable=True,
            )
        others = [key.id for key in keys if key.id not in held]
        raise ChangeRefused(
            f"{self._provider.name} has room for {most} keys and has {len(keys)}, of which we have not issued "
            f"{', '.join(others[:NAMED]) or 'those that this secret holds'}: revoke one by hand, or set adopt=True if the "
            "keys that this secret held may be revoked"
        )

    def _ids(self, *secrets: Secret) -> frozenset[str]:
        return frozenset(self._provider.key_of(secret) for secret in secrets if not secret.plain) - {""}

    def _adopted(self, rotation: Rotation, key: Key) -> bool:
        """Say whether we may revoke the key of AWSPREVIOUS though we have not issued it: it was stored here by hand."""
        if rotation.previous is None or key.id not in self._ids(rotation.previous):
            return False
        if self._adopt:
            return True
        rotation.warn(
            f"the key {key.id} of {self._provider.name} was stored in this secret by hand and is left valid: revoke it, or set "
            f"adopt=True"
        )
        return False

    def _pauses(self) -> Iterator[float]:
        """Yield how long to wait after a refusal, and 0 at the last."""
        end = deadline.Deadline(min(self._provider.settles, deadline.current().left() - ANSWER))
        while end.left() > 0:
            yield min(PAUSE, end.left())
        yield 0.0


def _prefix(rotation: Rotation) -> str:
    return f"rotators-{hashlib.sha256(rotation.about.arn.encode()).hexdigest()[:12]}-"


def _name(rotation: Rotation) -> str:
    return f"{_prefix(rotation)}{rotation.version}-{time.time_ns() // 1_000_000:x}"


def _ours(key: Key, rotation: Rotation) -> bool:
    return key.name.startswith(_prefix(rotation))


def _born(key: Key) -> float:
    """Return when a key of ours was issued, in seconds of our clock."""
    try:
        return int(key.name.rpartition("-")[2], 16) / 1000
    except ValueError:
        return 0.0
