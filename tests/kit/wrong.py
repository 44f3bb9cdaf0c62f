"""
Deliberately wrong rotators of passwords and of keys, one law broken in each, and the test of the contract that must reject it.

Each is what a template, a blog post or a review has had. They are written as an author writes one: with the docs alone.
"""

from __future__ import annotations

import logging
import os
import secrets
from typing import TYPE_CHECKING, Any

import urllib3

from rotators import CredentialRejected, KeyRotator, Rotation, Rotator, Secret, TargetUnreachable
from tests.keys.provider import Speaks
from tests.kit.relay import ByUrllib3

if TYPE_CHECKING:
    from rotators.abc import Key

log = logging.getLogger("relay")


class DrawsAgain(ByUrllib3):
    """Law 2: what is set is drawn in setSecret, and not what is stored."""

    def set(self, rotation: Rotation) -> None:
        self.said(self.ask(rotation.current, rotation.pending["password"] + secrets.token_hex(2)))


class SetsInCreate(ByUrllib3):
    """Law 2: the target is changed before the value is stored."""

    def create(self, rotation: Rotation) -> Secret:
        value = super().create(rotation)
        self.said(self.ask(rotation.current, value["password"]))
        return value

    def set(self, rotation: Rotation) -> None:
        self.test(rotation.pending)


class SetsOnlyOnce(ByUrllib3):
    """Law 3: remembers in memory that it has done its work."""

    done = False

    def set(self, rotation: Rotation) -> None:
        if self.done:
            raise RuntimeError("already set")
        super().set(rotation)
        self.done = True


class NeverFails(ByUrllib3):
    """Law 6: a test that is content with any answer."""

    def said(self, status: int) -> None:
        pass


class TestsNothing(ByUrllib3):
    """Law 6: set is enough, it has not failed."""

    def test(self, secret: Secret) -> None:
        pass


class Swallows(ByUrllib3):
    """Law 8: an outage is taken for success."""

    def ask(self, secret: Secret, password: str | None) -> int:
        try:
            return super().ask(secret, password)
        except urllib3.exceptions.HTTPError:
            return 200


class TakesTimeoutsForNo(ByUrllib3):
    """Law 8: an outage is taken for a refusal."""

    def ask(self, secret: Secret, password: str | None) -> int:
        try:
            return super().ask(secret, password)
        except urllib3.exceptions.HTTPError as error:
            raise CredentialRejected("no") from error


class Logs(ByUrllib3):
    """Law 9: at DEBUG, only for this week."""

    def set(self, rotation: Rotation) -> None:
        log.debug("new password is %s", rotation.pending["password"])
        super().set(rotation)


class Tells(ByUrllib3):
    """Law 9: hands the request on with the exception, for whoever may want to look at it."""

    def test(self, secret: Secret) -> None:
        failure = TargetUnreachable("nobody there")
        failure.request = self.headers(secret)  # type: ignore[attr-defined] # that is what is wrong
        try:
            super().test(secret)
        except urllib3.exceptions.HTTPError:
            raise failure from None


class Prints(ByUrllib3):
    """Law 9: prints the request."""

    def headers(self, secret: Secret) -> dict[str, str]:
        found = super().headers(secret)
        os.write(1, repr(found).encode())
        return found


class SharesATarget(ByUrllib3):
    """Law 5: sets at whatever place pending names."""

    def check(self, rotation: Rotation) -> None:
        pass

    def set(self, rotation: Rotation) -> None:
        self.said(self.ask(rotation.current.replace(url=rotation.pending["url"]), rotation.pending["password"]))


class Forgets(ByUrllib3):
    """Keys of the secret that somebody else has put there are gone after a rotation."""

    def create(self, rotation: Rotation) -> Secret:
        value = super().create(rotation)
        return Secret({key: value[key] for key in ("url", "port", "password")})


class AsksWithPending(ByUrllib3):
    """Law 4: tries the new password first, which is a failed login in every rotation."""

    def set(self, rotation: Rotation) -> None:
        try:
            self.test(rotation.pending)
        except CredentialRejected:
            super().set(rotation)


