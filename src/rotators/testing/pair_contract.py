"""The part of the engine contract for engines whose users work in pairs: ``app`` and ``app_clone``, who is one and who is not."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING

from rotators.errors import ChangeRefused, CredentialRejected, RotatorsError, SecretError
from rotators.secret import Secret
from rotators.strategies import SUFFIX
from rotators.testing.contract import together
from rotators.testing.engine_case import always_open, fails, new_password, other_password, user
from rotators.testing.pair_case import PairCase

if TYPE_CHECKING:
    from rotators.testing.target import Target


class Alternating(PairCase):
    """What ``set`` does where `secret` and `like` name two users. Run where `alternates` says so."""

    def test_a_pair_is_made_from_nothing(self, target: Target) -> None:
        """It can do what its base can, no more; and set again it is the same."""
        base, clone = self.pair(target, target.rights[:-1])
        for _ in range(3):
            self.turn(target, clone, base)
            assert self.abilities(target, clone) == set(target.rights[:-1])
        again = other_password(clone)
        self.turn(target, again, base)
        assert not target.opens(clone)

    def test_four_turns(self, target: Target) -> None:
        """Whoever AWSCURRENT names has no failed login, and nobody has; both can do the same all the while."""
        current, pending = self.pair(target, target.rights)
        target.admin()
        refused = target.rejections()
        for _ in range(4):
            with always_open(target, current):
                self.turn(target, pending, current)
                self.same_rights(pending, current)
            assert self.abilities(target, pending) == set(target.rights)
            current, pending = pending, other_password(current)
        assert target.rejections() == refused

    def test_law_11_an_account_that_is_not_ours_is_refused(self, target: Target) -> None:
        """It has the name of a clone, and that is all: nothing is changed, whatever it may do."""
        for make in (target.account, target.superuser):
            base, clone = self.pair(target, target.rights[:1])
            stranger = make(clone["username"], new_password())
            assert target.opens(stranger)
            fails(partial(self.swap, clone, by=target.admin(), like=base), ChangeRefused)
            self.unchanged(target, clone, stranger)
            assert target.opens(base)
            if make == target.account:
                assert self.abilities(target, stranger) == set()

    def test_who_has_no_right_makes_no_pair(self, target: Target) -> None:
        """Neither a refused admin nor the user itself."""
        base, clone = self.pair(target, ())
        fails(partial(self.swap, clone, by=other_password(target.admin()), like=base), CredentialRejected)
        fails(partial(self.swap, clone, by=base, like=base), ChangeRefused)
        self.unchanged(target, clone, base)

    def test_users_that_are_no_pair_are_refused(self, target: Target) -> None:
        """Another user's name is no clone's; and a base that is not there has none."""
        base, other = user(target), user(target)
        pending = other_password(other)
        fails(partial(self.swap, pending, by=target.admin(), like=base), SecretError, ChangeRefused)
        self.unchanged(target, pending, other)
        nobody = {**base, "username": f"nobody_{uuid.uuid4().hex[:8]}"}
        clone = other_password({**nobody, "username": nobody["username"] + SUFFIX})
        fails(partial(self.swap, clone, by=target.admin(), like=nobody), SecretError, ChangeRefused)
        assert not target.opens(clone)

    def test_a_name_without_room_for_the_other_is_refused(self, target: Target) -> None:
        """A server that cuts it short would make the clone of somebody else's name, or of the base's own."""
        base = user(target, f"{uuid.uuid4().hex[:8]:x<{self.longest_name}}")
        clone = other_password({**base, "username": base["username"] + SUFFIX})

        def begin() -> None:
            self.new_engine().resource(Secret(clone))  # what the rotator asks before it sets anything
            self.swap(clone, by=target.admin(), like=base)

        fails(begin, SecretError, ChangeRefused)
        self.unchanged(target, {**base, "password": clone["password"]}, base)

    def test_nasty_names_in_pairs(self, target: Target) -> None:
        """And rights that a user with such a name has."""
        tail = uuid.uuid4().hex[:8]
        for name in self.names:
            base, clone = self.pair(target, target.rights, f"{name}{tail}")
            self.turn(target, clone, base)
            assert self.abilities(target, clone) == set(target.rights), f"the clone of {name!r}"
            self.same_rights(clone, base)

    def test_law_9_no_password_in_the_servers_log_of_a_pair(self, target: Target) -> None:
        """When it is made, and when it is set."""
        base, clone = self.pair(target, target.rights)
        admin = target.admin()
        begin = len(target.log())
        self.turn(target, clone, base)
        later = other_password(clone)
        self.turn(target, later, base)
        said = target.log()[begin:]
        assert said
        assert [v["password"] for v in (base, clone, later, admin) if v["password"] in said] == []

    def test_law_3_five_pairs_at_once(self, target: Target) -> None:
        """One is made; the others find it, or are told to come again."""
        base, clone = self.pair(target, target.rights)
        raised = together([partial(self.swap, clone, by=target.admin(), like=base)] * 5)
        assert [error for error in raised if not (isinstance(error, RotatorsError) and error.retryable)] == []
        self.turn(target, clone, base)
        assert self.abilities(target, clone) == set(target.rights)
