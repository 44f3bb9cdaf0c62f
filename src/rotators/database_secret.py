"""``DatabaseSecret``: the typed view of a database's secret that an engine reads. It never writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rotators.errors import SecretError

if TYPE_CHECKING:
    from collections.abc import Collection

    from rotators.secret import Secret

MAX_PORT = 65535


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
