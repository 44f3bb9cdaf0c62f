"""What cleans up when the owner was killed: nothing the lab starts outlives it."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# It reads process ids, the last one counts (0: none), until the end of its input. That comes when its owner closes the
# pipe or dies, of whatever signal. An initdb may then still be writing: hence the second rm.
_SCRIPT = """
trap '' INT TERM HUP
server=0
while read -r number; do server=$number; done
if [ "$server" -gt 0 ]; then
    kill -INT "$server" 2>/dev/null
    tries=50
    while [ $tries -gt 0 ] && kill -0 "$server" 2>/dev/null; do sleep 0.1; tries=$((tries - 1)); done
    kill -QUIT "$server" 2>/dev/null
fi
rm -rf -- "$@"
sleep 1
rm -rf -- "$@"
"""


class Watchdog:
    """Stops a server and removes `directories`, should this Python process die before it calls `release`."""

    def __init__(self, directories: Sequence[Path]) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "watchdog", *map(str, directories)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def watch(self, pid: int | None) -> None:
        """Stop this process too, or None again."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # somebody killed it: then there is none
                self._process.stdin.write(f"{pid or 0}\n".encode())
                self._process.stdin.flush()

    def release(self) -> None:
        """Forget about it: the owner does the work itself."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
