"""
What would stop a change of a PostgreSQL role, asked before there is one, over a session that may only read.

The refusals are those that `change` and `pair` make by themselves; besides, what the server would refuse, and what is worth
knowing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rotators import deadline
from rotators.abc import Obstacle
from rotators.engines.postgres import belongings, failures
from rotators.engines.postgres import turn as turns
from rotators.engines.postgres.change import inspect
from rotators.engines.postgres.doorstep import PROOFS
from rotators.engines.postgres.libpq_errors import LibpqError
from rotators.engines.postgres.login import login
from rotators.engines.postgres.rights import GUARDED, OPTIONS, Pair, Rights
from rotators.engines.postgres.sql import identifier, literal
from rotators.errors import ChangeRefused, RotatorsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.database_secret import DatabaseSecret
    from rotators.engines.postgres.libpq import Session

#: Days before VALID UNTIL in which it is told.
SOON = 90
#: Connections of the role that a change has open at once: its own, and the proofs that wait at the door.
AT_ONCE = 1 + PROOFS
#: `{name}` is the role. RDS's parameter, and the role that it asks for, are absent elsewhere. Source: RDS user guide,
#: "Restricting password management".
_FACTS = """
SELECT pg_catalog.jsonb_build_object(
  'version', pg_catalog.current_setting('server_version_num')::int,
  'standby', pg_catalog.pg_is_in_recovery(),
  'encryption', pg_catalog.current_setting('password_encryption'),
  'restricted', pg_catalog.current_setting('rds.restrict_password_commands', true),
  'trusted', EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_password'
    AND pg_catalog.pg_has_role(session_user, oid, 'MEMBER')),
  'me', (SELECT pg_catalog.to_jsonb(r) FROM pg_catalog.pg_roles r WHERE rolname = session_user),
  'role', (SELECT pg_catalog.to_jsonb(r) FROM pg_catalog.pg_roles r WHERE rolname = {name}),
  'administers', (SELECT pg_catalog.pg_has_role(session_user, oid, 'MEMBER WITH ADMIN OPTION')
    FROM pg_catalog.pg_roles WHERE rolname = {name}),
  'expires', (SELECT rolvaliduntil < pg_catalog.now() + interval '{soon} days' FROM pg_catalog.pg_roles WHERE rolname = {name}),
  'used', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE usename = {name}
    AND pid <> pg_catalog.pg_backend_pid()))
