"""What cleans up when the owner was killed: nothing the lab starts outlives it."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from signal import Signals

# It reads a process id (0: none) and the names of its fast and its immediate signal until the end of its input; the last
# line counts. The end comes when its owner closes the pipe or dies, of whatever signal. A program that makes the data
# directory may then still be writing: hence the second rm.
_SCRIPT = """
trap '' INT TERM HUP
server=0
while read -r number one two; do server=$number fast=$one immediate=$two; done
if [ "$server" -gt 0 ]; then
    kill "-$fast" "$server" 2>/dev/null
    tries=50
    while [ $tries -gt 0 ] && kill -0 "$server" 2>/dev/null; do sleep 0.1; tries=$((tries - 1)); done
    kill "-$immediate" "$server" 2>/dev/null
fi
rm -rf -- "$@"
sleep 1
rm -rf -- "$@"
"""


class Watchdog:
    """Stops a server and removes `directories`, should this Python process die before it calls `release`.

    It has the files `held` open until then, and so their locks.
    """

    def __init__(self, directories: Sequence[Path], held: Sequence[int] = ()) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "watchdog", *map(str, directories)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            pass_fds=held,
            start_new_session=True,
        )

    def watch(self, pid: int | None, signals: Sequence[Signals] = ()) -> None:
        """Stop this process too, by its fast signal and then its immediate one; or None again."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # somebody killed it: then there is none
                names = " ".join(signal.name.removeprefix("SIG") for signal in signals)
                self._process.stdin.write(f"{pid or 0} {names}\n".encode())
                self._process.stdin.flush()

    def release(self) -> None:
        """Forget about it: the owner does the work itself."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
