"""The part of the engine contract about values: malformed ones, and what makes two of them name the same thing (law 5)."""

from __future__ import annotations

import traceback
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from rotators.errors import SecretError
from rotators.secret import Secret
from rotators.testing.engine_case import EngineCase, fails, other_password, user

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rotators.testing.target import Target, Value

#: Stands in every malformed value, so that it can be looked for in the error.
CANARY = "canary-7c1e"
_STRANGE = ["", 7, [CANARY], {CANARY: CANARY}, f"{CANARY}\0", f"{CANARY}\ud800"]


class Values(EngineCase):
    """What ``resource``, ``test`` and ``set`` make of a value before they use it."""

    #: Values that each key of the secret must not have; None is a key that is missing.
    malformed: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "engine": (None, 7, [CANARY], CANARY),
        "host": (None, *_STRANGE, f"{CANARY} {CANARY}", f"{CANARY}/", f"{CANARY}@{CANARY}"),
        "port": (0, 65536, -1, True, 1.5, CANARY, [CANARY], f"1{CANARY}"),
        "username": (None, *_STRANGE),
        "password": (None, *_STRANGE),
        "dbname": tuple(_STRANGE),
        "ssl": (7, CANARY, [CANARY]),
    }
    #: Other values of the keys that say what a secret opens (law 5): each is another thing. `ssl` is turned round.
    elsewhere: ClassVar[Mapping[str, Any]] = {
        "host": "elsewhere.example.com",
        "port": 1,
        "username": "somebody-else",
        "dbname": "elsewhere",
        "ssl": None,
    }

    def test_a_malformed_value_is_named_by_its_key(self, target: Target) -> None:
        """By ``test``, ``set`` and ``resource``; never the value, and nothing is changed."""
        value = user(target)
        pending = other_password(value)
        wrong = [
            f"{key} = {bad!r}: {said}" for key, bad in self._bad() for said in self._calls(key, bad, value, pending)
        ]
        assert wrong == []
        self.unchanged(target, pending, value)

    def test_law_5_resource_tells_things_apart(self, target: Target) -> None:
        """Equal for what is the same, another for every other host, port, user, database and way to encrypt; no password."""
        value = user(target)
        resource = self._resource(value)
        assert resource == self._resource(value)
        for same in self.same(value):
            assert resource == self._resource(same), (
                f"the same thing, by {same.keys() - value.keys() or 'another value'}"
            )
        if "host" in self.elsewhere:
            names = [self._resource({**value, "host": name}) for name in ("db.example.com", "DB.Example.com")]
            assert names[0] == names[1], "a host is the same whatever its case"
        for key, other in self.elsewhere.items():
            there = {**value, key: value.get("ssl") is False if key == "ssl" else other}
            assert resource != self._resource(there), f"{key!r} makes no difference, and pending may lead anywhere"
        assert all(isinstance(text, str) for pair in resource.items() for text in pair)
        assert value["password"] not in str(resource)

    def same(self, value: Value) -> list[Value]:
        """Return values that name the same thing as this one."""
        alike = [other_password(value), {**value, "comment": "more"}, dict(reversed(value.items()))]
        if isinstance(value.get("port"), int):
            alike.append({**value, "port": str(value["port"])})
        return alike

    def _bad(self) -> list[tuple[str, Any]]:
        return [(key, bad) for key, values in self.malformed.items() for bad in values]

    def _calls(self, key: str, bad: Any, value: Value, pending: Value) -> list[str]:
        """Return what is wrong with what is said to one malformed value, in whatever place it stands."""
        calls: dict[str, Callable[[], object]] = {
            "test": partial(self.ask, _with(value, key, bad)),
            "set": partial(self.set, _with(pending, key, bad), by=value, like=value),
            "set like": partial(self.set, pending, by=value, like=_with(value, key, bad)),
        }
        if key in {"username", "password"}:  # an admin's value may go without the others
            calls["set by"] = partial(self.set, pending, by=_with(value, key, bad), like=value)
        if key in self.elsewhere:
            calls["resource"] = partial(self._resource, _with(value, key, bad))
        found = []
        for name, call in calls.items():
            try:
                error = fails(call, SecretError)
            except AssertionError as problem:
                found.append(f"{name} {problem}")
                continue
            if key not in str(error):
                found.append(f"{name} does not name the key")
            if CANARY in told(error) or value["password"] in told(error) or pending["password"] in told(error):
                found.append(f"{name} tells a value")
        return found

    def _resource(self, value: Value) -> dict[str, str]:
        return dict(self.new_engine().resource(Secret(value)))


def told(error: BaseException) -> str:
    """Return all that an error tells, with what it carries along."""
    chain = "".join(traceback.format_exception(error))
    return f"{error} {error!r} {error.args!r} {vars(error)!r} {error.__context__!r} {error.__cause__!r} {chain}"


def _with(value: Value, key: str, bad: Any) -> Value:
    return {k: v for k, v in value.items() if k != key} | ({} if bad is None else {key: bad})
