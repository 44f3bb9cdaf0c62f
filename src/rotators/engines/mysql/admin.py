"""An admin's session, which works on the accounts of others: what it sees of them, and what it says when it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.engines.mysql.accounts import Account, accounts, is_mariadb
from rotators.engines.mysql.alignment import DENIED, PLAIN
from rotators.engines.mysql.failures import change_failed
from rotators.engines.mysql.login import prepare
from rotators.engines.mysql.plan import lock
from rotators.engines.mysql.session import MySQLError, Session, identifier
from rotators.engines.mysql.traits import Traits, traits
from rotators.errors import ChangeRefused, RotatorsError

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret

TOO_LONG = 1470


class Admin:
    """
    An admin at work on one user.

    Args:
        session: the admin's.
        who: its credential, for what errors say.
        user: the user to be changed.
    """

    def __init__(self, session: Session, who: DatabaseSecret, user: str) -> None:
        self.session = session
        #: Whether the server is a MariaDB.
        self.mariadb = False
        self._who = who
        self._user = user
        self._altering = ""

    def begin(self, base: str) -> None:
        """
        Make the session ours and take the lock of a pair.

        Raises:
            MySQLError: the connection broke.
            TargetUnreachable: another rotation holds the lock.
        """
        prepare(self.session)
        self.attempt(PLAIN)  # MySQL from 8.0 on does not know the mode, and does not need it
        lock(self.session, base)
        ((version,),) = self.session.rows("SELECT VERSION()")
        self.mariadb = is_mariadb(str(version))

    def accounts(self, user: str) -> list[Account]:
        """
        Return all accounts of a user.

        Raises:
            MySQLError: the connection broke.
            ChangeRefused: the admin may not look.
        """
        found = accounts(self.session, user, mariadb=self.mariadb)
        if found is None:
            raise self._blind()
        return found

    def traits(self, user: str) -> dict[str, Traits]:
        """Return the traits of a user's accounts, by their hosts."""
        return traits(self.session, user, mariadb=self.mariadb)

    def create(self, account: str, clauses: str) -> None:
        """Say CREATE USER."""
        self._altering = account
        self.session.rows(f"CREATE USER {account} {clauses}")

    def alter(self, account: str, clauses: str) -> None:
        """Say ALTER USER."""
        self._altering = account
        self.session.rows(f"ALTER USER {account} {clauses}")

    def attempt(self, statement: str) -> None:
        """Say what a server need not know."""
        try:
            self.session.rows(statement)
        except MySQLError as error:
            if not error.number:
                raise

    def failed(self, error: MySQLError) -> RotatorsError:
        """Translate what a server has refused, with the right that the admin lacks."""
        if error.number in DENIED and not self._altering:
            return self._blind()
        if error.number in DENIED:
            right = "SYSTEM_USER" if "SYSTEM_USER" in error.text else "CREATE USER"
            return ChangeRefused(
                f"the admin {self._who.username!r} may not create or alter {self._altering}: GRANT {right} ON *.* TO "
                f"{self.name()}"
            )
        if error.number == TOO_LONG:
            return ChangeRefused(
                f"{self._user!r} is too long a name for this server: the second user of a pair has 6 characters more than the "
                "first. Choose the strategy single, or give the application a user of a shorter name"
            )
        return change_failed(error, self._who, self._user)

    def name(self) -> str:
        """Return the admin's own account, as a statement names it."""
        ((current,),) = self.session.rows("SELECT CURRENT_USER()")
        user, _, host = str(current).rpartition("@")
        return f"{identifier(user)}@{identifier(host)}"

    def _blind(self) -> ChangeRefused:
        return ChangeRefused(
            f"the admin {self._who.username!r} may not see what accounts and rights {self._user!r} has: GRANT SELECT ON "
            f"`mysql`.* TO {self.name()}"
        )
