"""``State``: a file in which secrets survive the process that served them, however that ends."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import struct
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rotators.testing.records import Attempt, Record
from rotators.testing.versions import Version, Versions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: What tells our files from other people's: SQLite's application_id and user_version (SQLite, "Database File Format", 1.3).
_OURS, _FORMAT = 0x726F7461, 1
_MAGIC, _HEADER = b"SQLite format 3\0", 100
_TABLES = (
    "CREATE TABLE IF NOT EXISTS secret (number INTEGER PRIMARY KEY, arn TEXT UNIQUE NOT NULL, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS note (number INTEGER PRIMARY KEY CHECK (number = 1), text TEXT NOT NULL)",
)
_KEEP = (
    "INSERT INTO secret (arn, record) VALUES (?, ?) "
    "ON CONFLICT (arn) DO UPDATE SET record = excluded.record WHERE record <> excluded.record"
)


class StateError(Exception):
    """The file is not a State, is damaged, or is in use. It was left as it is."""


class State:
    """
    What a `SecretsManager` remembers, in a file that only its owner reads (mode 0600): it holds values in plain text.

    What was kept is there after the process was killed, and after a power cut too. One process at a time has the file.

    Args:
        file: made if it is not there; its directory must be.

    Raises:
        StateError: the file is something else, is damaged, or another process has it.
        OSError: it can't be made or read.

    Example:
        >>> service = SecretsManager(state=State(Path("secrets")))                           # doctest: +SKIP
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        self._refuse_what_is_not_ours()
        file.chmod(0o600)  # somebody may have made it, empty, for all to read
        # Every use of it holds the service's lock, in whichever thread.
        self._file: sqlite3.Connection | None = sqlite3.connect(
            file, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            self._open(self._file)
        except sqlite3.DatabaseError as error:
            problem = "another process has it" if "locked" in str(error) else f"it is damaged: {error}"
            self.close()
            raise StateError(f"{file} can't be used: {problem}") from None

    def _refuse_what_is_not_ours(self) -> None:
        """By the first bytes, without opening it as a database: that may already change it."""
        with self.file.open("rb") as file:
            header = file.read(_HEADER)
        if not header:
            return  # new, or its maker died before it wrote anything
        made_by = struct.unpack(">I", header[68:72])[0] if len(header) == _HEADER else None
        if not header.startswith(_MAGIC) or made_by != _OURS:
            raise StateError(f"{self.file} can't be used: it holds no secrets of a lab")
        if (version := struct.unpack(">I", header[60:64])[0]) != _FORMAT:
            raise StateError(
                f"{self.file} can't be used: it has format {version}, and this version knows {_FORMAT} alone"
            )

    def _open(self, file: sqlite3.Connection) -> None:
        file.execute("PRAGMA locking_mode = EXCLUSIVE")
        file.execute("BEGIN EXCLUSIVE")
        (found,) = file.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        if file.execute("PRAGMA application_id").fetchone() != (_OURS,):
            file.execute(f"PRAGMA application_id = {_OURS}")
            file.execute(f"PRAGMA user_version = {_FORMAT}")
        for table in _TABLES:
            file.execute(table)
        file.execute("COMMIT")  # so the header is in the file itself before there is another one beside it
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = FULL")

    def close(self) -> None:
        """Let go of the file. What comes after is not kept, and nobody is told that it was done."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def records(self) -> list[Record]:
        """
        Return what was kept, in the order in which it came.

        Raises:
            StateError: it can't be read.
        """
        if self._file is None:
            return []
        try:
            return [_record(text) for (text,) in self._file.execute("SELECT record FROM secret ORDER BY number")]
        except (sqlite3.DatabaseError, ValueError, TypeError, KeyError, AttributeError) as error:
            # Not the error's text: it may quote a value.
            raise StateError(f"{self.file} can't be used: it is damaged ({type(error).__name__})") from None

    def keep(self, changed: Iterable[Record], gone: Iterable[str]) -> None:
        """Keep records, and forget those with the ARNs `gone`: all of it or nothing."""
        file = self._file
        if file is None:
            return
        file.execute("BEGIN")
        try:
            file.executemany(_KEEP, [(record.arn, _text(record)) for record in changed])
            file.executemany("DELETE FROM secret WHERE arn = ?", [(arn,) for arn in gone])
        except BaseException:
            file.execute("ROLLBACK")
            raise
        file.execute("COMMIT")

    def clear(self) -> None:
        """Forget everything."""
        if self._file is not None:
            self._file.execute("DELETE FROM secret")
            self._file.execute("DELETE FROM note")

    @property
    def note(self) -> dict[str, Any]:
        """What the owner of the file keeps beside the secrets; empty at first."""
        found = self._file.execute("SELECT text FROM note").fetchone() if self._file is not None else None
        note: dict[str, Any] = json.loads(found[0]) if found else {}
        return note

    @note.setter
    def note(self, note: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.execute("INSERT OR REPLACE INTO note VALUES (1, ?)", [json.dumps(note)])


def _text(record: Record) -> str:
    fields = {name: getattr(record, name) for name in Record.__slots__}
    fields["versions"] = [_version(version) for version in record.versions]
    fields["attempt"] = asdict(record.attempt) | {"running": False} if record.attempt else None
    return json.dumps(fields)


def _version(version: Version) -> dict[str, Any]:
    value = version.value
    held = {"binary": base64.b64encode(value).decode()} if isinstance(value, bytes) else {"text": value}
    return {
        "id": version.id,
        "created": version.created,
        "labels": sorted(version.labels),
        "accessed": version.accessed,
        **held,
    }


def _record(text: str) -> Record:
    fields = json.loads(text)
    versions = []
    for kept in fields["versions"]:
        value = base64.b64decode(kept["binary"]) if "binary" in kept else kept["text"]
        versions.append(Version(kept["id"], kept["created"], set(kept["labels"]), value, kept["accessed"]))
    fields["versions"] = Versions(versions)
    attempt = fields["attempt"]
    fields["attempt"] = Attempt(**attempt) if attempt else None
    record = Record(**fields)
    if attempt and attempt["test"]:  # its version was for the test alone, and would go at its end
        record.versions.remove(attempt["token"])
        record.attempt = None
    return record
