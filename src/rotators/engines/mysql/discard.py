"""Making a user's new password the only one, for who does not want the old one to open until the next rotation (law 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators import telemetry
from rotators.engines.mysql.accounts import accounts, is_mariadb, own
from rotators.engines.mysql.alterations import discarding
from rotators.engines.mysql.failures import change_failed
from rotators.engines.mysql.login import login, prepare
from rotators.engines.mysql.plan import lock
from rotators.engines.mysql.session import MySQLError

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret
    from rotators.engines.mysql.session import Session
    from rotators.errors import RotatorsError

#: MySQL says so to who may not keep two passwords, and so has none to discard.
NO_RIGHT = 1227


def discard(authority: DatabaseSecret, new: DatabaseSecret) -> None:
    """
    Make every older password of a user's accounts invalid, over a session of `authority`: an admin, or the user itself.

    Raises:
        CredentialRejected: `authority` was refused.
        ChangeRefused: the server would not have it.
        TargetUnreachable: could not be asked.
    """
    failure: RotatorsError | None = None
    with login(authority) as session:
        try:
            for statement in _statements(session, authority, new):
                session.rows(statement)
                telemetry.window_opened()
        except MySQLError as error:
            if error.number != NO_RIGHT or authority.username != new.username:
                failure = change_failed(error, authority, new.username)
    if failure is not None:
        raise failure


def _statements(session: Session, authority: DatabaseSecret, new: DatabaseSecret) -> list[str]:
    prepare(session)
    lock(session, new.username)
    ((version,),) = session.rows("SELECT VERSION()")
    mariadb = is_mariadb(str(version))
    found = accounts(session, new.username, mariadb=mariadb)
    if found is not None:
        return discarding(found, new.password, mariadb=mariadb)
    if mariadb:
        return discarding([own(session, mariadb=True)], new.password, mariadb=True)
    return ["ALTER USER USER() DISCARD OLD PASSWORD"] if authority.username == new.username else []