"""


def foresee(authority: DatabaseSecret, new: DatabaseSecret, old: DatabaseSecret) -> list[Obstacle]:
    """
    Return what stands in the way of `change.change`, or of `pair.change` where the two name two roles, with these arguments.

    Raises:
        CredentialRejected: `authority` was refused.
        TargetUnreachable, SecretError, ConfigurationError: could not be asked.
    """
    failure: RotatorsError | None = None
    found: list[Obstacle] = []
    with login(authority) as session:
        try:
            session.rows(
                f"{turns.ours(deadline.current().wait(deadline.CONNECT))} SET default_transaction_read_only = on"
            )
            found += _obstacles(session, authority, new, old)
        except LibpqError as error:
            failure = failures.change_failed(error, authority, new.username)
    if failure is not None:
        raise failure
    return found


def _obstacles(
    session: Session, authority: DatabaseSecret, new: DatabaseSecret, old: DatabaseSecret
) -> Iterator[Obstacle]:
    """Look at the role that is in use, whose attributes a clone gets, and at who makes the change."""
    text = _FACTS.format(name=literal(old.username), soon=SOON)
    ((answer,),) = session.rows(text)
    facts: dict[str, Any] = json.loads(answer or "{}")
    if facts["standby"]:
        yield Obstacle(str(failures.read_only(authority)))
    if new.username != old.username:
        yield from _pair(session, new, Pair.of(new.username, old.username))
    elif authority.username == new.username:
        if facts["me"]["rolsuper"]:
            yield Obstacle(
                f"{new.username!r} is a superuser: whoever reads this secret may do anything",
                "give the application a role of its own",
                fatal=False,
            )
    else:
        yield from _admin(session, new, facts)
    if facts["restricted"] == "on" and not facts["trusted"] and not facts["me"]["rolsuper"]:
        yield Obstacle(
            "rds.restrict_password_commands lets nobody change a password, not even its own, but members of rds_password",
            f"GRANT rds_password TO {identifier(authority.username)}",
        )
    yield from _warnings(old.username, facts, pair=new.username != old.username)


def _admin(session: Session, target: DatabaseSecret, facts: dict[str, Any]) -> Iterator[Obstacle]:
    """An admin sets the password of a role that is not its own."""
    yield from _refusal(lambda: inspect(session, target))
    if facts["me"]["rolsuper"] or facts["role"] is None:
        return
    me = identifier(facts["me"]["rolname"])
    if not facts["me"]["rolcreaterole"]:
        yield Obstacle(f"the admin {me} has no CREATEROLE", f"ALTER ROLE {me} CREATEROLE")
    if facts["version"] >= OPTIONS and not facts["administers"]:
        role = identifier(target.username)
        yield Obstacle(
            f"the admin {me} has no ADMIN OPTION on {role}, as PostgreSQL 16 and later want it",
            f"GRANT {role} TO {me} WITH ADMIN OPTION",
        )


def _pair(session: Session, new: DatabaseSecret, pair: Pair) -> Iterator[Obstacle]:
    rights = Rights.read(session, pair)
    yield from _refusal(lambda: rights.refuse(new))
    me = identifier(rights.admin["rolname"])
    for statement in rights.lacks():
        yield Obstacle(f"the admin {me} lacks a right that two users need", statement)
    base, clone, newer = rights.base, rights.clone, rights.version >= OPTIONS
    if base is not None and not rights.admin["rolsuper"]:
        for column, word in GUARDED.items():
            differs = bool(base[column]) != bool((clone or {}).get(column))
            if newer and clone is not None and differs and not rights.admin[column]:
                yield Obstacle(f"the admin {me} can't give {word}, or take it", f"ALTER ROLE {me} {word}")
            if not newer and differs and word != "CREATEDB":
                yield Obstacle(
                    f"only a superuser may give {word}, which {pair.base!r} has",
                    f"ALTER ROLE {identifier(pair.base)} NO{word}",
                )
    owned = rights.owned(rights.database) + sum(rights.owned_elsewhere(rights.database).values())
    if owned and not belongings.asked_for():
        yield Obstacle(
            f"{pair.clone!r} itself owns {owned} objects, which {pair.base!r} can't use when it is the current one",
            f"{belongings.reassign(pair)}, in each database; or {belongings.VARIABLE}=true",
            fatal=False,
        )


def _warnings(username: str, facts: dict[str, Any], *, pair: bool) -> Iterator[Obstacle]:
    role = facts["role"]
    if role is None:
        return
    if facts["expires"]:
        yield Obstacle(
            f"{username!r} expires on {role['rolvaliduntil']}: a rotation does not move that",
            "ALTER ROLE … VALID UNTIL",
            fatal=False,
        )
    limit, at_once = role["rolconnlimit"], PROOFS if pair else AT_ONCE
    free = limit if pair else limit - facts["used"]  # of the other role of a pair, nobody may be logged in
    if limit >= 0 and free < at_once and not role["rolsuper"]:
        yield Obstacle(
            f"{username!r} may have {limit} connections at once and has {facts['used']}: a change opens up to {at_once}",
            f"ALTER ROLE … CONNECTION LIMIT {limit + at_once - free}",
            fatal=False,
        )
    if facts["encryption"] in {"md5", "on"}:
        yield Obstacle("the server's password_encryption is md5, which is weak", "set it to scram-sha-256", fatal=False)


def _refusal(look: Any) -> Iterator[Obstacle]:
    try:
        look()
    except ChangeRefused as error:
        yield Obstacle(str(error))
