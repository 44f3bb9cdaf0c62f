"""The part of the engine contract for engines that leave the old password valid beside the new one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from rotators.abc import Discards
from rotators.errors import CredentialRejected, RotatorsError, TargetUnreachable
from rotators.secret import Secret
from rotators.testing.engine_case import ADMIN, ITSELF, EngineCase, fails, other_password, user
from rotators.testing.traffic_contract import lost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.testing.target import Target, Value


class TwoPasswords(EngineCase):
    """What becomes of the older of two passwords. Run where `keeps_two_passwords` names an authority."""

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Let `keeping` be each authority on which two passwords are kept."""
        super().pytest_generate_tests(metafunc)
        if "keeping" in metafunc.fixturenames:
            metafunc.parametrize("keeping", self.keeps_two_passwords)

    def test_law_4_again_and_again_leaves_the_password_in_use(self, target: Target, keeping: str) -> None:
        """RETAIN said twice makes both passwords the new one; and so in a second rotation, on top of the first."""
        current = user(target)
        for _ in range(2):
            pending = other_password(current)
            for time in range(3):
                self.set(pending, by=self.by(keeping, target, current), like=current)
                assert target.opens(current), f"set for the {time + 1}. time, and AWSCURRENT does not open"
                assert target.opens(pending)
            current = pending

    def test_an_abandoned_value_does_not_push_out_the_password_in_use(self, target: Target, keeping: str) -> None:
        """A rotation ended after setSecret, and the next one begins with the same AWSCURRENT. And once more."""
        current = user(target)
        abandoned: list[Value] = []
        for _ in range(3):
            pending = other_password(current)
            self.set(pending, by=self.by(keeping, target, current), like=current)
            assert target.opens(current), "the abandoned password was kept, and AWSCURRENT's was not"
            assert target.opens(pending)
            assert not any(target.opens(value) for value in abandoned)
            abandoned.append(pending)

    def test_discard_leaves_one(self, target: Target, keeping: str) -> None:
        """And does it twice, and where there is none to discard."""
        pending, old = self._two(target, keeping)
        for _ in range(2):
            self._discard(pending, by=self._who(keeping, target, pending))
            assert target.opens(pending)
            assert not target.opens(old)
        only = user(target)
        self._discard(only, by=self._who(keeping, target, only))
        assert target.opens(only)

    def test_discard_refused_changes_nothing(self, target: Target, keeping: str) -> None:
        """A wrong password, nobody there; and a value that opens nothing is none to keep."""
        pending, current = self._two(target, keeping)
        by = self._who(keeping, target, pending)
        fails(partial(self._discard, pending, by=other_password(by)), CredentialRejected)
        with self.proxied(target, pending, 0) as (_, through):
            fails(partial(self._discard, through(pending), by=through(by)), TargetUnreachable)
        wrong = other_password(pending)
        try:
            self._discard(wrong, by=wrong if keeping == ITSELF else by)
        except RotatorsError as error:
            assert not error.retryable  # noqa: PT017
        assert target.opens(pending), "what was discarded is the password in use"
        assert target.opens(current)
        assert not target.opens(wrong)

    def test_discard_cut_at_every_piece_of_traffic(self, target: Target, keeping: str) -> None:
        """The password in use opens at all times, and the retry ends the other."""
        pending, current = self._two(target, keeping)
        with self.proxied(target, pending) as (proxy, through):
            self._discard(through(pending), by=through(self._who(keeping, target, pending)))
            pieces = proxy.passed
        for piece in self.places(pieces):
            pending, current = other_password(pending), pending
            self.set(pending, by=self.by(keeping, target, current), like=current)
            by = self._who(keeping, target, pending)
            with self.proxied(target, pending, piece) as (proxy, through):
                lost(partial(self._discard, through(pending), by=through(by)), piece)
            assert target.opens(pending), f"cut after {piece}"
            self._discard(pending, by=by)
            assert target.opens(pending)
            assert not target.opens(current), f"cut after {piece}: the retry did not end the older one"

    def _two(self, target: Target, keeping: str) -> tuple[Value, Value]:
        """Return the new and the old of a user with two passwords."""
        current = user(target)
        pending = other_password(current)
        self.set(pending, by=self.by(keeping, target, current), like=current)
        assert target.opens(current)
        return pending, current

    def _who(self, keeping: str, target: Target, pending: Value) -> Value:
        return target.admin() if keeping == ADMIN else pending

    def _discard(self, value: Mapping[str, Any], *, by: Mapping[str, Any]) -> None:
        engine = self.new_engine()
        if not isinstance(engine, Discards):
            pytest.skip(f"NOT PROVEN: {engine.name} has no discard()")
        engine.discard(Secret(value), by=Secret(by))
