"""The part of the engine contract about ``set``: what opens after it, on whose authority, and that a refusal changes nothing."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rotators.errors import ChangeRefused, CredentialRejected, RotatorsError, SecretError, TargetUnreachable
from rotators.testing.contract import together
from rotators.testing.engine_case import ITSELF, EngineCase, always_open, fails, other_password, user
from rotators.testing.proxy import Proxy

if TYPE_CHECKING:
    from rotators.testing.target import Target

#: Characters that end a string, a comment, a name or a statement somewhere.
NASTY = (
    "".join(chr(code) for code in range(32, 127)),
    "'",
    '"',
    "\\",
    "\\' OR 1=1 -- ",
    " at both ends ",
    "%s %(x)s {x} $1 ?",
    "a`b;c--d/*e*/#f",
    "密码パスワード",
    "🔑 é",
    "x" * 200,
)


class Changes(EngineCase):
    """What ``set`` does to one user."""

    #: Passwords that must be set, and log in to set the next.
    passwords: ClassVar[tuple[str, ...]] = NASTY

    def test_set_makes_it_open(self, target: Target, authority: str) -> None:
        """Three times, one after the other. The old value opens iff two are kept, and never one that is older."""
        values = [user(target)]
        kept = authority in self.keeps_two_passwords
        for _ in range(3):
            values.append(other_password(values[-1]))
            self.set(values[-1], by=self.by(authority, target, values[-2]), like=values[-2])
            self.ask(values[-1])
            opens = [target.opens(value) for value in values]
            assert opens == [False] * (len(values) - 2) + [kept, True], "the oldest first"

    def test_law_3_set_again_is_the_same(self, target: Target, authority: str) -> None:
        """By new engines. Where one password is kept, current is refused the second time: that says that pending is set."""
        current = user(target)
        pending = other_password(current)
        for _ in range(3):
            self.change(target, pending, current, authority)
            assert target.opens(pending)
            assert target.opens(current) == (authority in self.keeps_two_passwords)

    def test_at_every_moment_one_of_the_two_opens(self, target: Target, authority: str) -> None:
        """A client that tries both has no failed login; where two are kept, nor has one that tries AWSCURRENT alone."""
        current = user(target)
        for _ in range(3):
            pending = other_password(current)
            opening = [current] if authority in self.keeps_two_passwords else [pending, current]
            with always_open(target, *opening):
                self.set(pending, by=self.by(authority, target, current), like=current)
            current = pending

    def test_law_4_no_failed_login(self, target: Target, authority: str) -> None:
        """A change that goes well causes none at the server: nobody is locked out, nobody is alarmed."""
        current = user(target)
        pending, by = other_password(current), self.by(authority, target, current)
        refused = target.rejections()
        self.ask(current)
        self.set(pending, by=by, like=current)
        self.ask(pending)
        assert target.rejections() == refused
        fails(partial(self.ask, other_password(pending)), CredentialRejected)
        assert target.rejections() > refused, "the target itself is wrong: rejections() counts nothing"

    def test_law_8_an_authority_that_is_refused_changes_nothing(self, target: Target, authority: str) -> None:
        """A wrong password, and a user that is not there."""
        current = user(target)
        pending, by = other_password(current), self.by(authority, target, current)
        for refused in (other_password(by), {**by, "username": f"nobody_{uuid.uuid4().hex[:8]}"}):
            fails(partial(self.set, pending, by=refused, like=current), CredentialRejected)
            self.unchanged(target, pending, current)

    def test_who_has_no_right_changes_nothing(self, target: Target) -> None:
        """Another user, without rights, is no authority; and it is said that it was refused."""
        current, stranger = user(target), user(target)
        pending = other_password(current)
        fails(partial(self.set, pending, by=stranger, like=current), ChangeRefused)
        self.unchanged(target, pending, current)
        assert target.opens(stranger)

    def test_law_5_an_admin_of_another_server_is_not_used(self, target: Target) -> None:
        """Who may write the secret must not be able to choose where the admin's password goes."""
        admin = target.admin()
        current = user(target)
        pending = other_password(current)
        with Proxy(*target.address(admin), cut_after=0) as elsewhere:
            fails(partial(self.set, pending, by=target.through(admin, elsewhere.port), like=current), SecretError)
            assert elsewhere.connections == 0
        self.unchanged(target, pending, current)

    def test_law_11_nobody_is_made_by_the_way(self, target: Target) -> None:
        """A user that is not there is a wrong name in the secret, unless it is the other of a pair."""
        nobody = {**user(target), "username": f"nobody_{uuid.uuid4().hex[:8]}"}
        pending = other_password(nobody)
        fails(partial(self.set, pending, by=target.admin(), like=nobody), ChangeRefused)
        assert not target.opens(pending)

    def test_law_10_a_change_that_does_not_take_is_undone(self, target: Target, authority: str) -> None:
        """The server takes the change, and then lets nobody in with it."""
        current = user(target)
        pending, by = other_password(current), self.by(authority, target, current)
        with target.unprovable(current, by):
            fails(partial(self.set, pending, by=by, like=current), ChangeRefused, TargetUnreachable)
        self.unchanged(target, pending, current)
        self.set(pending, by=by, like=current)
        assert target.opens(pending)

    def test_nasty_passwords(self, target: Target, authority: str) -> None:
        """Each is set over a login with the one before."""
        current = user(target)
        for password in self.passwords:
            pending = {**current, "password": password}
            self.set(pending, by=self.by(authority, target, current), like=current)
            assert target.opens(pending), f"{password!r} was set and does not open"
            self.ask(pending)
            current = pending

    def test_nasty_names(self, target: Target, authority: str) -> None:
        """And the longest one."""
        tail = uuid.uuid4().hex[:8]
        for name in [*(f"{name}{tail}" for name in self.names), f"{tail:x<{self.longest_name}}"]:
            current = user(target, name)
            pending = other_password(current)
            self.set(pending, by=self.by(authority, target, current), like=current)
            assert target.opens(pending), f"the password of {name!r} was set and does not open"

    def test_law_9_no_password_in_the_servers_log(self, target: Target, authority: str) -> None:
        """Neither the new one nor the old one."""
        current = user(target)
        pending, by = other_password(current), self.by(authority, target, current)
        begin = len(target.log())
        self.set(pending, by=by, like=current)
        said = target.log()[begin:]
        assert said, "the target itself is wrong: log() has not seen a login"
        assert [v["password"] for v in (pending, current, by) if v["password"] in said] == []

    def test_law_3_five_at_once(self, target: Target, authority: str) -> None:
        """
        All end well, or with a retryable error that the retry ends well.

        Where one password is kept, a user that comes too late is refused with its old one: that is not retryable, and true.
        """
        current = user(target)
        pending, by = other_password(current), self.by(authority, target, current)
        late = authority == ITSELF and authority not in self.keeps_two_passwords
        raised = together([partial(self.set, pending, by=by, like=current)] * 5)
        fine = [
            isinstance(e, RotatorsError) and (e.retryable or (late and isinstance(e, CredentialRejected)))
            for e in raised
        ]
        assert [error for error, well in zip(raised, fine, strict=True) if not well] == []
        self.change(target, pending, current, authority)
        assert target.opens(pending)
        assert target.opens(current) == (authority in self.keeps_two_passwords)
