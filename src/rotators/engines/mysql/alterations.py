"""
Which statements give an account a new password, so that the one AWSCURRENT holds goes on opening where that can be had.

MySQL keeps one older password a account (``RETAIN CURRENT PASSWORD``): said twice it would kill the password in use, so it is
only said where the first password is AWSCURRENT's. MariaDB has no such words, but an account may have several ways in, and
two of them may be passwords. Source: MySQL reference manual, "Dual Password Support"; MariaDB knowledge base, "ALTER USER".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rotators.engines.mysql import verifiers
from rotators.engines.mysql.accounts import Account, Entry
from rotators.engines.mysql.session import literal
from rotators.errors import ChangeRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Form:
    """
    One way to say it.

    Attributes:
        statement: what makes the change.
        overlaps: whether the old password goes on opening.
        undo: what puts the account back.
    """

    statement: str = field(repr=False)
    overlaps: bool
    undo: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Alteration:
    """
    The change of one account.

    Attributes:
        account: its name, as a statement has it.
        forms: the ways to say it, the best first; where the server knows the words or grants the right not, the next.
        needed: whether the change fails without it; not so for a namesake's account that its user may not change.
    """

    account: str
    forms: tuple[Form, ...]
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
    back = f"ALTER USER USER() IDENTIFIED BY {literal(opened)}"
    undo = f"{back} REPLACE {literal(words.new)}"
    forms = [Form(replace, overlaps=False, undo=undo), Form(said, overlaps=False, undo=back)]
    if opened == words.current:  # else the password to keep is the second one already, and RETAIN would push it out
        forms.insert(0, Form(f"{replace} RETAIN CURRENT PASSWORD", overlaps=True, undo=undo))
    return Alteration(user.name, tuple(forms))


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
        stored = f"0x{entry.stored.hex()}" if entry.stored else "''"
        undo = f"ALTER USER {account.name} IDENTIFIED WITH {literal(entry.plugin)} AS {stored}"
        kept = account.first(words.current)
        forms = [Form(said, overlaps=not kept and account.opens(words.current), undo=undo)]
        if kept:
            forms.insert(0, Form(f"{said} RETAIN CURRENT PASSWORD", overlaps=True, undo=undo))
        made.append(Alteration(account.name, tuple(forms)))
    return made


def on_mariadb(found: Iterable[Account], words: Passwords, *, own: bool = False) -> list[Alteration]:
    """
    Return how MariaDB accounts are changed: verifiers only, as its logs show statements as they are.

    Args:
        found: the accounts.
        words: the passwords.
        own: whether the session's own account is meant, for which there is a statement that everybody may say.

    Raises:
        ChangeRefused: an account has no way in by a password that we can make a verifier for.
    """
    made = []
    for account in found:
        target = chain(account, words.new, keep=words.current)
        if target == account.entries:
            continue
        overlaps = any(entry.opens(words.current) for entry in target)
        forms = [Form(_identified(account, target), overlaps=overlaps, undo=_identified(account, account.entries))]
        if own:
            forms.append(_of_first(account, words))
        made.append(Alteration(account.name, tuple(forms)))
    return made


def _of_first(account: Account, words: Passwords) -> Form:
    """SET PASSWORD changes the first password alone, whatever else there is, and keeps its plugin."""
    first = next(entry for entry in account.entries if entry.plugin in verifiers.MADE)
    kept = account.opens(words.current) and not account.first(words.current)
    fresh = verifiers.verifier(first.plugin, words.new)
    return Form(
        f"SET PASSWORD = {literal(fresh)}",
        overlaps=kept,
        undo=f"SET PASSWORD = {literal(first.stored.decode())}",
    )


def chain(account: Account, new: str, *, keep: str | None) -> tuple[Entry, ...]:
    """
    Return the ways into a MariaDB account: in the place of its passwords the new one, then the one to keep.

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
    ways = [fresh, *[entry for entry in kept if entry != fresh]]
    at = account.entries.index(
        passwords[0]
    )  # a client is asked in this order, and may not know how to answer the others
    before, after = account.entries[:at], account.entries[at + 1 :]
    return (*before, *ways, *[entry for entry in after if entry.plugin not in verifiers.MADE])


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
