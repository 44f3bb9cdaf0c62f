"""``Provider``: a described provider that issues keys, as a `KeyRotator` speaks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotators.abc import Key
from rotators.engines.api_key.conversation import Conversation, expiry
from rotators.engines.api_key.document import Overlap
from rotators.errors import ChangeRefused, CredentialRejected, SecretError

if TYPE_CHECKING:
    from rotators.engines.api_key.document import Document
    from rotators.secret import Secret

#: How many pages of a list are read.
PAGES = 200
#: The place that a promoted key is in.
FIRST = "first"


class Described:
    """
    What all described services share.

    Args:
        document: the description.
        pinned: whether the function's environment names it, and not the secret.
    """

    def __init__(self, document: Document, *, pinned: bool = False) -> None:
        self.document = document
        self._pinned = pinned

    @property
    def name(self) -> str:
        """Return the description's name."""
        return self.document.name

    @property
    def settles(self) -> float:
        """Return how many seconds a new key may be refused."""
        return self.document.settles

    def resource(self, secret: Secret) -> dict[str, str]:
        """
        Return what the secret is for: the provider, and the values that its URL and the description's `same` name.

        Raises:
            SecretError: one is missing, or there is no key.
        """
        keys = dict.fromkeys(place.key for place in self.document.url.places())
        found = {"provider": self.name}
        for key in (*keys, *self.document.same):
            found[key] = _text(secret, key)
        for key in ("masterarn", "adminarn"):
            if secret.get(key) is not None:
                found[key] = _text(secret, key)
        _text(secret, self.document.key)
        return found

    def test(self, secret: Secret) -> None:
        """Make the description's `test` with the key itself."""
        if "test" in self.document.requests:
            self._with(secret, secret).ask("test")
        else:
            from rotators import telemetry  # noqa: PLC0415 - loaded by then

            telemetry.warn(f"the key was not tested: {self.document.file} says {self.document.untestable}")

    def _with(self, by: Secret, secret: Secret) -> Conversation:
        return Conversation(self.document, by=by, secret=secret, pinned=self._pinned)


class Provider(Described):
    """
    A provider that issues keys. See `rotators.abc.Issues`.

    Example:
        >>> handler = KeyRotator(Provider(read("relay", "relay.toml", text)))
    """

    @property
    def most(self) -> int | None:
        """Return how many keys there may be at once."""
        return self.document.most

    def key_of(self, secret: Secret) -> str:
        """Return the id of the key in a secret; where keys have none, what stands for it."""
        document = self.document
        if document.overlap is Overlap.SLOTS:
            return str(secret.get(document.slot) or document.slots[0])
        if document.id:
            return str(secret.get(document.id) or "")
        return "the key" if secret.get(document.key) else ""

    def keys(self, *, by: Secret, like: Secret) -> list[Key]:
        """Return the keys that `list` names; none where there is no list."""
        listing = self.document.listing
        if listing is None:
            return []
        talk = self._with(by, like)
        found: list[Key] = []
        answer = talk.ask("list", paging=self._first_page())
        for number in range(1, PAGES + 1):
            items = listing.items.find(answer.body)
            if isinstance(items, dict):
                items = list(items.values())
            if not isinstance(items, list):
                raise ChangeRefused(f"{self.name} answered [list] without a list at {listing.items.text or 'the top'}")
            found += [Key(_word(listing.id.find(item)), _word(listing.name.find(item))) for item in items]
            following = self._following(answer.body, number, items)
            if following is None:
                return [key for key in found if key.id]
            again = isinstance(following, str)
            answer = talk.follow("list", str(following)) if again else talk.ask("list", paging=following)
        raise ChangeRefused(f"{self.name} lists keys without an end: see 'next' in [list]")

    def issue(self, name: str, *, by: Secret, like: Secret) -> Secret:
        """Issue a key of that name."""
        document, talk = self.document, self._with(by, like)
        if "like" in document.requests:
            talk.learn("like", talk.taken("like", talk.ask("like")))
        slot = self._next_slot(talk, like)
        if document.overlap is Overlap.PROMOTE and like.get(document.slot) == FIRST and "revoke" in document.requests:
            talk.ask("revoke")  # what a try that died has left in the second place: the key in use is in the first
        answer = talk.ask(
            "issue", name=self._short(name), slot=slot, grace=document.grace, expires=expiry(document.grace)
        )
        issued = talk.taken("issue", answer, slot=slot)
        if slot or document.overlap is Overlap.PROMOTE:
            issued[document.slot] = slot or FIRST  # where it is once it is current
        return like.replace(**issued)

    def revoke(self, key: str, *, by: Secret, like: Secret) -> None:
        """Revoke a key."""
        self._with(by, like).ask("revoke", id=key)

    def _next_slot(self, talk: Conversation, like: Secret) -> str:
        """Return the place that is not in use, having seen that it is not, where the provider shows it."""
        document = self.document
        if document.overlap is not Overlap.SLOTS:
            return ""
        used = self.key_of(like)
        if used not in document.slots:
            raise SecretError(f"'{document.slot}' in the secret is none of {' and '.join(document.slots)}")
        slot = next(slot for slot in document.slots if slot != used)
        if "read" in document.requests and document.in_use is not None:
            there = document.in_use.find(talk.ask("read", slot=slot).body, slot=slot)
            if there == like[document.key]:
                raise SecretError(
                    f"'{document.slot}' in the secret is {used}, but its key is the one in {slot}, which would have been "
                    f"replaced while it is in use: put the place that it is in under '{document.slot}'"
                )
        return slot

    def _short(self, name: str) -> str:
        """Shorten a name in its middle: it begins with whose it is, and ends with when."""
        longest = self.document.name_length
        return name if len(name) <= longest else name[: longest - 12] + name[-12:]

    def _first_page(self) -> dict[str, Any]:
        paging = self.document.listing.paging if self.document.listing else None
        return {paging.query: paging.first} if paging is not None and paging.at is None else {}

    def _following(self, body: Any, number: int, items: list[Any]) -> dict[str, Any] | str | None:
        paging = self.document.listing.paging if self.document.listing else None
        if paging is None or not items:
            return None
        if paging.at is None:
            return {paging.query: paging.first + number * paging.step}
        more = paging.more is None or bool(paging.more.find(body))
        cursor = paging.at.find(body)
        if not more or cursor in {None, ""}:
            return None
        return {paging.query: cursor} if paging.query else str(cursor)


class Promoting(Provider):
    """A provider with a first and a second place. See `rotators.abc.Promotes`."""

    def promote(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        """
        Move the second place's key to the first.

        Where there is none in the second place, an earlier try has done it, if the old key has ended: or else the next rotation
        would take the new one for what a dead try has left.
        """
        answer = self._with(by, secret).ask("promote")
        if answer.status not in self.document.requests["promote"].gone:
            return
        ended = False
        try:
            self.test(like)
        except CredentialRejected:
            ended = True
        if not ended:
            raise ChangeRefused(
                f"{self.name} has no key to promote (HTTP {answer.status}), and AWSCURRENT's still works: the new key is not in "
                "the second place. Look at both by hand"
            )


def _text(secret: Secret, key: str) -> str:
    value = secret.get(key)
    if not isinstance(value, (str, int)) or value == "" or isinstance(value, bool):
        raise SecretError(
            f"'{key}' in the secret is {'missing' if value is None else 'not a string'}; expected a string"
        )
    return str(value)


def _word(value: Any) -> str:
    return "" if value is None else str(value)
