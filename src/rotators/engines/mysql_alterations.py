"""
Which statements give an account a new password, so that the one AWSCURRENT holds goes on opening where that can be had.

MySQL keeps one older password a account (``RETAIN CURRENT PASSWORD``): said twice it would kill the password in use, so it is
only said where the first password is AWSCURRENT's. MariaDB has no such words, but an account may have several ways in, and
two of them may be passwords. Source: MySQL reference manual, "Dual Password Support"; MariaDB knowledge base, "ALTER USER".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rotators.engines import mysql_verifiers as verifiers
from rotators.engines.mysql_accounts import Account, Entry
from rotators.engines.mysql_session import literal
from rotators.errors import ChangeRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Form:
    """One way to say it: a statement, and whether the old password goes on opening."""

    statement: str = field(repr=False)
    overlaps: bool


@dataclass(frozen=True, slots=True)
class Alteration:
    """
    The change of one account.

    Attributes:
        account: its name, as a statement has it.
        forms: the ways to say it, the best first; where the server knows the words or grants the right not, the next.
        undo: the statement that puts the account back.
        needed: whether the change fails without it; not so for a namesake's account that its user may not change.
    """

    account: str
    forms: tuple[Form, ...]
    undo: str = field(repr=False)
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Passwords:
    """
    What is known of the user's passwords.

    Attributes:
        new: pending's.
        current: AWSCURRENT's, the one to keep.
        opened: the one that has logged in, where the user itself makes the change; else None.
    """

    new: str = field(repr=False)
    current: str = field(repr=False)
    opened: str | None = field(repr=False)


def of_itself(user: Account, words: Passwords) -> Alteration:
    """
    Return how a MySQL user changes its own password without a right to look at what is stored.

    REPLACE makes the server compare the first password with the one that opened, so a change that was made already, or by
    somebody else, is refused (error 3891) and not made twice.
    """
    said = f"ALTER USER USER() IDENTIFIED BY {literal(words.new)}"
    opened = words.opened or words.current
    replace = f"{said} REPLACE {literal(opened)}"
    forms = [Form(replace, overlaps=False), Form(said, overlaps=False)]
    if opened == words.current:  # else the password to keep is the second one already, and RETAIN would push it out
        forms.insert(0, Form(f"{replace} RETAIN CURRENT PASSWORD", overlaps=True))
    undo = f"ALTER USER USER() IDENTIFIED BY {literal(opened)} REPLACE {literal(words.new)}"
    return Alteration(user.name, tuple(forms), undo)


def on_mysql(found: Iterable[Account], words: Passwords) -> list[Alteration]:
    """Return how MySQL accounts are changed by who may read what is stored; what is done already is left out."""
    made = []
    for account in found:
        if account.first(words.new):
            continue
        entry = account.entries[0]
        if entry.plugin not in verifiers.PASSWORDS:
            raise ChangeRefused(
                f"{account.name} logs in by {entry.plugin}, which holds no password that could be rotated"
            )
        said = f"ALTER USER {account.name} IDENTIFIED BY {literal(words.new)}"
        forms = [Form(said, overlaps=account.opens(words.current))]
        if account.first(words.current):
            forms = [Form(f"{said} RETAIN CURRENT PASSWORD", overlaps=True), Form(said, overlaps=False)]
        undo = f"ALTER USER {account.name} IDENTIFIED WITH {literal(entry.plugin)} AS 0x{entry.stored.hex()}"
        made.append(Alteration(account.name, tuple(forms), undo))
    return made


def on_mariadb(found: Iterable[Account], words: Passwords) -> list[Alteration]:
    """
    Return how MariaDB accounts are changed: verifiers only, as its logs show statements as they are.

    Raises:
        ChangeRefused: an account has no way in by a password that we can make a verifier for.
    """
    made = []
    for account in found:
        target = chain(account, words.new, keep=words.current)
        if target == account.entries:
            continue
        overlaps = any(entry.opens(words.current) for entry in target)
        forms = [Form(_identified(account, target), overlaps=overlaps)]
        if words.opened is not None:
            first = next(entry for entry in target if entry.plugin in verifiers.MADE)
            # SET PASSWORD, which everybody may say, changes the first password alone.
            kept = account.opens(words.current) and not account.first(words.current)
            forms.append(Form(f"SET PASSWORD = {literal(first.stored.decode())}", overlaps=kept))
        undo = _identified(account, account.entries) if words.opened is None else _own_undo(account)
        made.append(Alteration(account.name, tuple(forms), undo))
    return made


def chain(account: Account, new: str, *, keep: str | None) -> tuple[Entry, ...]:
    """
    Return the ways into a MariaDB account: what is no password's as it is, then the new password, then the one to keep.

    Args:
        account: as it is now.
        new: the password to give it.
        keep: the password that is to go on opening; None for none.

    Raises:
        ChangeRefused: it has no way in by a password that we can make a verifier for.
    """
    passwords = [entry for entry in account.entries if entry.plugin in verifiers.MADE]
    if not passwords:
        plugins = ", ".join(entry.plugin for entry in account.entries)
        raise ChangeRefused(f"{account.name} logs in by {plugins}, which holds no password that could be rotated")
    kept = [entry for entry in passwords if keep is not None and entry.opens(keep)][:1]
    plugin = (kept or passwords)[0].plugin
    fresh = Entry(plugin, verifiers.verifier(plugin, new).encode())
    others = [entry for entry in account.entries if entry.plugin not in verifiers.MADE]
    return (*others, fresh, *[entry for entry in kept if entry != fresh])


def discarding(found: Sequence[Account], new: str, *, mariadb: bool) -> list[str]:
    """Return the statements that make the new password the only one, of accounts that have an older one beside it."""
    if not mariadb:
        return [
            f"ALTER USER {account.name} DISCARD OLD PASSWORD"
            for account in found
            if len(account.entries) > 1 and account.first(new)
        ]
    targets = [(account, chain(account, new, keep=None)) for account in found if account.first(new)]
    return [_identified(account, target) for account, target in targets if target != account.entries]


def _identified(account: Account, entries: Iterable[Entry]) -> str:
    ways = [
        f"{entry.plugin} USING {literal(entry.stored.decode())}" if entry.stored else entry.plugin for entry in entries
    ]
    return f"ALTER USER {account.name} IDENTIFIED VIA {' OR '.join(ways)}"


def _own_undo(account: Account) -> str:
    first = next(entry for entry in account.entries if entry.plugin in verifiers.MADE)
    return f"SET PASSWORD = {literal(first.stored.decode())}"
