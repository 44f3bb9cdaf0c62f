"""
What both roles of a pair may do, as the catalogs say it; every role can read those.

A session of the clone acts as its base: the base is its ``role`` setting. So what it creates is the base's, and what it may
do is what the base may. The clone's own attributes decide about the login (LOGIN, VALID UNTIL, CONNECTION LIMIT,
REPLICATION, settings) and about what ``SET ROLE NONE`` would bring back. `gaps` compares them.

What no setting changes: the login is the clone's. So ``session_user`` is, and a session that acts as the base can't see the
statements of another session of the clone, or cancel it: for the server that is another role's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from rotators.engines.postgres.sql import identifier, literal
from rotators.errors import ChangeRefused, SecretError
from rotators.strategies import SUFFIX, TAG

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret
    from rotators.engines.postgres.libpq import Session

#: The version in which a membership got INHERIT and SET options, and a CREATEROLE admin needs ADMIN OPTION.
OPTIONS = 160000
#: The version in which the right to set a parameter can be granted.
PARAMETERS = 150000
#: What an admin can give only if it has it itself, from that version on. Before, the last two only a superuser could.
GUARDED = {"rolcreatedb": "CREATEDB", "rolreplication": "REPLICATION", "rolbypassrls": "BYPASSRLS"}
#: `{pair}` is both names. A row to_jsonb'ed tells a column that only newer versions have, and no error in older ones.
#: Of what a role owns, temporary tables end with their session; default privileges and user mappings are its own business.
_FACTS = """
WITH pair AS (SELECT * FROM pg_catalog.pg_roles WHERE rolname IN ({pair})),
clone AS (SELECT oid FROM pair WHERE rolname = {clone})
SELECT pg_catalog.jsonb_build_object(
  'version', pg_catalog.current_setting('server_version_num')::int,
  'acts', current_user, 'database', pg_catalog.current_database(),
  'admin', (SELECT pg_catalog.to_jsonb(r) FROM pg_catalog.pg_roles r WHERE rolname = session_user),
  'roles', (SELECT pg_catalog.jsonb_object_agg(rolname, pg_catalog.to_jsonb(pair)) FROM pair),
  'expired', (SELECT pg_catalog.jsonb_object_agg(rolname, rolvaliduntil < pg_catalog.now()) FROM pair),
  'administers', (SELECT pg_catalog.jsonb_object_agg(rolname,
    pg_catalog.pg_has_role(session_user, oid, 'MEMBER WITH ADMIN OPTION')) FROM pair),
  'memberships', (SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(m) || pg_catalog.jsonb_build_object(
    'role', g.rolname, 'by', k.rolname)) FROM pg_catalog.pg_auth_members m
    JOIN pg_catalog.pg_roles g ON g.oid = m.roleid LEFT JOIN pg_catalog.pg_roles k ON k.oid = m.grantor
    WHERE m.member IN (SELECT oid FROM clone)),
  'settings', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(r.rolname, d.datname, s.setconfig))
    FROM pg_catalog.pg_db_role_setting s LEFT JOIN pair r ON r.oid = s.setrole
    LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase WHERE s.setrole = 0 OR r.oid IS NOT NULL),
  'belongings', (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(x.datname, x.deptype, x.n)) FROM (
    SELECT d.datname, s.deptype, pg_catalog.count(*) AS n FROM pg_catalog.pg_shdepend s
    LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid
    WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid IN (SELECT oid FROM clone)
    AND s.deptype IN ('o', 'a') AND s.classid NOT IN
      ('pg_catalog.pg_default_acl'::pg_catalog.regclass, 'pg_catalog.pg_user_mapping'::pg_catalog.regclass)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = s.objid AND c.relpersistence = 't'
      AND s.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.datname = pg_catalog.current_database())
    GROUP BY 1, 2) x))
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """
    The names of two roles that alternate. The base is always the reference for rights.

    Example:
        >>> Pair.of("app_clone", "app")
        Pair(base='app', clone='app_clone')
    """

    base: str
    clone: str

    @classmethod
    def of(cls, one: str, other: str) -> Self:
        """
        Tell which is which.

        Raises:
            SecretError: they are no pair.
        """
        base, clone = sorted((one, other), key=len)
        if clone != base + SUFFIX:
            raise SecretError(f"'username' of the two versions is not a pair of the form app and app{SUFFIX}")
        return cls(base, clone)


