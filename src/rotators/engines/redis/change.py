"""Changing a user's passwords at every node: asked before anything is changed, proven after, undone where it does not take."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from typing import TYPE_CHECKING

from rotators import deadline
from rotators.engines.redis.persistence import persist
from rotators.engines.redis.session import Refused, Session
from rotators.errors import ChangeRefused, CredentialRejected

if TYPE_CHECKING:
    from rotators.engines.redis.nodes import RedisSecret

#: What a user must be allowed to change passwords, its own or others'.
RIGHTS = "+acl|getuser +acl|setuser +acl|save +config|rewrite"


def prove(who: RedisSecret) -> None:
    """
    Log in at every node. That is proof enough: a user may have the right to no command at all.

    Raises:
        CredentialRejected, TargetUnreachable: as `Session`.
    """
    for node in who.nodes:
        Session(who.at(*node)).close()


def change(by: RedisSecret, new: RedisSecret, old: RedisSecret) -> None:
    """
    Let the user log in with `new`'s password and with `old`'s, and with no other.

    Args:
        by: whose sessions do it.
        new: pending.
        old: current; its password goes on opening (law 7), if it does.

    Raises:
        CredentialRejected: `by` was refused at some node, and nothing was changed.
        ChangeRefused: the server would not, or the new password was refused and the change undone (law 10).
        TargetUnreachable: a node could not be asked.
    """
    _leave(by, new, kept={_hash(new.login.password), _hash(old.login.password)})


def discard(by: RedisSecret, new: RedisSecret) -> None:
    """Let the user log in with `new`'s password alone, which it has already. Raises as `change`."""
    _leave(by, new, kept={_hash(new.login.password)}, known=True)


def _leave(by: RedisSecret, new: RedisSecret, *, kept: set[str], known: bool = False) -> None:
    added = _hash(new.login.password)
    with ExitStack() as stack:
        nodes = [_Node(stack.enter_context(Session(by.at(*node))), new, node) for node in by.nodes]
        for node in nodes:
            node.look()
            if known and not node.has(added):
                raise CredentialRejected(
                    f"the server at {node.host}:{node.port} does not have the password that was to be kept"
                )
        deadline.current().enough()
        changed: list[_Node] = []
        problem = ""
        try:
            for node in nodes:
                changed.append(node)
                node.leave(added, kept)
            prove(new)
        except CredentialRejected as error:
            problem = str(error)
        if problem:
            for node in changed:
                node.undo(added)
            raise ChangeRefused(f"{problem}, right after it was set; the passwords were put back as they were")
        for node in nodes:
            persist(node.session, f"{node.host}:{node.port}")


class _Node:
    """One node: what the user's passwords were there."""

    def __init__(self, session: Session, new: RedisSecret, node: tuple[str, int]) -> None:
        self.session = session
        self.host, self.port = node
        self._user = new.login.username
        self._before: frozenset[str] = frozenset()

    def look(self) -> None:
        """Read the user, and refuse one that a new password would not let in, or that any lets in."""
        at = f"{self.host}:{self.port}"
        refused: Refused | None = None
        answer = None
        try:
            answer = self.session.ask("ACL", "GETUSER", self._user)
        except Refused as error:
            refused = error
        if refused is not None:
            raise _refusal(refused, at, self._user)
        if answer is None:
            raise ChangeRefused(f"the server at {at} has no user {self._user!r}: make it with ACL SETUSER")
        said = dict(zip(answer[::2], answer[1::2], strict=True))
        flags = {flag.decode() for flag in said[b"flags"]}
        if "nopass" in flags:
            raise ChangeRefused(
                f"{self._user!r} at {at} is let in with any password (nopass): ACL SETUSER {self._user} resetpass, and give it one"
            )
        if "on" not in flags:
            raise ChangeRefused(f"{self._user!r} at {at} is off: ACL SETUSER {self._user} on")
        self._before = frozenset(each.decode() for each in said[b"passwords"])

    def has(self, password: str) -> bool:
        """Say whether the user has a password, by its hash."""
        return password in self._before

    def leave(self, added: str, kept: set[str]) -> None:
        """Add one, and take away what is not kept: one command, which is done as a whole or not at all."""
        words = [f"#{added}"] if added not in self._before else []
        words += [f"!{each}" for each in sorted(self._before - kept)]
        if words:
            self._set(words)

    def undo(self, added: str) -> None:
        """Put the passwords back."""
        words = [f"#{each}" for each in sorted(self._before)]
        self._set([*words, *([f"!{added}"] if added not in self._before else [])])

    def _set(self, words: list[str]) -> None:
        refused: Refused | None = None
        try:
            self.session.ask("ACL", "SETUSER", self._user, *words)
        except Refused as error:
            refused = error
        if refused is not None:
            raise _refusal(refused, f"{self.host}:{self.port}", self._user)


def _refusal(refused: Refused, at: str, user: str) -> ChangeRefused:
    if refused.word == "NOPERM":
        return ChangeRefused(
            f"who asks may not change passwords at {at}: ACL SETUSER … {RIGHTS}, or name an admin's secret in 'masterarn' (for "
            f"{user!r}, with the strategy single)"
        )
    return ChangeRefused(
        f"the server at {at} would not change {user!r} ({refused.word or 'ERR'}): is it Redis 6 or newer, or Valkey?"
    )


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
