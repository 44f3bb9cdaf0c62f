"""``Journal``: what a run of rotations has begun and ended, in a file that survives it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

    from rotators.fleet.candidate import Candidate

_HEADER = b'{"journal": "rotators rotate", "format": 1}\n'


class Happened(Enum):
    """What a line tells of a secret; the value is what the file says."""

    STARTING = "starting"  # written before RotateSecret is called, as pending is before a password is changed (law 2)
    STARTED = "started"
    ROTATED = "rotated"
    FAILED = "failed"
    UNFINISHED = "unfinished"


class JournalRefused(Exception):
    """The file can't be this run's journal. Says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The last that a journal tells of a secret: what happened, and to which version."""

    happened: Happened
    version: str


class Journal:
    """
    A file of JSON lines, one for each thing that happened, on the disk before the next is done.

    Made by `open`, which keeps every other run out until the process ends or `close` is called. A line that a dying process left
    half written is taken away.

    Attributes:
        entries: the last entry of each secret, by ARN.

    Example:
        >>> with Journal.open(Path("leak.jsonl")) as journal:
        ...     journal.note(Happened.STARTING, candidate, version)
    """

    def __init__(self, path: Path, descriptor: int, entries: dict[str, Entry], size: int) -> None:
        self.path, self.entries = path, entries
        self._descriptor, self._size = descriptor, size

    @classmethod
    def open(cls, path: Path) -> Self:
        """
        Open the file, or make it, for this run alone.

        Raises:
            JournalRefused: another run has it, it is no journal, or it can't be opened.
        """
        import fcntl  # noqa: PLC0415 - of Unix; a plan is made without

        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise JournalRefused(f"the journal {path} can't be opened: {error.strerror}") from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise JournalRefused(f"another run writes {path}: wait until it ends, or name another file") from None
            with os.fdopen(os.dup(descriptor), "rb") as file:
                content = file.read()
            entries, size = _parsed(content, path)
            journal = cls(path, descriptor, entries, size)
            os.ftruncate(descriptor, size)
            if not size:
                journal._append(_HEADER)
        except BaseException:
            os.close(descriptor)
            raise
        return journal

    @staticmethod
    def read(path: Path) -> dict[str, Entry]:
        """
        Return what a journal tells, while a run may be writing it; nothing where there is no such file.

        Raises:
            JournalRefused: it is no journal, or can't be read.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise JournalRefused(f"the journal {path} can't be read: {error.strerror}") from None
        return _parsed(content, path)[0]

    def note(self, happened: Happened, candidate: Candidate, version: str, why: str = "") -> None:
        """
        Write a line, and return when the disk has it; nothing where the file says so already.

        Raises:
            OSError: it could not be written; the file is as it was before.
        """
        entry = Entry(happened, version)
        if self.entries.get(candidate.arn) == entry:
            return
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "happened": happened.value,
            "secret": candidate.arn,
            "name": candidate.name,
            "version": version,
        }
        self._append(json.dumps(line | ({"why": why} if why else {})).encode() + b"\n")
        self.entries[candidate.arn] = entry

    def close(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, line: bytes) -> None:
        try:
            left = line
            while left:
                left = left[os.write(self._descriptor, left) :]
            os.fsync(self._descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(line)


def _parsed(content: bytes, path: Path) -> tuple[dict[str, Entry], int]:
    """Return the entries, and how many bytes are whole lines."""
    size = content.rfind(b"\n") + 1
    if not (content.startswith(_HEADER) or _HEADER.startswith(content)):
        raise JournalRefused(f"{path} is no journal of `rotators rotate`: name another file")
    entries = {}
    for number, text in enumerate(content[len(_HEADER) : size].splitlines(), start=2):
        try:
            line = json.loads(text)
            entries[str(line["secret"])] = Entry(Happened(line["happened"]), str(line["version"]))
        except (ValueError, KeyError, TypeError):
            raise JournalRefused(f"line {number} of {path} can't be read: somebody has changed it") from None
    return entries, size
