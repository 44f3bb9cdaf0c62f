"""A PostgreSQL server process: started, waited for, stopped."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING

from rotators.lab import cluster

if TYPE_CHECKING:
    from rotators.lab.installation import Installation
    from rotators.lab.place import Place

_START_SECONDS = 30
_STOP_SECONDS = 10
_STATUS = 7  # the line of postmaster.pid, counted from 0, that says how far the server is (miscadmin.h)


class ServerProcess:
    """One run of `postgres` in a place."""

    def __init__(self, installation: Installation, place: Place) -> None:
        self._data, self._watchdog = place.data, place.watchdog
        with place.log.open("ab") as output:
            self._process = subprocess.Popen(
                [installation.program("postgres"), "-D", str(place.data.absolute())],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=cluster.environment(),
                start_new_session=True,  # Ctrl-C is for us: we stop the server when we are done with it
                **place.account.run_as,
            )
        self._watchdog.watch(self._process.pid)

    @property
    def pid(self) -> int:
        """The process's id, alive or not."""
        return self._process.pid

    def wait_until_ready(self) -> bool:
        """Wait until it takes connections; False if it ended or took too long."""
        deadline = time.monotonic() + _START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._is_ready():
                return True
            time.sleep(0.01)
        return False

    def stop(self) -> None:
        """End it, without waiting for its clients."""
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, and in earnest
            if self._process.poll() is not None:
                break
            self._process.send_signal(number)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        self._watchdog.watch(None)

    def _is_ready(self) -> bool:
        """Read off the lock file, as pg_ctl does: a connection tried too early would leave a line in the log."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > _STATUS and lines[0] == str(self.pid) and lines[_STATUS].strip() == "ready"
