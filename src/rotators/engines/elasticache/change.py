"""Changing a user's passwords: known before it is set, waited for, proven by a login where there is a host, undone where not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rotators import telemetry, waiting
from rotators.engines.driver import load
from rotators.engines.elasticache.user import ACTIVE, TAG, User
from rotators.errors import ChangeRefused, CredentialRejected, SecretError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rotators.engines.elasticache.cache_user import CacheUser
    from rotators.engines.elasticache.user import Standing


def prove(who: CacheUser) -> None:
    """
    Log in at every node. Without a host: the user is active, and its tag says that this password was set.

    Raises:
        CredentialRejected: the login was refused, or another password was set.
        SecretError: there is no password, and the user has one.
        TargetUnreachable: could not be asked, or a change is going on still.
    """
    if who.login is not None and who.password is not None:
        _log_in(who)
        telemetry.add(proof="login")
        return
    user = User(who)
    seen = user.settle()
    if who.password is None:
        _takes(seen, who, who)
        telemetry.add(proof="status")
        return
    if seen.type != "password":
        raise CredentialRejected(f"the user {who.id} has no password yet ({seen.type})")
    for pause in waiting.pauses():
        mark = user.mark()
        if not mark or mark == who.mark or pause is None:
            break
        time.sleep(pause)
    if mark and mark != who.mark:
        raise CredentialRejected(f"the password was not set: the tag {TAG} of the user {who.id} is of another one")
    telemetry.add(proof="tag" if mark else "status")
    if not mark:
        why = "nothing was set by us yet" if mark == "" else "the role may not read or write the user's tags"
        telemetry.warn(
            f"the password of the user {who.id} is not proven, the user is active and no more is known: the secret names no host "
            f"to log in at, and {why}. See docs/elasticache.md"
        )


def change(new: CacheUser, by: CacheUser, old: CacheUser) -> None:
    """
    Let the user log in with `new`'s password and with `old`'s, and with no other.

    Args:
        new: pending.
        by: a value of this user; where there is a host it must open before the role's authority is used (law 5).
        old: current; its password goes on opening until the next change.

    Raises:
        CredentialRejected: `by` was refused, and nothing was changed.
        ChangeRefused: the service would not, or the new password was refused and the change undone (law 10).
        SecretError: the secret is not this user's, or holds a password that can't be set.
        TargetUnreachable: could not be asked, or the change goes on still.
    """
    user = User(new)
    seen = user.look()
    _takes(seen, new, old)
    waited = seen.status != ACTIVE
    if waited:
        seen = user.settle()
    if _made(user, new, seen, waited=waited):
        return
    if by.login is not None and by.password is not None:
        _log_in(by)
    kept = [] if old.password in {None, new.password} else [str(old.password)]
    while not user.replace([*kept, str(new.password)]):
        seen = user.settle()
        if _made(user, new, seen, waited=True):
            return
    user.sign(new.mark)
    user.settle()
    if new.login is not None:
        _prove(user, new, kept)


def discard(who: CacheUser) -> None:
    """Let the user log in with this password alone, which it has. Raises as `change`."""
    user = User(who)
    while user.settle().passwords > 1:
        if user.replace([str(who.password)]):
            user.settle()
            return


def _takes(seen: Standing, new: CacheUser, old: CacheUser) -> None:
    """Refuse a user that a password is not for, and one whose passwords in use would die as nobody told us of them."""
    if seen.type == "iam":
        raise ChangeRefused(f"the user {new.id} logs in by IAM and has no password: leave it out of rotation")
    if seen.off and new.login is not None:
        raise ChangeRefused(
            f"the user {new.id} is off, and the secret names a host to log in at: turn it on in its access string"
        )
    if old.password is None and seen.passwords and not seen.off:
        raise SecretError(
            f"'password' is missing in the secret, and the user {new.id} has one: it would end. Store it, or turn the user off"
        )


def _made(user: User, new: CacheUser, seen: Standing, *, waited: bool) -> bool:
    """
    Say whether an earlier try, or another run, has set pending already (law 4): a change takes long, and begun anew at each retry
    it would never end.

    A login is tried where there is a reason to believe that it opens. A role that may not read tags can't know: it tries.
    """
    mark = user.mark()
    if new.login is None:
        return mark == new.mark
    if not (waited or mark == new.mark or (mark is None and seen.passwords > 1)):
        return False
    try:
        _log_in(new)
    except CredentialRejected:
        return False
    return True


def _prove(user: User, new: CacheUser, kept: Sequence[str]) -> None:
    problem = ""
    for pause in waiting.pauses():
        try:
            _log_in(new)
        except CredentialRejected as error:
            problem = str(error)
        else:
            return
        if pause is not None:  # the service may say active before it is
            time.sleep(pause)
            user.settle()
    undone = "nothing else could be put in its place"
    if kept:
        user.sign("undone")
        undone = "AWSCURRENT's was set alone again" if user.replace(kept) else "it stands beside AWSCURRENT's"
    raise ChangeRefused(f"{problem}, right after it was set through {new.service.title}; {undone}")


def _log_in(who: CacheUser) -> None:
    load("redis.change", extra="redis").prove(who.login)
