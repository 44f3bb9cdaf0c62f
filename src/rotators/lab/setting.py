"""``Setting``: what the lab's user chose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

HANDLER = "rotators.handlers.database.handler"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Setting:
    """
    What the lab's user chose; None where nothing was said.

    Attributes:
        log: where the handler's output goes.
        engine: postgres or mariadb.
        secret: the value of a secret for a database that is there already.
        host: the address to listen on, of this machine; a container does not reach 127.0.0.1.
        port: of Secrets Manager.
        state: the directory that keeps everything.
        handler: what rotates, as ``package.module.attribute``.
        function: invokes a function that runs elsewhere, in the handler's place.
        said: told of every step that RotateSecret has run: the secret's ARN, the step, how many seconds it took, and what
            was wrong, if anything.
    """

    log: Path
    engine: str | None = None
    secret: Mapping[str, Any] | None = None
    host: str | None = None
    port: int | None = None
    state: Path | None = None
    handler: str = HANDLER
    function: Callable[[dict[str, Any], Any], None] | None = None
    said: Callable[[str, str, float, str], None] = lambda *_: None

    @property
    def database(self) -> str | None:
        """Return the embedded database's engine, or ``given``."""
        return "given" if self.secret is not None else self.engine
