"""Reading a description of a provider: what is wrong in it is said with the file, the line and the key, before it is used."""

from __future__ import annotations

import tomllib
from functools import partial
from typing import TYPE_CHECKING, Any

from rotators.engines.api_key.document import Document, Draw, Listing, Overlap, Paging, Request, Signature
from rotators.engines.api_key.pointer import Pointer
from rotators.engines.api_key.table import Table
from rotators.engines.api_key.template import Template
from rotators.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What each request may name in braces.
ALWAYS = frozenset({"by", "secret", "login", "date", "now", "signature"})
NAMES: dict[str, frozenset[str]] = {
    "login": frozenset({"by", "secret", "date", "now", "signature"}),
    "like": ALWAYS,
    "read": ALWAYS | {"slot"},
    "issue": ALWAYS | {"name", "like", "slot", "grace", "expires"},
    "list": ALWAYS,
    "test": ALWAYS,
    "revoke": ALWAYS | {"id"},
    "promote": ALWAYS,
    "push": ALWAYS | {"current"},
}
#: The requests that each overlap must have, and may have besides.
NEEDS: dict[Overlap, tuple[set[str], set[str]]] = {
    Overlap.MANUAL: ({"issue", "list", "test", "revoke"}, {"login", "like"}),
    Overlap.EXPIRING: ({"issue", "test"}, {"login", "like", "list", "revoke"}),
    Overlap.PROMOTE: ({"issue", "test", "promote"}, {"login", "like", "revoke"}),
    Overlap.SLOTS: ({"issue", "test"}, {"login", "read"}),
    Overlap.REPLACE: ({"issue", "test"}, {"login", "like"}),
    Overlap.SELF_MADE: ({"push"}, {"login", "test"}),
}
TOP = {"about", "reference", "tried", "url", "overlap", "most", "settles", "grace", "name_length", "slots", "retry_header"} | {
    "secret", "headers", "draw", "untestable", "plaintext", *NAMES
}  # fmt: skip
REQUEST = {"method", "url", "path", "headers", "query", "json", "form", "basic", "sign", "works", "rejected", "gone", "full"} | {
    "expects", "take"
}  # fmt: skip
MORE = {"list": {"items", "id", "name", "next", "pages"}, "read": {"key"}}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
USUAL = {"list": "GET", "like": "GET", "test": "GET", "read": "GET", "revoke": "DELETE", "push": "PUT"}
#: The shortest name under which a key is found again.
SHORTEST_NAME = 40


def read(name: str, file: str, source: str) -> Document:
    """
    Read a description.

    Args:
        name: what the provider is called.
        file: what errors call the file.
        source: its text, TOML.

    Raises:
        ConfigurationError: it is wrong; names file, line and key.

    Example:
        >>> read("relay", "relay.toml", Path("relay.toml").read_text()).overlap
        <Overlap.MANUAL: 'manual'>
    """
    problem = ""
    values: dict[str, Any] = {}
    try:
        values = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        problem = str(error)
    if problem:
        raise ConfigurationError(f"{file} is not TOML: {problem}")
    top = Table(file, source, "", values, known=TOP)
    overlap = Overlap(top.word("overlap", [*Overlap]))
    needed, possible = NEEDS[overlap]
    untestable = top.get("untestable", str, "")
    if untestable and overlap is not Overlap.SELF_MADE:
        top.wrong("untestable", "is for self-made keys; a key that a provider issues is proven before it is used")
    if overlap is Overlap.SELF_MADE and not untestable:
        needed = needed | {"test"}
    for kind in sorted(needed - set(values)):
        top.wrong(kind, f'is missing; overlap = "{overlap}" needs it, as a table [{kind}]')
    if "login" not in values and "login" in _named(values, ALWAYS):
        top.wrong("login", "is missing, and {login.…} stands somewhere")
    for kind in sorted((set(NAMES) & set(values)) - needed - possible):
        top.wrong(kind, f'has no use with overlap = "{overlap}"')
    secret = top.table("secret", {"key", "id", "slot", "same"})
    slots = top.texts("slots")
    if (overlap is Overlap.SLOTS) != (len(slots) == 2):  # noqa: PLR2004 - the one in use, and the other
        top.wrong("slots", f"{'needs two names' if overlap is Overlap.SLOTS else 'is for overlap = ' + repr('slots')}")
    shared = top.templates("headers", ALWAYS)
    requests = {kind: _request(top, kind, shared) for kind in NAMES if kind in top}
    document = Document(
        name=name,
        file=file,
        overlap=overlap,
        url=top.template("url", frozenset({"secret"})),
        key=secret.get("key", str, required=True),
        id=secret.get("id", str, ""),
        slot=secret.get("slot", str, "slot"),
        same=secret.texts("same"),
        most=top.number("most", None, least=2),
        settles=top.number("settles", 0, least=0, most=600),
        grace=top.number("grace", 0, least=0),
        name_length=top.number("name_length", 200, least=SHORTEST_NAME),
        slots=slots,
        retry_header=top.get("retry_header", str, ""),
        in_use=_of(top, "read").pointer("key") if "read" in top else None,
        listing=_listing(_of(top, "list")) if "list" in top else None,
        untestable=untestable,
        plaintext=top.get("plaintext", bool, default=False),
        draw=_draw(top),
        requests=requests,
    )
    _agree(top, document)
    return document


