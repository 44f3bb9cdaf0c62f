"""``RedisSecret``: what a Redis secret says, and at which nodes. Each node has an ACL of its own, that follows no other's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rotators import admin
from rotators.database_secret import MAX_PORT, DatabaseSecret
from rotators.errors import SecretError

if TYPE_CHECKING:
    from rotators.secret import Secret

ENGINES = frozenset({"redis", "valkey"})
PORT = 6379
#: The user that there always is, and that old clients log in as without naming it.
DEFAULT = "default"
EXPECTED = 'expected a list of "host:port", the further nodes whose ACL is to be the same'


@dataclass(frozen=True, slots=True)
class RedisSecret:
    """
    The typed view of a Redis secret.

    Attributes:
        login: who logs in at the first node, and how.
        nodes: (host, port) of every node, the first one first.

    Example:
        >>> RedisSecret.of(secret).nodes
        (('redis-1.example.com', 6379), ('redis-2.example.com', 6379))
    """

    login: DatabaseSecret
    nodes: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, secret: Secret) -> RedisSecret:
        """
        Validate a secret.

        Raises:
            SecretError: names the key and the expected form, never the value.
        """
        named = secret if secret.get("username") is not None else secret.replace(username=DEFAULT)
        view = DatabaseSecret.of(named, engines=ENGINES, port=PORT, dbname="")
        return cls(view, tuple(dict.fromkeys([(view.host, view.port), *_further(secret)])))

    def resource(self) -> dict[str, str]:
        """Return what law 5 compares."""
        return {
            "host": self.login.host.lower(),
            "port": str(self.login.port),
            "nodes": ",".join(sorted(f"{host.lower()}:{port}" for host, port in self.nodes)),
            "username": self.login.username,
            "ssl": str(self.login.tls).lower(),
        }

    def at(self, host: str, port: int) -> DatabaseSecret:
        """Return the login at one of the nodes."""
        return replace(self.login, host=host, port=port)


def authority(by: Secret, target: RedisSecret) -> RedisSecret:
    """
    Read whose login makes a change, at the target's nodes: the user's own, or an admin's, which must be for the first of them.

    Raises:
        SecretError: it is malformed, or for another server.
    """
    named = by if by.get("username") is not None else by.replace(username=DEFAULT)
    view = admin.authority(named, target.login, engines=ENGINES)
    return RedisSecret(replace(view, host=target.login.host, port=target.login.port), target.nodes)


def _further(secret: Secret) -> list[tuple[str, int]]:
    given = secret.get("nodes")
    if given is None:
        return []
    if not isinstance(given, list):
        raise SecretError(f"'nodes' in the secret is not a list; {EXPECTED}")
    return [_node(text) for text in given]


def _node(text: object) -> tuple[str, int]:
    host, colon, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    host = host.removeprefix("[").removesuffix("]").removesuffix(".")
    if not colon or not host or any(letter in host for letter in "/, @[]") or not port.isascii() or not port.isdigit():
        raise SecretError(f"a node in 'nodes' in the secret is not of that form; {EXPECTED}")
    if not 0 < int(port) <= MAX_PORT:
        raise SecretError(f"a port in 'nodes' in the secret is not one of 1 to {MAX_PORT}; {EXPECTED}")
    return host, int(port)
