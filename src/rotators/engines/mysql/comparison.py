"""Whether the two users of a pair can do the same (law 12): each looks at itself, so that no admin is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rotators.engines.mysql.accounts import is_mariadb
from rotators.engines.mysql.failures import login_failed
from rotators.engines.mysql.granting import missing, surplus
from rotators.engines.mysql.grants import Kind, Right, created, listed, rights
from rotators.engines.mysql.login import login, prepare
from rotators.engines.mysql.session import MySQLError, Session, literal
from rotators.errors import ChangeRefused, RotatorsError
from rotators.strategies import SUFFIX

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret

_NAMES = re.compile(r"`((?:[^`]|``)*)`\.`((?:[^`]|``)*)`$")
_WAY = r"\w+(?: USING '(?:[^']|'')*')?"
_PASSWORD = re.compile(rf" IDENTIFIED (?:BY PASSWORD '[^']*'|VIA {_WAY}(?: OR {_WAY})*)")
#: What either may have of its own: a lock, which neither can have that has logged in, and what people note.
_OWN = re.compile(r" ACCOUNT (?:UN)?LOCK| (?:ATTRIBUTE|COMMENT) '.*$")


def same_rights(new: DatabaseSecret, old: DatabaseSecret) -> None:
    """
    Refuse a user of a pair that can do less or more than the other, or of whom the server demands something else.

    Args:
        new: pending.
        old: current.

    Raises:
        ChangeRefused: names the differences.
        CredentialRejected: one of them does not open.
        TargetUnreachable: could not be asked.
    """
    base, clone = (old, new) if new.username.endswith(SUFFIX) else (new, old)
    said: list[str] = []
    failure: RotatorsError | None = None
    with login(base) as of_base, login(clone) as of_clone:
        try:
            said = _differences(of_base, base.username, of_clone, clone.username)
        except MySQLError as error:
            failure = login_failed(error, new, "")
    if failure is not None:
        raise failure
    if said:
        raise ChangeRefused(
            f"the two users of the pair differ: {'; '.join(said)}. setSecret makes them equal, and runs again at the next try: "
            "what differs then is changed by somebody meanwhile",
            retryable=True,
        )


def _differences(of_base: Session, base: str, of_clone: Session, clone: str) -> list[str]:
    want, wanted = _look(of_base)
    have, has = _look(of_clone)
    said = []
    lacks = [right for right in sorted(missing(have, want)) if not _left_over(of_base, right)]
    more = [right for right in sorted(surplus(have, want)) if not _left_over(of_clone, right)]
    if lacks:
        said.append(f"{clone!r} lacks {listed(lacks)}")
    if more:
        said.append(f"{clone!r} has, and {base!r} has not, {listed(more)}")
    if wanted != has:
        said.append(f"{base!r} has{wanted or ' no demands'}, {clone!r} has{has or ' no demands'}")
    return said


def _look(session: Session) -> tuple[frozenset[Right], str]:
    """Return what a session's user may do, and what the server demands of it."""
    prepare(session)
    ((version,),) = session.rows("SELECT VERSION()")
    mariadb = is_mariadb(str(version))
    told = created(session, None)
    demands = _PASSWORD.sub("", told, count=1) if mariadb else told[max(0, told.find(" REQUIRE ")) :]
    return rights(session, None, mariadb=mariadb), _OWN.sub("", demands)


def _left_over(session: Session, right: Right) -> bool:
    """Say whether a right is on what no longer exists: who has a right on a table or a routine sees whether it is there."""
    names = _NAMES.search(right.on)
    if right.kind is not Kind.PRIVILEGE or names is None:
        return False
    schema, name = (literal(part.replace("``", "`")) for part in names.groups())
    kind = right.on.partition(" ")[0]
    if kind in {"FUNCTION", "PROCEDURE", "PACKAGE"}:
        look = f"ROUTINES WHERE ROUTINE_SCHEMA = {schema} AND ROUTINE_NAME = {name}"
    elif not right.on.startswith("`"):
        return False
    else:
        look = f"COLUMNS WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name}"
        if right.column:
            look += f" AND COLUMN_NAME = {literal(right.column[1:-1].replace('``', '`'))}"
    return not session.rows(f"SELECT 1 FROM information_schema.{look} LIMIT 1")  # noqa: S608 - quoted
