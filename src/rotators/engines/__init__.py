"""The engines, one noun a file. A driver is imported by the step that first needs it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rotators.engines import missing
from rotators.errors import ConfigurationError, SecretError

if TYPE_CHECKING:
    from rotators.abc import Engine

#: What ``engine`` in a secret may be, as Secrets Manager's own names have it, and the class that speaks to it.
ENGINES = {
    "postgres": "rotators.engines.postgres:Postgres",
    "aurora-postgresql": "rotators.engines.postgres:Postgres",
    "mysql": "rotators.engines.mysql:MySQL",
    "aurora-mysql": "rotators.engines.mysql:MySQL",
    "mariadb": "rotators.engines.mysql:MySQL",
    "redis": "rotators.engines.redis:Redis",
    "valkey": "rotators.engines.redis:Redis",
    "elasticache": "rotators.engines.elasticache:ElastiCache",
    "memorydb": "rotators.engines.elasticache:ElastiCache",
}
#: Where other packages register theirs: an entry point by the name of the engine.
GROUP = "rotators.engines"

_made: dict[str, Engine] = {}


def engine(name: Any) -> Engine:
    """
    Return the engine of a name.

    Args:
        name: what stands under ``engine`` in a secret.

    Raises:
        SecretError: there is none of that name; says which there are.
        ConfigurationError: another package's can't be loaded.

    Example:
        >>> engine("mariadb").name
        'mysql'
    """
    if not isinstance(name, str):
        raise SecretError(f"'engine' is missing in the secret; expected {_expected()}")
    if name not in _made:
        _made[name] = _load(name)
    return _made[name]


def _load(name: str) -> Engine:
    where = ENGINES.get(name)
    if where is not None:
        module, _, attribute = where.partition(":")
        made: Engine = getattr(import_module(module), attribute)()
        return made
    problem = ""
    for point in _registered(name):
        try:
            made = point.load()()
        except Exception as error:  # noqa: BLE001 - whatever another package raises when it is loaded
            problem = _problem(name, point, error)
        else:
            return made
    if problem:
        raise ConfigurationError(problem)
    raise SecretError(f"'engine' in the secret is none that this function knows; expected {_expected()}")


def _problem(name: str, point: Any, error: Exception) -> str:
    module = missing.module_of(error)
    if not module:
        return f"the engine {name!r} can't be loaded: {type(error).__name__} while loading {point.value}"
    package = point.dist.metadata["Name"] if point.dist is not None else point.value
    return (
        f"the engine {name!r} of {package} needs {module}, which is not installed: {missing.advice(module, point.dist)}"
    )


def _registered(name: str) -> Any:
    from importlib.metadata import entry_points  # noqa: PLC0415 - reading every package's metadata is slow

    return entry_points(group=GROUP, name=name)


def _expected() -> str:
    return " or ".join(f'"{name}"' for name in sorted(ENGINES))
