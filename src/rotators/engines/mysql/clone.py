"""
The accounts of a pair's clone, made what the base's are.

An account that is missing is made locked, with a password and a certificate that nobody has; the statement that takes the
lock off is the one that gives it its password. So wherever the connection breaks, no account opens with less than the
base's rights, and the retry goes on from there (law 3).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from rotators import telemetry
from rotators.engines.mysql.alignment import Alignment
from rotators.engines.mysql.entries import entry, identified, way_in
from rotators.engines.mysql.session import identifier
from rotators.engines.mysql.traits import Traits, marked, unfinished
from rotators.strategies import SUFFIX

if TYPE_CHECKING:
    from rotators.engines.mysql.accounts import Account
    from rotators.engines.mysql.admin import Admin


class Clone:
    """
    The second user of a pair.

    Args:
        admin: who makes it.
        base: the user that it is the second one of.
    """

    def __init__(self, admin: Admin, base: str) -> None:
        self._admin = admin
        self._base = base

    def name(self, host: str) -> str:
        """Return its account at a host, as a statement names it."""
        return f"{identifier(self._base + SUFFIX)}@{identifier(host)}"

    def create(self, like: Account) -> None:
        """Make the account that stands beside one of the base's, so that nothing opens it."""
        nobodys = entry(way_in(like), secrets.token_urlsafe(32))
        said = identified((nobodys,), mariadb=self._admin.mariadb)
        self._admin.create(self.name(like.host), f"{said} {unfinished(self._base)}")
        telemetry.add(created=self.name(like.host))

    def align(self, like: Account, told: Traits) -> None:
        """Give an account the rights of one of the base's; on MySQL also our mark, which older servers have no room for."""
        name = self.name(like.host)
        if not self._admin.mariadb and told.second_of != self._base:
            self._admin.attempt(f"ALTER USER {name} {marked(self._base)}")
        Alignment(self._admin).align(name, like.name)

    def open(self, like: Account, account: Account, password: str, *, wanted: Traits, has: Traits) -> None:
        """
        Give an account a password, the base's traits, and the base's lock or none: in one statement.

        Args:
            like: the base's account.
            account: the clone's, as it is.
            password: pending's.
            wanted: the base's traits.
            has: the clone's.
        """
        way = way_in(like)
        done = [one.plugin for one in account.entries] == [way.plugin] and account.first(password)
        if done and (wanted.clauses, wanted.locked) == (has.clauses, has.locked):
            return
        self.discard(account)
        said = identified((entry(way, password),), mariadb=self._admin.mariadb)
        self._admin.alter(account.name, f"{said} {wanted.over(has)} ACCOUNT {'LOCK' if wanted.locked else 'UNLOCK'}")

    def shut(self, account: Account, password: str) -> None:
        """Lock an account that none of the base's stands beside any more; by pending's password it stays known as ours."""
        if account.locked and account.first(password):
            return
        self.discard(account)
        said = identified((entry(way_in(account), password),), mariadb=self._admin.mariadb)
        self._admin.alter(account.name, f"{said} ACCOUNT LOCK")
        telemetry.warn(
            f"{account.name} was locked, as the secret's value opens no account of {self._base!r} at that host: drop it, or "
            f"create {identifier(self._base)}@{identifier(account.host)}"
        )

    def discard(self, account: Account) -> None:
        """A password that MySQL retained is older than the one that is about to end."""
        if not self._admin.mariadb and len(account.entries) > 1:
            self._admin.alter(account.name, "DISCARD OLD PASSWORD")
