"""``Attempt``: one setSecret of an engine's credential. Who was asked, who refused, and whether current has opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotators import strategies
from rotators.abc import Pairs
from rotators.errors import CredentialRejected, SecretError
from rotators.machine import AWSCURRENT, AWSPENDING

if TYPE_CHECKING:
    from rotators.abc import Engine
    from rotators.rotation import Rotation
    from rotators.secret import Secret


class Attempt:
    """One attempt to make pending valid, on one authority after the other (laws 4 and 5)."""

    def __init__(self, rotation: Rotation, engine: Engine) -> None:
        #: Who made the change.
        self.authority = ""
        self._rotation = rotation
        self._engine = engine
        self._asked: dict[tuple[Any, Any], str] = {}
        self._current_opens: bool | None = None

    def made(self, name: str, authority: Secret) -> bool:
        """Say whether pending is valid now: made so by `authority`, or already by an earlier try (law 4)."""
        if name == strategies.ADMIN and not self._current_has_opened():
            return self.authority == AWSPENDING
        if _who(authority) in self._asked or not self._may(name, authority):
            return False
        self.authority = name
        if self._set(name, authority):
            return True
        if name == AWSCURRENT:
            self._current_opens = False
            return self._set_before()
        if name in {strategies.ADMIN, strategies.LAST_RESORT}:
            again = self._rotation.admin_again()
            return again is not None and _who(again) not in self._asked and self._set(name, again)
        return False

    def failed(self) -> None:
        """
        Say who refused.

        Raises:
            CredentialRejected: always.
        """
        tried = "; ".join(self._asked.values())
        if self._current_opens:
            raise CredentialRejected(
                f"AWSCURRENT opens, and who should set the new password does not; tried {tried}. "
                "Correct the admin's secret that 'masterarn' names"
            )
        raise CredentialRejected(
            f"nothing we may use opens the target; tried {tried}. Store the value that works with `aws secretsmanager "
            f"put-secret-value --secret-id {self._rotation.secret_id}`, or let the admin of 'masterarn' set the password by "
            f"the strategy single"
        )

    def _set(self, name: str, authority: Secret) -> bool:
        pending, current = self._rotation.pending, self._rotation.current
        try:
            if isinstance(self._engine, Pairs) and pending.get("username") != current.get("username"):
                self._engine.pair(pending, by=authority, like=current, known=self._rotation.older())
            else:
                self._engine.set(pending, by=authority, like=current)
        except CredentialRejected as error:
            self._asked[_who(authority)] = f"{name} ({error})"
            return False
        return True

    def _current_has_opened(self) -> bool:
        """Law 5. Where it does not open, a single user's earlier try may have set pending (law 4)."""
        if self._current_opens is None:
            current = self._rotation.current
            self._current_opens = self._opens(AWSCURRENT, current)
            if not self._current_opens and self._rotation.pending.get("username") == current.get("username"):
                self._set_before()
        return self._current_opens

    def _set_before(self) -> bool:
        """Say whether an earlier try has set pending already (law 4)."""
        if not self._opens(AWSPENDING, self._rotation.pending):
            return False
        self.authority = AWSPENDING
        return True

    def _opens(self, name: str, secret: Secret) -> bool:
        try:
            self._engine.test(secret)
        except CredentialRejected as error:
            self._asked[_who(secret)] = f"{name} ({error})"
            return False
        return True

    def _may(self, name: str, authority: Secret) -> bool:
        """Law 5, for authorities: an older version may be for another host or user, and is then no use to us."""
        current = self._rotation.current
        if authority is current or name in {strategies.ADMIN, strategies.LAST_RESORT}:
            return True  # the engine itself holds an admin to the same host
        try:
            theirs = self._engine.resource(authority)
        except SecretError:
            return False
        return dict(theirs) == dict(self._engine.resource(current))


def _who(secret: Secret) -> tuple[Any, Any]:
    return (secret.get("username"), secret.get("password"))