class Rights:
    """What the catalogs say about a pair at one moment, as one answer."""

    def __init__(self, pair: Pair, facts: dict[str, Any]) -> None:
        self.pair = pair
        self.version: int = facts["version"]
        #: The session's own: whom it acts as, its database, and the role that logged in.
        self.acts: str = facts["acts"]
        self.database: str = facts["database"]
        self.admin: dict[str, Any] = facts["admin"]
        roles = facts["roles"] or {}
        #: Each role's row of pg_roles, None where there is no such role.
        self.base: dict[str, Any] | None = roles.get(pair.base)
        self.clone: dict[str, Any] | None = roles.get(pair.clone)
        #: The clone's rows of pg_auth_members, with the names of ``role`` and grantor (``by``).
        self.memberships: list[dict[str, Any]] = facts["memberships"] or []
        #: (role or None for all, database or None for all, {parameter: value}).
        self.settings = [
            (role, database, dict(entry.split("=", 1) for entry in entries))
            for role, database, entries in facts["settings"] or []
        ]
        self._belongings: list[tuple[str | None, str, int]] = facts["belongings"] or []
        self._expired: dict[str, bool | None] = facts["expired"] or {}
        self._administers: dict[str, bool] = facts["administers"] or {}

    @classmethod
    def read(cls, session: Session, pair: Pair) -> Self:
        """
        Ask a session.

        Raises:
            LibpqError: the server refused, or the connection broke.
        """
        names = {"pair": f"{literal(pair.base)}, {literal(pair.clone)}", "clone": literal(pair.clone)}
        ((answer,),) = session.rows(_FACTS.format(**names))
        return cls(pair, json.loads(answer or "{}"))

    @property
    def paired(self) -> bool:
        """Say whether the clone is a member of its base: that, and nothing else, makes it ours (law 11)."""
        return any(row["role"] == self.pair.base for row in self.memberships)

    def refuse(self, target: DatabaseSecret) -> None:
        """
        Refuse what is not ours, and what no password mends.

        Args:
            target: the role whose password is to be set, and where.

        Raises:
            ChangeRefused: says what it is; nothing was changed.
        """
        base, clone, at = self.pair.base, self.pair.clone, f"{target.host}:{target.port}"
        single = f'if {clone!r} is no clone of it but a role of its own, choose "single" by the tag {TAG}'
        if self.base is None:
            raise ChangeRefused(f"{at} has no role {base!r}, whose clone {clone!r} would be: create it, or, {single}")
        if self.clone is None and target.username == base:
            raise ChangeRefused(f"{at} has no role {clone!r}: correct 'username' in the secret")
        for name, role in ((base, self.base), (clone, self.clone)):
            if role is not None and role["rolsuper"]:
                raise ChangeRefused(
                    f"{name!r} at {at} is a superuser: an admin's authority is not used to take one over"
                )
        if self.clone is not None and not self.paired:
            raise ChangeRefused(
                f"{clone!r} at {at} is not a member of {base!r}, so the two are no pair of ours, and nothing was changed. If "
                f"they are to be one, say so: GRANT {identifier(base)} TO {identifier(clone)}; {single}"
            )
        if not self.base["rolcanlogin"]:
            raise ChangeRefused(f"{base!r} at {at} has NOLOGIN, so no password opens it: ALTER ROLE … LOGIN")
        if self._expired.get(base):
            raise ChangeRefused(
                f"{base!r} at {at} expired on {self.base['rolvaliduntil']}, so no password opens it: ALTER ROLE … VALID UNTIL"
            )

    def owned(self, database: str | None) -> int:
        """Count what the clone itself owns in a database, or, for None, outside of all."""
        return sum(n for where, kind, n in self._belongings if kind == "o" and where == database)

    def granted(self, database: str | None) -> int:
        """Count the objects that name the clone itself in their privileges."""
        return sum(n for where, kind, n in self._belongings if kind == "a" and where == database)

    def owned_elsewhere(self, database: str) -> dict[str, int]:
        """Count what the clone itself owns in other databases, by their names."""
        return {w: n for w, kind, n in self._belongings if kind == "o" and w not in {None, database}}

    def lacks(self) -> list[str]:
        """Return, as SQL, what an admin who is no superuser needs for both roles and does not have."""
        me = identifier(self.admin["rolname"])
        if self.admin["rolsuper"]:
            return []
        lacking = [] if self.admin["rolcreaterole"] else [f"ALTER ROLE {me} CREATEROLE"]
        if self.version >= OPTIONS:
            roles = [identifier(name) for name, has in self._administers.items() if not has]
            lacking += [f"GRANT {role} TO {me} WITH ADMIN OPTION" for role in roles]
            if self.clone is None and self.base is not None:
                words = [word for column, word in GUARDED.items() if self.base[column] and not self.admin[column]]
                lacking += [f"ALTER ROLE {me} {word}" for word in words]
        return lacking
