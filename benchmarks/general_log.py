"""The logins over TCP, as the general log of MariaDB and MySQL tells them: a rotator's, as the client uses the local socket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Columns are set apart by tabs and blanks; the connection's number stands before the command.
_CONNECT = re.compile(r"\s(\d+) Connect\t(.*)")
_OVER_TCP = (" using SSL/TLS", " using TCP/IP")
_REFUSED = "Access denied for user "
_LOCAL = "'@'localhost' "


class GeneralLog:
    """Reads on from where it was last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = path.stat().st_size

    def logins(self) -> tuple[int, int]:
        """
        How many logins over TCP were let in, and how many refused, since the last time.

        A login that is refused after its way in was noted has two lines, one that names no account that there is may have
        only the second. Both servers write the log before they answer.
        """
        with self._path.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        text = text[: text.rfind(b"\n") + 1]
        self._read += len(text)
        began: set[str] = set()
        refused: set[str] = set()
        for line in text.decode(errors="replace").splitlines():
            found = _CONNECT.search(line)
            if found is None:
                continue
            connection, what = found.groups()
            if what.startswith(_REFUSED):
                if _LOCAL not in what:
                    refused.add(connection)
            elif what.endswith(_OVER_TCP):
                began.add(connection)
        return len(began - refused), len(refused)
