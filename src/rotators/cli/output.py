"""A file that is there whole, or as it was before."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from rotators.cli.account import CommandRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """
    Open a file beside `path`, which takes its place where the block ends well, and is removed where it does not.

    It is opened first of all, so that a path nobody can write to is known before the work is done.

    Raises:
        CommandRefused: it can't be written; says why.

    Example:
        >>> with replacing(Path("report.html")) as file:
        ...     file.write("<!doctype html>…")
    """
    target = path.resolve()  # a link stays one
    if target.exists() and not target.is_file():
        raise CommandRefused(f"{path} is no file: name one with --html")
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else None
        with os.fdopen(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666),
            "w",
            encoding="utf-8",
            errors="backslashreplace",
        ) as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except OSError as error:
        raise CommandRefused(f"{path} can't be written: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)
