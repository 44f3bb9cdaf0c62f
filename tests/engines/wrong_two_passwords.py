"""Deliberately wrong engines that keep two passwords: law 4. See `wrong_engines`."""

from __future__ import annotations

import re
from contextlib import suppress

from rotators import RotatorsError, Secret
from rotators.engines.mysql import MySQL
from rotators.engines.mysql.verifiers import verifier
from tests.engines.mysql_target import session as mysql_session
from tests.engines.wrong_engines import Real

NATIVE = "mysql_native_password"


class RealMySQL(Real):
    """The other one."""

    def __init__(self) -> None:
        self.real = MySQL()

    def discard(self, secret: Secret, *, by: Secret) -> None:
        self.real.discard(secret, by=by)


class Retaining(RealMySQL):
    """Law 4: RETAIN CURRENT PASSWORD, whatever the current password is; on MariaDB the same by hand."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        user = f"'{secret['username']}'@'%'"
        with mysql_session(by) as session, session.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            if "maria" not in str(cursor.fetchone()).lower():
                cursor.execute(f"ALTER USER {user} IDENTIFIED BY '{secret['password']}' RETAIN CURRENT PASSWORD")
                return
            cursor.execute(f"SHOW CREATE USER {user}")
            stored = re.findall(r"\*[0-9A-F]{40}", str(cursor.fetchone()))[0]
            fresh = verifier(NATIVE, secret["password"])
            ways = f"{NATIVE} USING '{fresh}' OR {NATIVE} USING '{stored}'"
            cursor.execute(f"ALTER USER {user} IDENTIFIED VIA {ways}")


class Hoarding(RealMySQL):
    """Nothing is ever discarded."""

    def discard(self, secret: Secret, *, by: Secret) -> None:
        self.test(by)


class Wasteful(RealMySQL):
    """All that is not the value is discarded, whether the value opens or not."""

    def discard(self, secret: Secret, *, by: Secret) -> None:
        with suppress(RotatorsError):
            super().set(secret, by=by, like=secret)
        super().discard(secret, by=by)
