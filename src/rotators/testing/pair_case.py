"""What the tests of pairs do again and again: make one, take a turn, ask what both can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.abc import Compares, Pairs
from rotators.machine import AWSPREVIOUS
from rotators.secret import Secret
from rotators.strategies import SUFFIX
from rotators.testing.engine_case import EngineCase, other_password, user

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rotators.testing.target import Target, Value


class PairCase(EngineCase):
    """Tools for two users that alternate."""

    def pair(self, target: Target, rights: Iterable[str], username: str | None = None) -> tuple[Value, Value]:
        """Make a user with rights; return its value, and a pending one of the other of the pair, which is not there yet."""
        base = user(target, username)
        for right in rights:
            target.grant(base["username"], right)
        return base, other_password({**base, "username": base["username"] + SUFFIX})

    def swap(self, pending: Value, *, by: Value, like: Value, through: Callable[[Value], Value] = dict) -> None:
        """Call ``Engine.set``, or ``Pairs.pair`` with what the secret's AWSPREVIOUS is then: the user's value before."""
        engine = self.new_engine()
        secret, admin, current = (Secret(through(value)) for value in (pending, by, like))
        if not isinstance(engine, Pairs):
            engine.set(secret, by=admin, like=current)
            return
        before = [value for value in self._stored if value["username"] == pending["username"] and value != pending]
        engine.pair(
            secret, by=admin, like=current, known=iter([(AWSPREVIOUS, Secret(through(v))) for v in before[-1:]])
        )

    def turn(self, target: Target, pending: Value, current: Value) -> None:
        """Let the admin make `pending` valid, as a rotation does; both open after it."""
        if current not in self._stored:
            self._stored.append(current)
        self.swap(pending, by=target.admin(), like=current)
        self._stored.append(pending)
        assert target.opens(pending)
        assert target.opens(current), "the user that AWSCURRENT names was touched"

    def same_rights(self, pending: Value, current: Value) -> None:
        """Call ``Compares.same_rights`` of a new engine."""
        engine = self.new_engine()
        assert isinstance(engine, Compares)
        engine.same_rights(Secret(pending), Secret(current))

    def abilities(self, target: Target, value: Value) -> set[str]:
        """Try each right."""
        return {right for right in target.rights if target.can(value, right)}

    @property
    def _stored(self) -> list[Value]:
        """What the secret has held in this test, the oldest first."""
        stored: list[Value] = self.__dict__.setdefault("_has_held", [])
        return stored
