"""``Keeping``: the directory in which a lab survives its own end."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from rotators.lab import LabError
from rotators.lab.account import Account
from rotators.testing.state import State, StateError

if TYPE_CHECKING:
    from pathlib import Path

    from rotators.lab.setting import Setting

_SAID_AS = {"given": "--secret", "postgres": "--engine postgres", "mariadb": "--engine mariadb"}


class Keeping:
    """
    A directory with the secrets, in the file ``secrets``, and the embedded database, in ``database``.

    Nobody but its owner gets in: mode 0700, or 0710 where a root's database runs as somebody without rights.

    Args:
        directory: made if it is not there.

    Attributes:
        state: for the service.
        note: what the lab was when it was left; empty for a new one.

    Raises:
        LabError: the directory is something else, is damaged, is in use, or can't be written.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        file = self.directory / "secrets"
        problem = ""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not file.exists() and any(self.directory.iterdir()):
                problem = "it is not empty, and no lab left it: choose another"
            else:
                self._close_to_others()
                self.state = State(file)
        except OSError as error:
            problem = error.strerror or str(error)
        except StateError as error:
            raise LabError(str(error)) from None
        if problem:
            raise LabError(f"{directory} can't keep a lab's state: {problem}")
        self.note: dict[str, Any] = self.state.note

    @property
    def database(self) -> Path:
        """Return where the embedded database is kept."""
        return self.directory / "database"

    def check(self, setting: Setting) -> None:
        """
        Hold what the user chose against what is kept.

        Raises:
            LabError: it was made with another database, or for another address, which its secrets name.
        """
        if setting.database not in (None, self.note["database"]):
            raise LabError(
                f"{self.directory} was made with {_SAID_AS[self.note['database']]}: say the same, or nothing"
            )
        if setting.host not in (None, self.note["host"]):
            raise LabError(f"{self.directory} was made with --listen {self.note['host']}: say the same, or nothing")

    def keep(self, **note: Any) -> None:
        """Note what the lab is: from now on it can be gone on with."""
        self.state.note = self.note = note

    def clear(self) -> None:
        """Remove what a lab has left that was killed before it had said where it is."""
        self.state.clear()
        shutil.rmtree(self.database, ignore_errors=True)

    def close(self) -> None:
        """Let go of it."""
        self.state.close()

    def _close_to_others(self) -> None:
        account = Account.for_servers()
        if account.borrowed:
            os.chown(self.directory, -1, account.gid)
        self.directory.chmod(0o710 if account.borrowed else 0o700)