def _agree(top: Table, document: Document) -> None:
    """Complain where what is right by itself does not fit together."""
    issued = document.overlap not in {Overlap.SELF_MADE, Overlap.SLOTS}
    if issued and not document.id and document.listing:
        top.table("secret", {"key", "id", "slot", "same"}).wrong(
            "id", "is missing; say under which name the secret holds the key's id, or keys could not be revoked"
        )
    takes = document.requests["issue"].takes if "issue" in document.requests else None
    for needed in [document.key, *([document.id] if issued and document.listing else [])] if takes is not None else []:
        if needed not in (takes or {}):
            _of(top, "issue").wrong(
                "take", f'does not say where {needed!r} is in the answer, such as {needed} = "/data/key"'
            )
    if document.most and not document.listing:
        top.wrong("most", "needs [list]: without it keys can't be counted")
    if document.listing and "revoke" not in document.requests:
        top.wrong("list", "needs [revoke]: keys that are found are revoked")
    if document.overlap is Overlap.EXPIRING and not document.grace:
        top.wrong("grace", "is missing; say for how many seconds the old key goes on working")
    if document.url.text.startswith("http://") and not (document.plaintext or _here(document.url)):
        top.wrong("url", "is not https: keys would be sent unencrypted. If that is meant, say plaintext = true")
    if not document.url.text.startswith(("http://", "https://", "{")):
        top.wrong("url", "does not begin with https://")


def _here(url: Template) -> bool:
    return url.text.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))


def _of(top: Table, kind: str) -> Table:
    return top.table(kind, REQUEST | MORE.get(kind, set()))


def _request(top: Table, kind: str, shared: Mapping[str, Template]) -> Request:
    table, names = _of(top, kind), NAMES[kind]
    if "json" in table and "form" in table:
        table.wrong("form", "stands beside 'json'; a request has one body")
    basic = table.texts("basic")
    if basic and len(basic) != 2:  # noqa: PLR2004 - user and password
        table.wrong("basic", 'expects two strings: ["{by.user}", "{by.key}"]')
    own = table.templates("headers", names)
    body = "form" if "form" in table else "json"
    denied = [401, 403] if kind == "test" else [401]
    return Request(
        kind=kind,
        method=table.word("method", METHODS, USUAL.get(kind, "POST")),
        url=table.template("url", frozenset({"secret", "by"})) if "url" in table else None,
        path=table.template("path", names, None if "url" not in table else ""),
        headers=own if "headers" in table or kind == "login" else shared,
        query=table.templates("query", names),
        body=table.shape(body, names) if body in table else None,
        form="form" in table,
        basic=_pair(table, basic, names) if basic else None,
        signature=_signature(table, names) if "sign" in table else None,
        works=table.statuses("works", range(200, 300)),
        rejected=table.statuses("rejected", denied),
        gone=table.statuses("gone", [404, 410] if kind in {"revoke", "promote"} else []),
        full=table.statuses("full", []),
        expects=_expects(table, names),
        takes=table.pointers("take"),
        names=frozenset(_named([table.values, {} if "headers" in table else top.values.get("headers")], names)),
    )


def _named(value: Any, known: frozenset[str]) -> set[str]:
    """Return what a value names in braces, at whatever depth."""
    if isinstance(value, str):
        return {name for name in known if "{" + name in value}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return {name for each in inner for name in _named(each, known)}


def _pair(table: Table, basic: tuple[str, ...], names: frozenset[str]) -> tuple[Template, Template]:
    user, password = (table.read("basic", partial(Template, text, allowed=names)) for text in basic)
    return user, password


def _signature(table: Table, names: frozenset[str]) -> Signature:
    inner = table.table("sign", {"key", "text"})
    allowed = names - {"signature"}
    return Signature(inner.template("key", allowed), inner.template("text", allowed))


def _expects(table: Table, names: frozenset[str]) -> dict[Any, Template]:
    found = table.templates("expects", names)
    return {table.read("expects", partial(Pointer, at), at): value for at, value in found.items()}


def _listing(table: Table) -> Listing:
    paging = None
    if "next" in table:
        inner = table.table("next", {"at", "query", "more"})
        more = inner.pointer("more") if "more" in inner else None
        paging = Paging(inner.pointer("at"), inner.get("query", str, ""), more, 0, 0)
    elif "pages" in table:
        inner = table.table("pages", {"query", "first", "step"})
        first, step = inner.number("first", 1, least=0, most=1), inner.number("step", 1, least=1)
        paging = Paging(None, inner.get("query", str, required=True), None, first, step)
    return Listing(table.pointer("items", ""), table.pointer("id"), table.pointer("name"), paging)


def _draw(top: Table) -> Draw:
    table = top.table("draw", {"form", "bytes", "prefix"})
    form = table.word("form", ["password", "hex", "base64", "base64url"], "password")
    return Draw(form, table.number("bytes", 32, least=16, most=1024), table.get("prefix", str, ""))
