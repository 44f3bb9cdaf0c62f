"""The logins over TCP, as PostgreSQL's own log tells them: those are a rotator's, as the client uses the local socket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PROCESS = re.compile(r"\[(\d+)\]")


class ServerLog:
    """Reads on from where it was last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = path.stat().st_size

    def logins(self) -> tuple[int, int]:
        """
        How many logins over TCP were let in, and how many refused, since the last time.

        The server writes its log before it answers, so whoever has an answer finds its line.
        """
        with self._path.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        text = text[: text.rfind(b"\n") + 1]
        self._read += len(text)
        ours: set[str] = set()
        opened = refused = 0
        for line in text.decode(errors="replace").splitlines():
            found = _PROCESS.search(line)
            process = found[1] if found else ""
            if "connection received: host=" in line:
                (ours.discard if "host=[local]" in line else ours.add)(process)
            elif process in ours:
                opened += "connection authorized: user=" in line
                refused += "password authentication failed for user" in line
        return opened, refused
