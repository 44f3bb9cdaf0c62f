"""The part of the engine contract about answers: works, rejected, unreachable; and that none of them tells a secret."""

from __future__ import annotations

import logging
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from rotators.abc import Compares, Discards, Engine
from rotators.errors import CredentialRejected, RotatorsError, TargetUnreachable
from rotators.secret import Secret
from rotators.testing.engine_case import EngineCase, fails, new_password, other_password, user
from rotators.testing.values_contract import CANARY, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.testing.target import Target


class Answers(EngineCase):
    """What ``test`` says, and what nothing says."""

    def test_it_is_an_engine_and_says_what_it_can(self) -> None:
        """The abilities that the subclass declares are those that the engine has."""
        engine = self.new_engine()
        assert isinstance(engine, Engine)
        assert engine.name
        assert isinstance(engine, Compares) == self.alternates, "`alternates` and same_rights() say different things"
        assert not isinstance(engine, Discards) or self.keeps_two_passwords, "discard() and nothing to discard"

    def test_the_target_itself_is_right(self, target: Target) -> None:
        """What is proven below, is proven by its word."""
        value, nobody = user(target), {**user(target), "username": f"nobody_{uuid.uuid4().hex[:8]}"}
        assert target.opens(value)
        assert not target.opens(other_password(value))
        assert not target.opens(nobody)

    def test_what_opens_works(self, target: Target) -> None:
        """Again and again, by one engine and by a new one."""
        value, engine = user(target), self.new_engine()
        for _ in range(3):
            engine.test(Secret(value))
        self.ask(value)

    def test_an_engine_remembers_nothing(self, target: Target) -> None:
        """What it was told once is not what holds now: it is asked for what opened, and no longer does."""
        values, engine = [user(target)], self.new_engine()
        for _ in range(2):
            engine.test(Secret(values[-1]))
            values.append(other_password(values[-1]))
            fails(partial(engine.test, Secret(values[-1])), CredentialRejected)
            self.set(values[-1], by=self.by(self.authorities[0], target, values[-2]), like=values[-2])
            engine.test(Secret(values[-1]))
        fails(partial(engine.test, Secret(values[0])), CredentialRejected)

    def test_law_8_a_wrong_password_is_rejected(self, target: Target) -> None:
        """And one that is nearly right; and so is a user that is not there."""
        value = user(target)
        password = value["password"]
        for wrong in (new_password(), password[:-1], password + " ", password.upper(), " "):
            assert not fails(partial(self.ask, {**value, "password": wrong}), CredentialRejected).retryable
        assert not fails(
            partial(self.ask, {**value, "username": f"nobody_{uuid.uuid4().hex[:8]}"}), CredentialRejected
        ).retryable
        assert target.opens(value)

    def test_law_8_unreachable_is_not_rejected(self, target: Target) -> None:
        """Cut after each piece of traffic of a login, and where nobody listens: never a word about the credential."""
        value = user(target)
        for piece in range(200):
            with self.proxied(target, value, piece) as (proxy, through):
                if piece == 0:
                    assert fails(partial(self.ask, through(value)), TargetUnreachable).retryable
                    continue
                try:
                    self.ask(through(value))
                except TargetUnreachable as error:
                    assert error.retryable  # noqa: PT017
                over, nobody = proxy.passed < piece, through(value)
            if over:
                break
        assert fails(partial(self.ask, nobody), TargetUnreachable).retryable
        self.ask(value)

    def test_law_9_no_secret_in_text(self, target: Target, capfd: Any, caplog: Any) -> None:
        """Not in errors and what they carry, nor in log records, output and reprs, at the chattiest level."""
        caplog.set_level(logging.DEBUG)
        value, stranger = user(target), user(target)
        pending, wrong = other_password(value), other_password(value)
        engine = self.new_engine()
        with self.proxied(target, value, 0) as (_, away):
            calls: list[Callable[[], object]] = [
                *(partial(self.ask, v) for v in (wrong, away(value), {**value, "host": 7}, {**value, "port": CANARY})),
                partial(engine.test, Secret(value)),
                *(
                    partial(self.set, v, by=by, like=value)
                    for v in (pending, {**pending, "port": CANARY})
                    for by in (wrong, stranger, away(value), {**value, "username": 7})
                ),
                partial(self.set, away(pending), by=away(value), like=away(value)),
                *(partial(self.change, target, pending, value, authority) for authority in self.authorities),
            ]
            said = [text for call in calls for text in _told(call)]
        said += [repr(engine), str(engine), *capfd.readouterr()]
        said += [f"{record.getMessage()} {record.__dict__!r}" for record in caplog.records]
        hidden = {v["password"] for v in (value, stranger, pending, wrong)}
        assert [text for text in said if any(word in text for word in hidden)] == []
        assert target.opens(pending)


def _told(call: Callable[[], object]) -> list[str]:
    """Call it, and return all that an error of it tells."""
    try:
        call()
    except RotatorsError as error:
        return [told(error)]
    return []
