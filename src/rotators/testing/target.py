"""``Target``: what the engine contract has to know about the far side of a credential, by other means than the engine's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

#: What stands in a secret's JSON.
Value = dict[str, Any]


class Target(ABC):
    """
    A server, and an administrator's way in that never goes through the engine. Made anew for each test.

    Two methods must be written. Each of the others proves more; a test that needs one that is not there is skipped and says
    which. A value is what stands in the secret's JSON.

    Example:
        >>> class Vault(Target):
        ...     def account(self, username, password):
        ...         vault.add(username, password)
        ...         return {"host": "127.0.0.1", "port": vault.port, "username": username, "password": password}
        ...
        ...     def opens(self, value):
        ...         return vault.passwords.get(value["username"]) == value["password"]
    """

    #: What may be granted to a user and revoked, each by the word that a difference is to be named by. For `alternates`.
    rights: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def account(self, username: str, password: str) -> Value:
        """Make a user, without any of `rights`, and return the value that opens it."""

    @abstractmethod
    def opens(self, value: Value) -> bool:
        """Ask, by other means than the engine's code, whether a value opens. Raise where that could not be found out."""

    def admin(self) -> Value:
        """Return the value of somebody who may change other users, always the same. For the authority ``admin``."""
        self._has_no("admin()")

    def address(self, value: Value) -> tuple[str, int]:
        """Return the host and the port that a value names."""
        return str(value["host"]), int(value["port"])

    def through(self, value: Value, port: int) -> Value:
        """Return the value changed to go to another port of the same host, where a proxy listens on 127.0.0.1."""
        return {**value, "port": port}

    def rejections(self) -> int:
        """Return how many logins the server has refused so far, by its own count."""
        self._has_no("rejections()")

    def log(self) -> str:
        """Return everything that the server has written to its logs so far."""
        self._has_no("log()")

    def unprovable(self, value: Value, by: Value) -> AbstractContextManager[object]:
        """While the block lasts, let `by` change the user's password, and then let nobody in with the new one (law 10)."""
        self._has_no("unprovable()", value, by)

    def superuser(self, username: str, password: str) -> Value:
        """Make a user that may do everything, and return its value (law 11)."""
        self._has_no("superuser()", username, password)

    def grant(self, username: str, right: str) -> None:
        """Grant one of `rights`."""
        self._has_no("grant()", username, right)

    def revoke(self, username: str, right: str) -> None:
        """Revoke one of `rights`."""
        self._has_no("revoke()", username, right)

    def can(self, value: Value, right: str) -> bool:
        """Log in with a value, and try whether it has one of `rights`."""
        self._has_no("can()", value, right)

    def _has_no(self, method: str, *_: object) -> NoReturn:
        import pytest  # noqa: PLC0415 - who only writes a target does not need it

        pytest.skip(f"NOT PROVEN: {type(self).__name__} has no {method}")
