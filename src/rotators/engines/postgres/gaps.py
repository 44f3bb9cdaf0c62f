"""
What the clone has less, or more, than its base: one list, which setSecret closes and testSecret wants empty (law 12).

Equal are: the attributes, the settings (for all databases and for each), and whom the clone is a member of: its base, with
INHERIT and SET, and nobody else. So whatever is later granted to the base or revoked from it, holds for the clone at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rotators.engines.postgres.rights import GUARDED, OPTIONS, PARAMETERS
from rotators.engines.postgres.sql import identifier, literal, literals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.engines.postgres.rights import Rights

#: Attributes that are on or off.
FLAGS = {"rolcanlogin": "LOGIN", "rolinherit": "INHERIT", "rolcreaterole": "CREATEROLE", **GUARDED}
#: The parameters whose value is a list of quoted names; the server takes no other. Source: variable_is_guc_list_quote.
LISTS = {
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """
    One difference.

    Attributes:
        text: what it is; never a setting's value, which may be a secret.
        statement: what closes it.
        remedy: what lets an admin do that, as SQL, where more is needed than for any change of the two roles.
    """

    text: str
    statement: str
    remedy: str = ""


def gaps(rights: Rights) -> list[Gap]:
    """Return what differs, in the order in which it is to be closed. Both roles must be there."""
    return [*_attributes(rights), *_memberships(rights), *_settings(rights)]


def acting(rights: Rights, database: str | None) -> str:
    """
    Return the role that a session of the base acts as in a database, and one of the clone is to act as.

    Args:
        rights: what the catalogs say.
        database: its name; None for databases of which no setting speaks.
    """
    for role, where in ((rights.pair.base, database), (rights.pair.base, None), (None, database), (None, None)):
        for whose, at, entries in rights.settings:
            if (whose, at) == (role, where) and "role" in entries:
                return rights.pair.base if entries["role"] == "none" else str(entries["role"])
    return rights.pair.base


def _attributes(rights: Rights) -> Iterator[Gap]:
    base, clone = rights.base or {}, rights.clone or {}
    name, me = identifier(rights.pair.clone), identifier(rights.admin["rolname"])
    for column, word in FLAGS.items():
        # Up to 15 it is the member's INHERIT that lets the clone have what its base has, as for CONNECT at login. Later
        # the membership has its own, and this one is only a default.
        wanted = base[column] or (word == "INHERIT" and rights.version < OPTIONS)
        if clone[column] != wanted:
            alter = f"ALTER ROLE {name} {word if wanted else f'NO{word}'}"
            remedy = f"ALTER ROLE {me} {word}" if rights.version >= OPTIONS else alter
            guarded = column in GUARDED and (rights.version >= OPTIONS or word != "CREATEDB")
            yield Gap(word if wanted else f"no {word}", alter, remedy if guarded else "")
    if clone["rolconnlimit"] != base["rolconnlimit"]:
        yield Gap("CONNECTION LIMIT", f"ALTER ROLE {name} CONNECTION LIMIT {base['rolconnlimit']:d}")
    until = [role["rolvaliduntil"] or "infinity" for role in (clone, base)]  # once it was set, it can't be NULL again
    if until[0] != until[1]:
        yield Gap("VALID UNTIL", f"ALTER ROLE {name} VALID UNTIL {literal(until[1])}")


def _memberships(rights: Rights) -> Iterator[Gap]:
    base, clone = identifier(rights.pair.base), identifier(rights.pair.clone)
    newer = rights.version >= OPTIONS
    own = [row for row in rights.memberships if row["role"] == rights.pair.base]
    options = ("inherit_option", "set_option") if newer else ("roleid",)
    if not all(any(row[option] for row in own) for option in options):
        yield Gap(
            f"membership in {rights.pair.base!r}{' with INHERIT and SET' if newer else ''}",
            f"GRANT {base} TO {clone}{' WITH INHERIT TRUE, SET TRUE' if newer else ''}",
        )
    for row in rights.memberships:
        role = str(row["role"])
        what = "ADMIN OPTION FOR " if role == rights.pair.base else ""
        if what and not row["admin_option"]:
            continue
        by = f" GRANTED BY {identifier(row['by'])}" if newer else ""
        revoke = f"REVOKE {what}{identifier(role)} FROM {clone}{by}"
        yield Gap(f"no {what.lower()}membership in {role!r}", revoke, revoke)


def _settings(rights: Rights) -> Iterator[Gap]:
    pair, name = rights.pair, identifier(rights.pair.clone)
    wanted = {where: dict(entries) for whose, where, entries in rights.settings if whose == pair.base}
    found = {where: entries for whose, where, entries in rights.settings if whose == pair.clone}
    wanted.setdefault(None, {})["role"] = acting(rights, None)
    for whose, where, entries in rights.settings:
        # ALTER DATABASE … SET role, which a setting of the clone's own would overrule.
        if whose is None and where is not None and "role" in entries:
            wanted.setdefault(where, {})["role"] = acting(rights, where)
    for where in sorted({*wanted, *found}, key=str):
        at = "" if where is None else f" IN DATABASE {identifier(where)}"
        want, have = wanted.get(where, {}), found.get(where, {})
        for parameter in sorted({*want, *have}):
            value = _normal(parameter, want.get(parameter))
            if value == _normal(parameter, have.get(parameter)):
                continue
            quoted = ".".join(identifier(part) for part in parameter.split("."))
            text = f"setting {parameter}{f' in database {where!r}' if where is not None else ''}"
            right = "SET ON PARAMETER " + quoted if parameter != "role" else identifier(pair.base)
            remedy = f"GRANT {right} TO {identifier(rights.admin['rolname'])}" if rights.version >= PARAMETERS else ""
            if value is None:
                yield Gap(f"no {text}", f"ALTER ROLE {name}{at} RESET {quoted}", remedy)
            else:
                listed = literals(value) if parameter in LISTS else literal(value)
                yield Gap(text, f"ALTER ROLE {name}{at} SET {quoted} = {listed}", remedy)


def _normal(parameter: str, value: str | None) -> str | None:
    """An empty list can be had only as the list of one empty name, which means the same."""
    return '""' if value == "" and parameter in LISTS else value
