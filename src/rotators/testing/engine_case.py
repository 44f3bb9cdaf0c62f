"""What every part of the engine contract stands on: the attributes that a subclass sets, and what a test does again and again."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar

from rotators.errors import CredentialRejected, RotatorsError
from rotators.secret import Secret
from rotators.testing.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rotators.abc import Engine
    from rotators.testing.target import Target, Value

#: Who may change a user's password: the user, with the password it has, or somebody else.
ITSELF, ADMIN = "itself", "admin"


class EngineCase:
    """The attributes of ``EngineContract``, and its tools."""

    #: What is to be proven. It is never used itself: each call of the contract goes to a copy of it that is new.
    engine: Engine
    #: Who may change a user's password, of "itself" and "admin".
    authorities: ClassVar[tuple[str, ...]] = (ITSELF, ADMIN)
    #: On whose authority a change leaves the old password valid beside the new one.
    keeps_two_passwords: ClassVar[tuple[str, ...]] = ()
    #: Whether users may work in pairs: ``set`` with two different users.
    alternates: ClassVar[bool] = False
    #: Names that users must be able to have; each gets something behind it that nobody else has.
    names: ClassVar[tuple[str, ...]] = (
        "o'b",
        'a"b',
        "a\\b",
        "a%s",
        "a b",
        "a`b",
        "A;b--",
        "a@b",
        "größe",
        "密",
        "SELECT",
    )
    #: How long a user's name may be, in characters of one byte.
    longest_name: ClassVar[int] = 63
    #: At how many places of a change the connection is cut, spread over all of it; None for every place, which takes longer.
    cuts: ClassVar[int | None] = None

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Let each test that asks for an `authority` run once for each."""
        if "authority" in metafunc.fixturenames:
            metafunc.parametrize("authority", self.authorities)

    def new_engine(self) -> Engine:
        """Return an engine that has never been used; override it where `engine` can't be copied."""
        return deepcopy(self.engine)

    def ask(self, value: Mapping[str, Any]) -> None:
        """Call ``Engine.test`` of a new engine."""
        self.new_engine().test(Secret(value))

    def set(self, value: Mapping[str, Any], *, by: Mapping[str, Any], like: Mapping[str, Any]) -> None:
        """Call ``Engine.set`` of a new engine."""
        self.new_engine().set(Secret(value), by=Secret(by), like=Secret(like))

    def by(self, authority: str, target: Target, current: Value) -> Value:
        """Return the value of an authority."""
        return target.admin() if authority == ADMIN else current

    def change(self, target: Target, pending: Value, current: Value, authority: str) -> None:
        """
        Do what setSecret does: who refuses current has pending already, or is lost.

        Raises:
            RotatorsError: the engine's.
        """
        try:
            self.set(pending, by=self.by(authority, target, current), like=current)
        except CredentialRejected:
            if authority == ADMIN:
                raise
            self.ask(pending)

    @contextmanager
    def proxied(
        self, target: Target, value: Value, cut_after: int | None = None, *, kind: type[Proxy] = Proxy
    ) -> Iterator[tuple[Proxy, Callable[[Value], Value]]]:
        """Stand before the target; yields the proxy, and what turns a value into one that goes through it."""
        host, port = target.address(value)
        with kind(host, port, cut_after=cut_after) as proxy:
            yield proxy, lambda v: target.through(v, proxy.port)

    def places(self, pieces: int) -> list[int]:
        """Return after how many pieces of traffic to cut, where there are so many; some fall on questions, some on answers."""
        if self.cuts is None or pieces <= self.cuts:
            return list(range(1, pieces + 1))
        return [1 + number * pieces // self.cuts + number % 2 for number in range(self.cuts)]

    def unchanged(self, target: Target, pending: Value, current: Value) -> None:
        """Nothing happened: the old value opens, the new one does not."""
        assert target.opens(current), "the value in use does not open any more"
        assert not target.opens(pending), "what was refused has changed something: the new value opens"


def user(target: Target, username: str | None = None, password: str | None = None) -> Value:
    """Make a user and return the value that opens it."""
    return target.account(username or f"app_{uuid.uuid4().hex[:12]}", password or new_password())


def new_password() -> str:
    """Return a password that no text contains by chance; upper, lower, digits and punctuation, as policies want it."""
    return f"Canary-{uuid.uuid4().hex[:20]}-Z9"


def other_password(value: Value) -> Value:
    """Return the value with a fresh password."""
    return {**value, "password": new_password()}


def fails(work: Callable[[], object], *kinds: type[RotatorsError]) -> RotatorsError:
    """Return what it raised: one of `kinds`."""
    try:
        work()
    except kinds as error:
        return error
    except Exception as error:
        raise AssertionError(f"raised {type(error).__name__} and not {_named(kinds)}: {error}") from error
    raise AssertionError(f"succeeded and should have raised {_named(kinds)}")


@contextmanager
def always_open(target: Target, *values: Value) -> Iterator[None]:
    """One of the values opens, whenever a client logs in while the block lasts. Put first the one that is to open later."""
    closed: list[str] = []
    asked, ended = 0, threading.Event()
    order = values if len(values) == 1 else (*values, values[0])  # it may change between two questions

    def client() -> None:
        nonlocal asked
        while not ended.is_set() or not asked:
            try:
                if not any(target.opens(value) for value in order):
                    closed.append(f"nothing opened at login {asked}")
            except Exception as error:  # noqa: BLE001 - whatever it is, the client was not let in
                closed.append(f"login {asked}: {error!r}")
            asked += 1
            time.sleep(0.001)

    thread = threading.Thread(target=client)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert closed == [], f"{len(closed)} of {asked} logins failed: {closed[0]}"


def _named(kinds: tuple[type[RotatorsError], ...]) -> str:
    return " or ".join(kind.__name__ for kind in kinds)
