"""What a description of a provider says, read and checked: ``Document`` and its ``Request``s."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.engines.api_key.pointer import Pointer
    from rotators.engines.api_key.template import Template


class Overlap(StrEnum):
    """How long the old key goes on working, and who ends it."""

    MANUAL = "manual"  #: until we revoke it
    EXPIRING = "expiring"  #: for a time that the provider counts
    PROMOTE = "promote"  #: until the new key is moved to the first place
    SLOTS = "slots"  #: until its own place is filled anew, at the next rotation
    REPLACE = "replace"  #: not at all
    SELF_MADE = "self-made"  #: as long as what we send says


@dataclass(frozen=True, slots=True)
class Paging:
    """
    How a list goes on.

    Attributes:
        at: where the cursor, or the whole next URL, is in an answer; None where pages are counted.
        query: the parameter that carries it; empty where it is a URL.
        more: where an answer says whether there is more; None where the cursor's absence says it.
        first, step: the number of the first page, and from one to the next, where pages are counted.
    """

    at: Pointer | None
    query: str
    more: Pointer | None
    first: int
    step: int


@dataclass(frozen=True, slots=True)
class Listing:
    """
    Where the keys are in an answer to ``list``.

    Attributes:
        items: the list of keys.
        id: a key's id, in its item.
        name: its name, in its item.
        paging: how it goes on; None where one answer holds all.
    """

    items: Pointer
    id: Pointer
    name: Pointer
    paging: Paging | None


@dataclass(frozen=True, slots=True)
class Signature:
    """An HMAC-SHA256, for ``{signature}``: the key, and the text that is signed with it."""

    key: Template
    text: Template


@dataclass(frozen=True, slots=True)
class Request:
    """
    One call of a provider.

    Attributes:
        kind: the table's name: issue, list, test, …
        headers: sent with it; its own, or else those that all requests share.
        body: ``json`` or ``form``, as it is sent; None where nothing is.
        form: whether the body is sent as a form.
        basic: user and password of an Authorization header.
        works, rejected, gone, full, busy: the statuses that mean this.
        expects: what must stand where in the answer, or the call was rejected.
        takes: what is read from the answer, by the name it gets.
        names: what it names in braces, before the dot.
    """

    kind: str
    method: str
    url: Template | None
    path: Template
    headers: Mapping[str, Template] = field(default_factory=dict)
    query: Mapping[str, Template] = field(default_factory=dict)
    body: Any = None
    form: bool = False
    basic: tuple[Template, Template] | None = None
    signature: Signature | None = None
    works: frozenset[int] = frozenset()
    rejected: frozenset[int] = frozenset()
    gone: frozenset[int] = frozenset()
    full: frozenset[int] = frozenset()
    expects: Mapping[Pointer, Template] = field(default_factory=dict)
    takes: Mapping[str, Pointer] = field(default_factory=dict)
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Draw:
    """
    What a key that we make looks like.

    Attributes:
        form: password, hex, base64 or base64url.
        size: how many random bytes; a password's length is the password policy's.
        prefix: what it begins with.
    """

    form: str = "password"
    size: int = 32
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """
    A provider, described.

    Attributes:
        name: the file's name without its ending.
        file: what errors call the file.
        url: where all paths begin.
        key, id, slot: the names under which a secret holds the key, its id, and the place it is in.
        same: further names in a secret whose values say what it is for (law 5).
        most: how many keys there may be at once.
        settles: seconds that a new key may be refused.
        grace: seconds that an old one goes on working, where the provider counts them.
        name_length: how long a key's name may be.
        slots: the two places.
        retry_header: the header that says how many seconds to wait, beside Retry-After.
        in_use: where the answer to ``read`` has the key of a place.
        listing: where keys are in the answer to ``list``.
        untestable: why a key can't be tested; empty where it can.
        plaintext: whether http is allowed to hosts other than this one.
        requests: by kind.
    """

    name: str
    file: str
    overlap: Overlap
    url: Template
    key: str
    id: str
    slot: str
    same: tuple[str, ...]
    most: int | None
    settles: float
    grace: int
    name_length: int
    slots: tuple[str, ...]
    retry_header: str
    in_use: Pointer | None
    listing: Listing | None
    untestable: str
    plaintext: bool
    draw: Draw
    requests: Mapping[str, Request]