class Sleeps(ByUrllib3):
    """Law 13: no time-out, as the library has none."""

    def ask(self, secret: Secret, password: str | None) -> int:
        method = "GET" if password is None else "PUT"
        with urllib3.PoolManager(timeout=7.0, retries=False) as pool:
            answer = pool.request(method, secret["url"], headers=self.headers(secret), body=self.body(password))
            return int(answer.status)


#: Passwords: the wrong one, and the tests that must fail.
PASSWORDS: dict[type[Rotator], str] = {
    DrawsAgain: "test_it_rotates",
    SetsInCreate: "test_law_2_pending_is_the_write_ahead_log",
    SetsOnlyOnce: "test_law_3_every_step_may_run_twice",
    NeverFails: "test_law_6_never_promote_what_does_not_open",
    TestsNothing: "test_law_6_never_promote_what_does_not_open",
    Swallows: "test_law_8_unreachable_is_not_rejected",
    TakesTimeoutsForNo: "test_law_8_unreachable_is_not_rejected",
    Logs: "test_law_9_no_secret_in_text",
    Tells: "test_law_9_no_secret_in_text",
    Prints: "test_law_9_no_secret_in_text",
    SharesATarget: "test_law_5_same_resource",
    Forgets: "test_it_rotates",
    AsksWithPending: "test_law_4_know_before_you_set",
    Sleeps: "test_law_13_a_silent_target_does_not_eat_the_functions_time",
}


class Keys(Rotator):
    """A rotator of keys by hand: issues, tests, and revokes what is before previous, as long as nothing goes wrong."""

    provider = Speaks()

    def create(self, rotation: Rotation) -> Secret:
        return self.provider.issue(f"key of {rotation.version}", by=rotation.current, like=rotation.current)

    def set(self, rotation: Rotation) -> None:
        pass

    def test(self, secret: Secret) -> None:
        self.provider.test(secret)

    def listed(self, rotation: Rotation) -> list[Key]:
        return self.provider.keys(by=rotation.pending, like=rotation.pending)


class LeavesOrphans(Keys):
    """Law 7: revokes the key of AWSPREVIOUS, and knows of no other."""

    def retire(self, rotation: Rotation) -> None:
        if rotation.previous is not None:
            self.provider.revoke(rotation.previous["key_id"], by=rotation.pending, like=rotation.pending)


class RevokesPrevious(Keys):
    """Law 7: revokes the key that caches still have, just before the label moves."""

    def retire(self, rotation: Rotation) -> None:
        for key in self.listed(rotation):
            if key.name.startswith("key of") and key.id != rotation.pending["key_id"]:
                self.provider.revoke(key.id, by=rotation.pending, like=rotation.pending)


class RevokesOthers(Keys):
    """Law 7: tidies up whatever it does not know."""

    def retire(self, rotation: Rotation) -> None:
        kept = {rotation.pending["key_id"], rotation.current["key_id"]}
        for key in self.listed(rotation):
            if key.id not in kept:
                self.provider.revoke(key.id, by=rotation.pending, like=rotation.pending)


class NeverRevokes(Keys):
    """Law 7: one key more with every rotation."""


class RevokesInCreate(Keys):
    """Law 7: makes room first, by the key that is in use."""

    def create(self, rotation: Rotation) -> Secret:
        made = super().create(rotation)
        self.provider.revoke(rotation.current["key_id"], by=made, like=made)
        return made


#: Keys: the wrong one, and a test that must fail.
KEYS: dict[type[Rotator], str] = {
    LeavesOrphans: "test_law_3_a_crash_at_every_call",
    RevokesPrevious: "test_law_7_awscurrent_opens_after_every_call",
    RevokesOthers: "test_law_3_a_crash_at_every_call",
    NeverRevokes: "test_law_3_a_crash_at_every_call",
    RevokesInCreate: "test_law_2_pending_is_the_write_ahead_log",
}


def right(store: Any) -> KeyRotator:
    """Return the right one."""
    return KeyRotator(Speaks(), store=store)
