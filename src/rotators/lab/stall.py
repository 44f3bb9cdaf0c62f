"""Stops a rotation at its worst moment: the role's password is changed, and the change is not yet proven."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rotators.lab import LabError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.postgres import Postgres

_SECONDS = 20
_WAITING = "SELECT count(*) > 0 FROM pg_locks WHERE relation = 'pg_authid'::regclass AND NOT granted"


class Stall:
    """Holds a rotation of `role` between ALTER ROLE and the login that proves it, with no luck involved.

    Two locks do it. ALTER ROLE must write pg_authid, which is locked until it is seen to wait. Then pg_db_role_setting is
    locked, which every login reads, and pg_authid is let go: the change is committed, and the next login waits. On the
    way out of the block everything is let go.
    """

    def __init__(self, server: Postgres, role: str) -> None:
        self._role = role
        self._change = server.connect()
        self._login = server.connect()

    def __enter__(self) -> Self:
        self._change.execute("BEGIN")
        self._change.execute("LOCK TABLE pg_authid IN SHARE MODE")
        return self

    def __exit__(self, *_: object) -> None:
        self._change.close()
        self._login.close()

    def wait_until_changed(self) -> None:
        """Return when the password is changed and the proof waits."""
        before = self._verifier()
        self._until(lambda: self._login.execute(_WAITING).fetchone() == (True,))
        self._login.execute("BEGIN")
        self._login.execute("LOCK TABLE pg_db_role_setting IN ACCESS EXCLUSIVE MODE")
        self._change.execute("COMMIT")
        self._until(lambda: self._verifier() != before)

    def _verifier(self) -> str:
        row = self._login.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (self._role,)).fetchone()
        return str(row)

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise LabError(f"no change of role {self._role} came within {_SECONDS} s")
            time.sleep(0.001)
