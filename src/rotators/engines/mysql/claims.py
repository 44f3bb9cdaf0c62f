"""
Whether an account of a pair's other user is ours (law 11): nobody else's is taken over because of its name.

Ours is what carries our mark, what we began to make, and what a value opens that the secret has, or had, for that user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.engines.mysql.grants import GLOBAL, Kind, listed
from rotators.errors import ChangeRefused
from rotators.machine import AWSPENDING, AWSPREVIOUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rotators.database_secret import DatabaseSecret
    from rotators.engines.mysql.accounts import Account
    from rotators.engines.mysql.grants import Right
    from rotators.engines.mysql.traits import Traits
    from rotators.secret import Secret

    Known = Iterable[tuple[str, Secret]]


class Claims:
    """
    What speaks for an account's being ours.

    Args:
        base: the user of the pair without the suffix.
        clone: the one with it.
        new: pending: its user is whose accounts are asked about.
        known: (what to call it, value) of the secret's other versions, AWSPREVIOUS first; read only where no mark speaks.
    """

    def __init__(self, base: str, clone: str, new: DatabaseSecret, known: Known) -> None:
        self._base = base
        self._clone = clone
        self._new = new
        self._read: list[tuple[str, str]] = []
        self._known = iter(known)

    def refuse_clones(
        self, accounts: list[Account], traits: dict[str, Traits], *, surplus: Callable[[Account], Iterable[Right]]
    ) -> None:
        """
        Refuse the clone's accounts if one of them is not ours.

        Args:
            accounts: all of the clone.
            traits: theirs, by host.
            surplus: returns what an account can do that the base can't.

        Raises:
            ChangeRefused: names the account.
        """
        for account in accounts:
            told = traits.get(account.host)
            if told is not None and self._base in {told.unfinished, told.second_of}:
                continue
            label = self._opened_by(account)
            if label == AWSPREVIOUS:
                continue
            if label is None:
                raise ChangeRefused(
                    f"{account.name} exists and is not ours: no other value of this secret opens it. Drop or rename it, if "
                    f"nobody needs it. If it is the second user of {self._base!r}, store its name and password in the "
                    "secret, and rotate again"
                )
            # A value that never was current may be anybody's: it does not make us take rights away that are worth something.
            worth = [right for right in surplus(account) if _powerful(right)]
            if worth:
                raise ChangeRefused(
                    f"{account.name} exists and may not be ours: {label} opens it, which was never AWSCURRENT, and it has what "
                    f"{self._base!r} has not: {listed(worth)}. Drop or rename it; if it is the second user of "
                    f"{self._base!r}, revoke that, and rotate again"
                )

    def bases(self, accounts: list[Account], marked: set[str]) -> list[Account]:
        """
        Return the base's accounts that are ours.

        Args:
            accounts: all of the base.
            marked: the hosts at which the clone, which AWSCURRENT opens, carries our mark.

        Raises:
            ChangeRefused: none is, or one is locked.
        """
        found = [account for account in accounts if account.host in marked or self._opened_by(account) is not None]
        if not found:
            raise ChangeRefused(
                f"nothing shows that {self._clone!r}, which this secret names, is the second user of {self._base!r}: no other "
                f"value of the secret opens {self._base!r}. If it is, store the name and password of {self._base!r} in the "
                "secret, and rotate again; if not, choose the strategy single"
            )
        for account in found:
            if account.locked:
                raise ChangeRefused(f"{account.name} is locked, so no password opens it: ALTER USER … ACCOUNT UNLOCK")
        return found

    def _opened_by(self, account: Account) -> str | None:
        """Return which value of the secret opens an account. Nothing logs in for that, so nothing is refused."""
        return next((label for label, password in self._passwords() if account.opens(password)), None)

    def _passwords(self) -> Iterator[tuple[str, str]]:
        yield from list(self._read)
        for label, value in self._known:
            password = value.get("password")
            if value.get("username") == self._new.username and isinstance(password, str):
                self._read.append((label, password))
                yield label, password
        yield AWSPENDING, self._new.password


def _powerful(right: Right) -> bool:
    """Say whether a right reaches further than one database of an application's."""
    if right.kind in {Kind.DYNAMIC, Kind.ROLE, Kind.PROXY}:
        return True
    return right.kind is Kind.PRIVILEGE and (right.on == GLOBAL or "`mysql`." in right.on)
