"""The part of the engine contract about what both users of a pair can do: the same, at every moment (law 12)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rotators.errors import ChangeRefused, CredentialRejected, TargetUnreachable
from rotators.testing.engine_case import fails, other_password
from rotators.testing.pair_case import PairCase
from rotators.testing.traffic_contract import lost

if TYPE_CHECKING:
    from rotators.testing.target import Target, Value


class PairRights(PairCase):
    """The base is the reference. Run where `alternates` says so."""

    def test_law_12_additions_and_revocations_follow(self, target: Target) -> None:
        """The base is the reference: what it is granted or loses, and what only the clone has."""
        base, clone = self.pair(target, ())
        for right in target.rights:
            for change, follows in ((target.grant, True), (target.revoke, False)):
                change(base["username"], right)
                clone = other_password(clone)
                self.turn(target, clone, base)
                assert target.can(clone, right) == follows, f"{right}: {change.__name__} did not follow"
                assert target.can(base, right) == follows
            target.grant(clone["username"], right)
            clone = other_password(clone)
            self.turn(target, clone, base)
            assert not target.can(clone, right), f"{right} is the clone's alone, and stays"

    def test_law_12_differences_are_named(self, target: Target) -> None:
        """Less than the base can, and more: refused, by name and without a password. Where a right follows at once, all is well."""
        base, clone = self.pair(target, ())
        self.turn(target, clone, base)
        seen = 0
        for right in target.rights:
            for change in (target.grant, target.revoke):
                change(base["username"], right)
                if target.can(clone, right) != target.can(base, right):
                    said = str(fails(partial(self.same_rights, clone, base), ChangeRefused))
                    assert right in said, f"{right} differs, and the error does not name it: {said}"
                    assert clone["password"] not in said
                    assert base["password"] not in said
                    seen += 1
                clone = other_password(clone)
                self.turn(target, clone, base)
                self.same_rights(clone, base)
        assert seen, "no right of the target's makes a difference between the two: give it one that does"

    def test_same_rights_asks_the_target(self, target: Target) -> None:
        """So it knows rejected from unreachable."""
        base, clone = self.pair(target, ())
        self.turn(target, clone, base)
        fails(partial(self.same_rights, other_password(clone), base), CredentialRejected)
        with self.proxied(target, base, 0) as (_, through):
            assert fails(partial(self.same_rights, through(clone), through(base)), TargetUnreachable).retryable

    def test_law_12_complete_before_it_opens_made_from_nothing(self, target: Target) -> None:
        """The connection is cut after each piece of traffic: a clone that opens can do all that its base can."""
        self._cut_everywhere(target, fresh=True)

    def test_law_12_complete_before_it_opens_when_rights_change(self, target: Target) -> None:
        """The same with a clone that is there, while the base is granted a right or loses one."""
        self._cut_everywhere(target, fresh=False)

    def _cut_everywhere(self, target: Target, *, fresh: bool) -> None:
        rights = set(target.rights[:1])
        base, clone = self.pair(target, rights)
        if not fresh:
            self.turn(target, clone, base)
            base, clone, rights = self._changed(target, base, clone, rights)
        with self.proxied(target, base) as (proxy, through):
            self.swap(clone, by=target.admin(), like=base, through=through)
            pieces = proxy.passed
        self.turn(target, clone, base)
        for piece in self.places(pieces):
            if fresh:
                base, clone = self.pair(target, rights)
            else:
                base, clone, rights = self._changed(target, base, clone, rights)
            self._cut(target, base, clone, rights, piece)

    def _changed(self, target: Target, base: Value, clone: Value, rights: set[str]) -> tuple[Value, Value, set[str]]:
        """Give the base the last right, or take it, and have a new value for its clone."""
        right = target.rights[-1]
        (target.revoke if right in rights else target.grant)(base["username"], right)
        return base, other_password(clone), rights ^ {right}

    def _cut(self, target: Target, base: Value, clone: Value, rights: set[str], piece: int) -> None:
        with self.proxied(target, base, piece) as (proxy, through):
            error = lost(partial(self.swap, clone, by=target.admin(), like=base, through=through), piece)
            assert not error or proxy.passed >= piece, f"nothing was cut, and yet: {error}"
        if target.opens(clone):
            can = self.abilities(target, clone)
            assert can == rights, f"cut after {piece}: the clone opens and can do {can}, its base {rights}"
        assert target.opens(base), f"cut after {piece}: the base was touched"
        self.turn(target, clone, base)
        can = self.abilities(target, clone)
        assert can == rights, f"cut after {piece}: the retry left the clone with {can}, its base has {rights}"
