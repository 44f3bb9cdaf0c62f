"""The account a server runs as: PostgreSQL refuses to run as root, so root lends it somebody without rights."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypedDict

_NOBODY = 65534


class RunAs(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Who owns a server's files and runs its processes.

    No user is made for it: a uid without rights needs no entry of its own.
    """

    uid: int
    gid: int
    borrowed: bool

    @classmethod
    def for_servers(cls) -> Self:
        """Ourselves, or `nobody` where we are root."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), borrowed=False)
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            return cls(_NOBODY, _NOBODY, borrowed=True)
        return cls(nobody.pw_uid, nobody.pw_gid, borrowed=True)

    @property
    def run_as(self) -> RunAs:
        """What to give to `subprocess` as keyword arguments."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.borrowed else {}

    def own(self, path: Path) -> None:
        """Make `path`, and all below it, this account's."""
        if not self.borrowed:
            return
        os.chown(path, self.uid, self.gid)
        for parent, directories, files in os.walk(path):
            for name in (*directories, *files):
                os.chown(Path(parent, name), self.uid, self.gid, follow_symlinks=False)

    def reaches(self, directory: Path) -> bool:
        """Whether this account may enter and read `directory`: asked of the system, not worked out from mode bits."""
        probe = 'test -r "$1" && test -x "$1"'
        command = ["/bin/sh", "-c", probe, "sh", str(directory.absolute())]
        return subprocess.run(command, cwd="/", check=False, **self.run_as).returncode == 0
