"""
What a clone has of its own: objects, and privileges that were granted to it by name.

A session that acts as its base makes none, so they are what a clone had before it was ours (AWS's template makes clones
that own what they create) or got by ``SET ROLE NONE``. Ownership moves only when asked for. Privileges that the base does
not have are revoked where the admin can; what stays is named.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rotators import deadline
from rotators.engines.postgres.gaps import Gap
from rotators.engines.postgres.libpq_errors import LibpqError
from rotators.engines.postgres.rights import OPTIONS, PARAMETERS
from rotators.engines.postgres.sql import identifier, literal
from rotators.errors import ConfigurationError

if TYPE_CHECKING:
    from rotators.engines.postgres.libpq import Session
    from rotators.engines.postgres.rights import Pair, Rights

VARIABLE = "ROTATORS_REASSIGN_OWNED"
#: How many objects one rotation looks at, and how many a warning names.
MOST, NAMED = 1000, 5
#: Where privileges are kept: kind as REVOKE wants it, catalog, name, owner and privileges.
_KEPT = (
    ("TABLE", "pg_class", "t.oid::pg_catalog.regclass::text", "t.relowner", "t.relacl"),
    ("ROUTINE", "pg_proc", "t.oid::pg_catalog.regprocedure::text", "t.proowner", "t.proacl"),
    ("SCHEMA", "pg_namespace", "pg_catalog.quote_ident(t.nspname)", "t.nspowner", "t.nspacl"),
    ("TYPE", "pg_type", "t.oid::pg_catalog.regtype::text", "t.typowner", "t.typacl"),
    ("LANGUAGE", "pg_language", "pg_catalog.quote_ident(t.lanname)", "t.lanowner", "t.lanacl"),
    ("FOREIGN DATA WRAPPER", "pg_foreign_data_wrapper", "pg_catalog.quote_ident(t.fdwname)", "t.fdwowner", "t.fdwacl"),
    ("FOREIGN SERVER", "pg_foreign_server", "pg_catalog.quote_ident(t.srvname)", "t.srvowner", "t.srvacl"),
    ("LARGE OBJECT", "pg_largeobject_metadata", "t.oid::text", "t.lomowner", "t.lomacl"),
    ("DATABASE", "pg_database", "pg_catalog.quote_ident(t.datname)", "t.datdba", "t.datacl"),
    ("TABLESPACE", "pg_tablespace", "pg_catalog.quote_ident(t.spcname)", "t.spcowner", "t.spcacl"),
)
_COLUMNS = (
    "SELECT 'TABLE', t.oid::pg_catalog.regclass::text, t.relowner, c.attacl FROM pg_catalog.pg_class t "
    "JOIN pg_catalog.pg_attribute c ON c.attrelid = t.oid JOIN named n ON n.objid = t.oid "
    "AND n.classid = 'pg_catalog.pg_class'::pg_catalog.regclass WHERE c.attacl IS NOT NULL"
)
#: From 15 on. Its owner is the superuser of initdb.
_PARAMETERS = ("PARAMETER", "pg_parameter_acl", "pg_catalog.quote_ident(t.parname)", "10::pg_catalog.oid", "t.paracl")
#: A privilege is the base's too where it owns the object, or somebody it inherits from has it (PUBLIC is 0).
_EXTRAS = """
WITH named AS (SELECT classid, objid FROM pg_catalog.pg_shdepend WHERE deptype = 'a'
  AND refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND refobjid = {clone}
  AND dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))),
kept (kind, name, owner, acl) AS ({kept})
SELECT DISTINCT k.kind, k.name FROM kept k, pg_catalog.aclexplode(k.acl) mine
WHERE mine.grantee = {clone} AND NOT pg_catalog.pg_has_role({base}, k.owner, 'USAGE')
AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(k.acl) theirs WHERE theirs.privilege_type = mine.privilege_type
  AND (theirs.is_grantable OR NOT mine.is_grantable)
  AND (theirs.grantee = 0 OR pg_catalog.pg_has_role({base}, theirs.grantee, 'USAGE'))) {whose}
ORDER BY 1, 2 LIMIT {most}
"""


def asked_for() -> bool:
    """
    Say whether what a clone owns is to become its base's: ``ROTATORS_REASSIGN_OWNED``.

    Raises:
        ConfigurationError: it is neither true nor false.
    """
    said = (os.environ.get(VARIABLE) or "false").strip().lower()
    if said not in {"true", "false"}:
        raise ConfigurationError(f"{VARIABLE} must be true or false")
    return said == "true"


def reassign(pair: Pair) -> str:
    """Return the statement that gives what the clone owns, in the session's database and outside of all, to the base."""
    return f"REASSIGN OWNED BY {identifier(pair.clone)} TO {identifier(pair.base)}"


def reassignment(rights: Rights) -> Gap:
    """Return the same with what an admin needs for it."""
    inherit = " WITH INHERIT TRUE, SET TRUE" if rights.version >= OPTIONS else ""
    base, clone, me = map(identifier, (rights.pair.base, rights.pair.clone, rights.admin["rolname"]))
    text = f"give what {rights.pair.clone!r} owns to {rights.pair.base!r}"
    return Gap(text, reassign(rights.pair), f"GRANT {base}, {clone} TO {me}{inherit}")


def extras(session: Session, rights: Rights, *, revocable: bool = False) -> list[str]:
    """
    Return what revokes the privileges that the clone was granted by name in the session's database, and its base has not.

    Args:
        session: whom to ask.
        rights: of the pair.
        revocable: only those that the session's own role can revoke: it owns the object, is its owner, or a superuser.

    Raises:
        LibpqError: the server refused, or the connection broke.
    """
    clone, base = ((role or {}).get("oid") for role in (rights.clone, rights.base))
    places = (*_KEPT, _PARAMETERS) if rights.version >= PARAMETERS else _KEPT
    kept = [
        f"SELECT {literal(kind)}, {name}, {owner}, {acl} FROM pg_catalog.{catalog} t JOIN named n ON n.objid = t.oid "  # noqa: S608 - ours
        f"AND n.classid = 'pg_catalog.{catalog}'::pg_catalog.regclass"
        for kind, catalog, name, owner, acl in places
    ]
    question = _EXTRAS.format(
        clone=f"{int(clone or 0)}::pg_catalog.oid",
        base=f"{int(base or 0)}::pg_catalog.oid",
        most=MOST,
        whose="AND pg_catalog.pg_has_role(k.owner, 'USAGE')" if revocable else "",
        kept=" UNION ALL ".join([*kept, _COLUMNS]),
    )
    name = identifier(rights.pair.clone)
    return [f"REVOKE ALL ON {kind} {what} FROM {name}" for kind, what in session.rows(question)]


def revoke(session: Session, rights: Rights) -> None:
    """
    Revoke those that can be. What stays, testSecret warns of.

    Raises:
        LibpqError: the connection broke.
    """
    for statement in extras(session, rights, revocable=True):
        if deadline.current().left() < deadline.CONNECT:
            return
        try:
            session.rows(statement)
        except LibpqError as error:
            if error.sqlstate is None or not session.alive:
                raise
