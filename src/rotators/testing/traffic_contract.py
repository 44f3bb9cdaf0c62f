"""The part of the engine contract about lost connections: cut, silent, gone (laws 3, 8, 10 and 13)."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from rotators.deadline import Deadline, running
from rotators.errors import CredentialRejected, RotatorsError, TargetUnreachable
from rotators.testing.contract import together
from rotators.testing.engine_case import EngineCase, fails, other_password, user
from rotators.testing.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.testing.target import Target, Value

#: Seconds that a call may take longer than the time it was given: a machine that is busy with other tests.
GRACE = 1.0


class Falling(Proxy):
    """Does not cut after so many pieces of traffic: it stops passing them on, and says nothing."""

    def _cut(self) -> None:
        if not self._open:
            super()._cut()


class Traffic(EngineCase):
    """What ``test`` and ``set`` do about a connection that is not there, or no longer."""

    def test_law_8_an_outage_changes_nothing(self, target: Target, authority: str) -> None:
        """And is over when it is over."""
        current = user(target)
        pending, by = other_password(current), self.by(authority, target, current)
        with self.proxied(target, current, 0) as (_, through):
            gone = fails(partial(self.set, through(pending), by=through(by), like=through(current)), TargetUnreachable)
            assert gone.retryable
        self.unchanged(target, pending, current)
        self.set(pending, by=by, like=current)
        assert target.opens(pending)

    def test_law_3_cut_at_every_piece_of_traffic(self, target: Target, authority: str) -> None:
        """Something that is stored opens after each cut, and the retry heals it; where two are kept, current opens too."""
        current = user(target)
        pending, pieces = self._measured(target, current, authority)
        for piece in self.places(pieces):
            current, pending = pending, other_password(pending)
            by = self.by(authority, target, current)
            with self.proxied(target, current, piece) as (proxy, through):
                error = lost(partial(self.set, through(pending), by=through(by), like=through(current)), piece)
                assert not error or proxy.passed >= piece, f"nothing was cut, and yet: {error}"
            self.something_opens(target, pending, current, authority, f"cut after {piece}")
            self.change(target, pending, current, authority)
            assert target.opens(pending), f"cut after {piece}: the retry did not heal it"

    def test_law_13_silence_costs_the_time_left_and_no_more(self, target: Target) -> None:
        """A target that accepts connections and says nothing, and a second to live; ``test`` and ``set`` together."""
        current = user(target)
        pending = other_password(current)
        host, port = target.address(current)
        with Proxy(host, port, silent=True) as proxy:
            away = target.through(current, proxy.port)
            calls: list[Callable[[], object]] = [partial(self.ask, away)]
            for authority in self.authorities:
                by = target.through(self.by(authority, target, current), proxy.port)
                calls.append(partial(self.set, target.through(pending, proxy.port), by=by, like=away))
            assert together([partial(in_time, call, 1.0) for call in calls]) == []
        self.unchanged(target, pending, current)

    def test_law_13_silence_in_mid_change(self, target: Target) -> None:
        """The target falls silent after so many pieces of traffic: the call ends in time, and the retry heals."""
        cases: list[tuple[Value, Value, str, int]] = []
        for authority in self.authorities:
            _, pieces = self._measured(target, user(target), authority)
            for piece in range(2, pieces, max(1, pieces // 6)):
                current = user(target)
                cases.append((current, other_password(current), authority, piece))
        assert together([partial(self._falls_silent, target, *case) for case in cases]) == []

    def _falls_silent(self, target: Target, current: Value, pending: Value, authority: str, piece: int) -> None:
        with self.proxied(target, current, piece, kind=Falling) as (_, through):
            by = through(self.by(authority, target, current))
            # Enough time to begin a change, or no change would be in the middle.
            in_time(partial(self.set, through(pending), by=by, like=through(current)), 4.0)
        self.something_opens(target, pending, current, authority, f"silent after {piece}")
        self.change(target, pending, current, authority)
        assert target.opens(pending), f"silent after {piece}: the retry did not heal it"

    def _measured(self, target: Target, current: Value, authority: str) -> tuple[Value, int]:
        """Change a user's password, and return its new value and how many pieces of traffic that took."""
        pending, by = other_password(current), self.by(authority, target, current)
        with self.proxied(target, current) as (proxy, through):
            self.set(through(pending), by=through(by), like=through(current))
            return pending, proxy.passed

    def something_opens(self, target: Target, pending: Value, current: Value, authority: str, where: str) -> None:
        """Ask in an order in which a change that comes late hides nothing."""
        kept = authority in self.keeps_two_passwords
        assert target.opens(current) or (not kept and (target.opens(pending) or target.opens(current))), (
            f"{where}: {'AWSCURRENT does not open' if kept else 'nothing that is stored opens'}"
        )


def lost(call: Callable[[], object], piece: int) -> RotatorsError | None:
    """Return what a call with a lost connection raised, if it did: retryable, and not a word about the credential."""
    try:
        call()
    except RotatorsError as error:
        assert error.retryable, f"cut after {piece}: {type(error).__name__} is not retryable: {error}"  # noqa: PT017
        assert not isinstance(error, CredentialRejected), f"cut after {piece}: taken for a refusal: {error}"  # noqa: PT017
        return error
    return None


def in_time(call: Callable[[], object], seconds: float) -> None:
    """Call it with so much time left; it must not take more, and may end well."""
    begin = time.monotonic()
    try:
        with running(Deadline(seconds)):
            call()
    except TargetUnreachable as error:
        assert error.retryable  # noqa: PT017
    took = time.monotonic() - begin
    assert took <= seconds + GRACE, f"took {took:.1f} s with {seconds} s left"
