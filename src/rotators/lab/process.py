"""A server's process: started, waited for, stopped."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rotators.lab.place import Place

_START_SECONDS = 30
_STOP_SECONDS = 10


class Signals(NamedTuple):
    """What ends a kind of server: without waiting for its clients, and without waiting for anything."""

    fast: signal.Signals
    immediate: signal.Signals


class ServerProcess:
    """One run of a server in a place."""

    def __init__(self, command: Sequence[str], place: Place, environment: Mapping[str, str], signals: Signals) -> None:
        self._watchdog, self._signals = place.watchdog, signals
        with place.log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=environment,
                start_new_session=True,  # Ctrl-C is for us: we stop the server when we are done with it
                **place.account.run_as,
            )
        self._watchdog.watch(self._process.pid, signals)

    @property
    def pid(self) -> int:
        """The process's id, alive or not."""
        return self._process.pid

    def wait_until_ready(self, is_ready: Callable[[int], bool]) -> bool:
        """Wait until `is_ready(pid)`; False if it ended or took too long."""
        deadline = time.monotonic() + _START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if is_ready(self.pid):
                return True
            time.sleep(0.01)
        return False

    def stop(self, *, immediately: bool = False) -> None:
        """End it, without waiting for its clients; `immediately` where nobody will need its data."""
        for number in (*self._signals[immediately:], signal.SIGKILL):
            if self._process.poll() is not None:
                break
            self._process.send_signal(number)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        self._watchdog.watch(None)
