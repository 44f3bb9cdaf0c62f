"""Where a private server keeps its files: reachable for the account it runs as, gone when it is."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rotators.lab import LabError
from rotators.lab.account import Account
from rotators.lab.installation import open_directory
from rotators.lab.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 15  # seconds; a watchdog gives its server five


class Place:
    """A directory of a server's own, and another, with a short name, for its sockets.

    `directory` is kept by `remove` if it was given, and made and removed if it is None. A given one is for one server at a
    time, and for the eyes of its account alone; what a server made of it before is found there.

    Raises `LabError` if the server's account cannot enter the given one, or another server is in it.
    """

    def __init__(self, directory: Path | None) -> None:
        self.account = Account.for_servers()
        self.is_temporary = directory is None
        directory = directory or Path(tempfile.mkdtemp(prefix="rotators-lab-", dir=open_directory()))
        self.directory = directory.absolute()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755 if self.is_temporary else 0o700)
        if self.account.borrowed:
            os.chown(self.directory, self.account.uid, self.account.gid)
        if not self.account.reaches(self.directory):
            raise LabError(
                f"uid {self.account.uid}, which the server runs as, cannot enter {self.directory}: choose one that it can"
            )
        self._lock = None if self.is_temporary else _locked(self.directory)
        self.data = self.directory / "data"
        self.tls = self.directory / "tls"
        self.log = self.directory / "log"
        self.log.touch(mode=0o644 if self.is_temporary else 0o600)
        self.account.own(self.directory)
        # A socket's path has a limit of 103 bytes (macOS) that a given directory may pass; ours does not.
        self.sockets = Path(tempfile.mkdtemp(prefix="rotators-", dir=open_directory()))
        self.account.own(self.sockets)
        self._ours = [self.sockets, *([self.directory] if self.is_temporary else [])]
        self.watchdog = Watchdog(self._ours, [] if self._lock is None else [self._lock])

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
        if self._lock is not None:
            lock, self._lock = self._lock, None
            os.close(lock)

    @property
    def superuser_password(self) -> str | None:
        """What `keep` was told: None for a place in which no server was finished."""
        return None if self.is_temporary or not self._kept.exists() else self._kept.read_text()

    def keep(self, superuser_password: str) -> None:
        """Note that there is a whole server here, for the next one to go on with."""
        if not self.is_temporary:
            new = self._kept.with_suffix(".new")
            new.unlink(missing_ok=True)
            new.touch(mode=0o600)
            new.write_text(superuser_password)
            new.rename(self._kept)

    @property
    def _kept(self) -> Path:
        return self.directory / "superuser"


def _locked(directory: Path) -> int:
    """Wait for a server there to end, whose owner was killed: the watchdog, which stops it, has the lock until then."""
    lock = os.open(directory / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                os.close(lock)
                raise LabError(f"{directory} is in use by another server") from None
            time.sleep(0.05)
        else:
            return lock
