"""
``Secret`` is what travels and what is written back; a view such as ``DatabaseSecret`` is what an engine reads.

AWS lets anybody add key/value pairs to a secret, and they must survive a rotation: so the value stays a mapping, with its
keys, their order and their types, and a view never writes. A value may be one string or bytes as well, without keys. All
are silent: a repr shows key names, nothing else (law 9).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from rotators.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Keys whose values may be read by anybody. Every other string of a secret is taken for a secret when a text is scrubbed.
PUBLIC_KEYS = frozenset(
    {
        "engine",
        "provider",
        "host",
        "port",
        "username",
        "dbname",
        "ssl",
        "masterarn",
        "adminarn",
        "dbInstanceIdentifier",
        "dbClusterIdentifier",
    }
)


class Secret(Mapping[str, Any]):
    """
    One version's value, immutable, that never shows what it holds: a mapping, or a string or bytes without keys.

    Asking one without keys for a key raises SecretError, which says what was expected.

    Args:
        value: the keys and values as in the secret's JSON, or the string or the bytes.
        label: which version it is, for the errors' sentences.

    Example:
        >>> Secret({"username": "app", "password": "hunter2"})
        Secret(username, password)
        >>> Secret("sk-live-hunter2").text[:3]
        'sk-'
    """

    __slots__ = ("_complaint", "_plain", "_values")

    def __init__(self, value: Mapping[str, Any] | str | bytes, *, label: str = "secret's") -> None:
        self._values: dict[str, Any] = {}
        self._plain: str | bytes | None = None
        self._complaint = ""
        if isinstance(value, bytes):
            self._plain, self._complaint = value, f"the {label} value is binary; expected a JSON object in SecretString"
        elif isinstance(value, str):
            self._plain, self._complaint = value, _complaint(value, label)
        else:
            self._values = dict(value)

    @classmethod
    def read(cls, answer: Mapping[str, Any], *, label: str) -> Self:
        """
        Read GetSecretValue's answer.

        Args:
            answer: with ``SecretString`` or ``SecretBinary``.
            label: which version it is, for the errors' sentences.
        """
        text = answer.get("SecretString")
        if text is None:
            return cls(bytes(answer["SecretBinary"]), label=label)
        value = _parsed(text)
        return cls(value if isinstance(value, dict) else text, label=label)

    @property
    def plain(self) -> bool:
        """Say whether it has no keys: one string, or bytes."""
        return self._plain is not None

    @property
    def text(self) -> str:
        """
        The string of a secret that is one.

        Raises:
            SecretError: it has keys, or is binary.
        """
        if not isinstance(self._plain, str):
            raise SecretError("the secret is binary or has keys; expected one plain string in SecretString")
        return self._plain

    @property
    def data(self) -> bytes:
        """
        The bytes of a binary secret.

        Raises:
            SecretError: it is none.
        """
        if not isinstance(self._plain, bytes):
            raise SecretError("the secret is not binary; expected SecretBinary")
        return self._plain

    def keyed(self) -> Secret:
        """
        Return it, if it has keys.

        Raises:
            SecretError: it has none; says what it is.
        """
        self._map()
        return self

    def _map(self) -> dict[str, Any]:
        if self.plain:
            raise SecretError(self._complaint)
        return self._values

    def replace(self, **changes: Any) -> Secret:
        """Return a copy with some values changed: other keys, their order and their types stay."""
        return Secret({**self._map(), **changes})

    def stored(self) -> dict[str, str | bytes]:
        """
        Return it as PutSecretValue's parameters.

        Raises:
            SecretError: a value has no JSON form.
        """
        if isinstance(self._plain, bytes):
            return {"SecretBinary": self._plain}
        return {"SecretString": self._plain if self._plain is not None else self.to_json()}

    def to_json(self) -> str:
        """
        Write the value as ``SecretString`` wants it.

        Raises:
            SecretError: a value has no JSON form (NaN, infinity, an object).
        """
        text = ""
        try:
            text = json.dumps(self._map(), ensure_ascii=False, allow_nan=False)
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
        if isinstance(self._plain, str):
            found |= {self._plain, *_leaves(_parsed(self._plain))}
        elif self._plain is not None:
            found |= {
                self._plain.decode(errors="ignore"),
                str(self._plain)[2:-1],
                base64.b64encode(self._plain).decode(),
            }
        return {text for text in found if len(text) > 3}  # noqa: PLR2004 - "no" or 1 would blot out half a sentence

    def __getitem__(self, key: str) -> Any:
        return self._map()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._map())

    def __len__(self) -> int:
        return len(self._map())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Secret):
            return (self._plain, self._values) == (other._plain, other._values)
        return not self.plain and self._values == other

    __hash__ = None  # type: ignore[assignment] # as of any mapping: what it holds is not to be a key

    def __repr__(self) -> str:
        if self.plain:
            return f"Secret({'binary' if isinstance(self._plain, bytes) else 'a plain string'})"
        return f"Secret({', '.join(self._values)})"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Secret is not to be pickled or copied: it would leave this process in the clear")


def _parsed(text: str) -> Any:
    """Read JSON; the text itself where it is none. The decoder's exception holds the whole text, so it ends here."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _complaint(text: str, label: str) -> str:
    """Say what a value without keys is, not what it holds."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return f'the {label} value is not JSON; expected a JSON object such as {{"username": …}}'
    found = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}.get(type(value), "a number")
    return f"the {label} value is {found}; expected a JSON object"


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)
