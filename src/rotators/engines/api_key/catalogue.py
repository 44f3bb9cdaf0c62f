"""``Catalogue``: which provider a secret's key is of, and where its description is."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from rotators.engines.api_key.document import Overlap
from rotators.engines.api_key.provider import Promoting, Provider
from rotators.engines.api_key.reading import read
from rotators.engines.api_key.self_made import SelfMade
from rotators.errors import ConfigurationError, SecretError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.secret import Secret

VARIABLE = "ROTATORS_PROVIDER"
#: Where a function's own descriptions are, beside its code.
FOLDER = "providers"
#: Where ours are.
BUNDLED = Path(__file__).parents[2] / FOLDER
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
KEYS = ("provider", "engine")

_read: dict[tuple[str, int, bool], Provider | SelfMade] = {}


class Catalogue:
    """
    Chooses a described provider: by ``ROTATORS_PROVIDER``, else by the secret's ``provider`` or ``engine``.

    The variable is a name, or a path that ends in .toml. A name is looked for in the function's own folder ``providers``
    first, and then among those that come with this package.

    Example:
        >>> handler = KeyRotator(Catalogue())
    """

    name = "api-key"

    def provider_of(self, secret: Secret) -> Provider | SelfMade:
        """
        Return the provider of a secret's key.

        Raises:
            SecretError: the secret names none that there is.
            ConfigurationError: the variable does, or the description is wrong.
        """
        chosen = os.environ.get(VARIABLE, "").strip()
        if chosen:
            named = next((secret.get(key) for key in KEYS if secret.get(key)), None)
            found = _find(chosen)
            if found is None:
                raise ConfigurationError(f"{VARIABLE} is {chosen!r}, which is no file; known names are {_known()}")
            if named not in {None, found.stem}:
                raise SecretError(f"the secret is for another provider than {found.stem}, which {VARIABLE} names")
            return described(found, pinned=True)
        named = next((secret.get(key) for key in KEYS if secret.get(key)), None)
        found = _find(named) if isinstance(named, str) and NAME.fullmatch(named) else None
        if found is None:
            what = "is missing" if named is None else "is none that this function knows"
            raise SecretError(f"'provider' in the secret {what}; expected {_known()}, or set {VARIABLE}")
        return described(found)


def described(file: Path, *, pinned: bool = False) -> Provider | SelfMade:
    """
    Read a description.

    Args:
        file: a TOML file; its name is the provider's.
        pinned: whether the function's environment names it, so that no secret chooses whom an admin's key is sent to.

    Raises:
        ConfigurationError: it can't be read, or is wrong; names file, line and key.

    Example:
        >>> handler = KeyRotator(described(Path("providers/relay.toml")))
    """
    problem, text, stamp = "", "", 0
    try:
        text, stamp = file.read_text(encoding="utf-8"), file.stat().st_mtime_ns
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or type(error).__name__
    if problem:
        raise ConfigurationError(f"the description {file.name} can't be read: {problem}")
    key = (str(file), stamp, pinned)
    if key not in _read:
        document = read(file.stem, file.name, text)
        kinds: dict[Overlap, type[Provider | SelfMade]] = {Overlap.SELF_MADE: SelfMade, Overlap.PROMOTE: Promoting}
        _read[key] = kinds.get(document.overlap, Provider)(document, pinned=pinned)
    return _read[key]


def _find(name: str) -> Path | None:
    if name.endswith(".toml"):
        path = _own() / name
        return path if path.is_file() else None
    if not NAME.fullmatch(name):
        return None
    return next((path for folder in _folders() if (path := folder / f"{name}.toml").is_file()), None)


def _own() -> Path:
    return Path(os.environ.get("LAMBDA_TASK_ROOT") or ".")


def _folders() -> Iterator[Path]:
    yield _own() / FOLDER
    yield BUNDLED


def _known() -> str:
    names = {path.stem for folder in _folders() for path in folder.glob("*.toml")}
    return ", ".join(sorted(names)) or "none"
