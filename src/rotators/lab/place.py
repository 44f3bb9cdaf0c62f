"""Where a private server keeps its files: reachable for the account it runs as, gone when it is."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rotators.lab import LabError
from rotators.lab.account import Account
from rotators.lab.installation import open_directory
from rotators.lab.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator


class Place:
    """A directory of a server's own, and another, with a short name, for its sockets.

    `directory` is kept by `remove` if it was given, and made and removed if it is None.

    Raises `LabError` if the server's account cannot enter the given one.
    """

    def __init__(self, directory: Path | None) -> None:
        self.account = Account.for_servers()
        self.is_temporary = directory is None
        directory = directory or Path(tempfile.mkdtemp(prefix="rotators-lab-", dir=open_directory()))
        self.directory = directory.absolute()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)
        if not self.account.reaches(self.directory):
            raise LabError(f"uid {self.account.uid}, which the server runs as, cannot enter {self.directory}")
        self.data = self.directory / "data"
        self.tls = self.directory / "tls"
        self.log = self.directory / "log"
        self.log.touch()
        self.account.own(self.directory)
        # A socket's path has a limit of 103 bytes (macOS) that a given directory may pass; ours does not.
        self.sockets = Path(tempfile.mkdtemp(prefix="rotators-", dir=open_directory()))
        self.account.own(self.sockets)
        self._ours = [self.sockets, *([self.directory] if self.is_temporary else [])]
        self.watchdog = Watchdog(self._ours)

    @contextmanager
    def removed_if_it_fails(self) -> Iterator[None]:
        """Remove what was made here if the block raises."""
        try:
            yield
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove what was made here."""
        self.watchdog.release()
        for path in self._ours:
            shutil.rmtree(path, ignore_errors=True)
