"""
``Secret`` is what travels and what is written back; ``DatabaseSecret`` is the typed view an engine reads.

AWS lets anybody add key/value pairs to a secret, and they must survive a rotation: so the value stays a mapping, with its
keys, their order and their types, and a view never writes. Both are silent: a repr shows key names, nothing else (law 9).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rotators.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MAX_PORT = 65535

#: Keys whose values may be read by anybody. Every other string of a secret is taken for a secret when a text is scrubbed.
PUBLIC_KEYS = frozenset(
    {"engine", "host", "port", "username", "dbname", "ssl", "masterarn", "dbInstanceIdentifier", "dbClusterIdentifier"}
)


class Secret(Mapping[str, Any]):
    """
    One version's value: an immutable mapping that never shows its values.

    Args:
        values: the keys and values, as in the secret's JSON.

    Example:
        >>> Secret({"username": "app", "password": "hunter2"})
        Secret(username, password)
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    @classmethod
    def parse(cls, text: str | None, *, label: str) -> Secret:
        """
        Read a version's ``SecretString``.

        Args:
            text: the string, None for a binary secret.
            label: which version it is, for the error's sentence.

        Raises:
            SecretError: it is not a JSON object.
        """
        if text is None:
            raise SecretError(f"the {label} value is binary; expected a JSON object in SecretString")
        value: object = None
        try:
            value = json.loads(text)
            broken = False
        except (ValueError, RecursionError):
            broken = True  # the decoder's exception holds the whole text, so ours is raised outside this block
        if broken:
            raise SecretError(f'the {label} value is not JSON; expected a JSON object such as {{"username": …}}')
        if not isinstance(value, dict):
            found = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}.get(
                type(value), "a number"
            )
            raise SecretError(f"the {label} value is {found}; expected a JSON object")
        return cls(value)

    def replace(self, **changes: Any) -> Secret:
        """Return a copy with some values changed: other keys, their order and their types stay."""
        return Secret({**self._values, **changes})

    def to_json(self) -> str:
        """
        Write the value as ``SecretString`` wants it.

        Raises:
            SecretError: a value has no JSON form (NaN, infinity, an object).
        """
        text = ""
        try:
            text = json.dumps(self._values, ensure_ascii=False, allow_nan=False)
            text.encode()
        except UnicodeEncodeError:
            text = json.dumps(self._values, allow_nan=False)  # a lone surrogate has an escape, but no UTF-8
        except (TypeError, ValueError):
            text = ""
        if not text:
            raise SecretError("the secret holds a value that JSON can't express (NaN, infinity or an object)")
        return text

    def hidden(self) -> set[str]:
        """Return the strings a text about this secret must not contain (law 9)."""
        found = {text for key, value in self._values.items() if key not in PUBLIC_KEYS for text in _leaves(value)}
        return {text for text in found if len(text) > 3}  # noqa: PLR2004 - "no" or 1 would blot out half a sentence

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Secret({', '.join(self._values)})"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Secret is not to be pickled or copied: it would leave this process in the clear")


@dataclass(frozen=True, slots=True)
class DatabaseSecret:
    """
    The typed view of a database secret, validated once.

    Source of the keys: Secrets Manager user guide, "JSON structure of AWS Secrets Manager secrets".

    Example:
        >>> DatabaseSecret.of(secret, engines={"postgres"}, port=5432, dbname="postgres").host
        'db.example.com'
    """

    engine: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    dbname: str
    tls: bool
    admin_arn: str | None

    @classmethod
    def of(
        cls, secret: Secret, *, engines: Collection[str], port: int, dbname: str, host: str | None = None
    ) -> DatabaseSecret:
        """
        Validate a secret.

        Args:
            secret: what was read.
            engines: the values of ``engine`` that may stand in it.
            port: the engine's default port.
            dbname: the engine's default database.
            host: the host where the secret may go without one (an admin secret managed by RDS has only
                ``username`` and ``password``); None where it must name its own.

        Raises:
            SecretError: names the key and the expected form, never the value.
        """
        expected = " or ".join(f'"{e}"' for e in sorted(engines))
        engine = secret.get("engine")
        if not (engine is None and host is not None):
            if engine is None:
                raise SecretError(f"'engine' is missing in the secret; expected {expected}")
            if not isinstance(engine, str) or engine not in engines:
                raise SecretError(f"'engine' in the secret is not one of this function's; expected {expected}")
        name = (
            host
            if host is not None and secret.get("host") is None
            else _text(secret, "host", "a DNS name or an address")
        )
        name = name.removeprefix("[").removesuffix("]").removesuffix(".")
        if not name or any(c in name for c in "/, @[]"):
            raise SecretError("'host' in the secret must be one DNS name or address, without port, path or list")
        return cls(
            engine=engine or "",
            host=name,
            port=_port(secret, port),
            username=_text(secret, "username", "the user's name"),
            password=_text(secret, "password", "a string"),
            dbname=dbname if secret.get("dbname") is None else _text(secret, "dbname", "a database's name"),
            tls=_flag(secret, "ssl"),
            admin_arn=None if secret.get("masterarn") is None else _text(secret, "masterarn", "a secret's ARN"),
        )

    def resource(self) -> dict[str, str]:
        """Return what the secret opens: what law 5 compares. A host is the same whatever its case or last dot."""
        return {
            "host": self.host.lower(),
            "port": str(self.port),
            "dbname": self.dbname,
            "username": self.username,
            "ssl": str(self.tls).lower(),
        }


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)


def _text(secret: Secret, key: str, expected: str) -> str:
    value = secret.get(key)
    if value is None:
        raise SecretError(f"'{key}' is missing in the secret; expected {expected}")
    if not isinstance(value, str) or not value or "\0" in value or _lone(value):
        raise SecretError(
            f"'{key}' in the secret must be {expected}: a non-empty string without NUL or lone surrogates"
        )
    return value


def _lone(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _port(secret: Secret, default: int) -> int:
    value = secret.get("port")
    if value is None:
        return default
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 5:  # noqa: PLR2004
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_PORT:
        raise SecretError(f"'port' in the secret must be a number from 1 to {MAX_PORT}, such as {default}")
    return value


def _flag(secret: Secret, key: str) -> bool:
    """Absent is true: plaintext only by the secret's own word. AWS's templates fall back to plaintext here."""
    value = secret.get(key)
    if value is None or isinstance(value, bool):
        return value is not False
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise SecretError(f"'{key}' in the secret must be true or false")
