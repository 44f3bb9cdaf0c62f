"""
A password's verifier in the form that a statement takes: for each plugin, those with salt included.

So no statement of a pair's change holds a password, whatever a server's logs, an audit plugin or ``log_raw`` make of it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from rotators.engines.mysql import verifiers
from rotators.engines.mysql.accounts import Entry
from rotators.engines.mysql.session import literal
from rotators.errors import ChangeRefused

if TYPE_CHECKING:
    from rotators.engines.mysql.accounts import Account

#: Letters of a salt: those of crypt, which need no escape in any sql_mode.
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
SALT = 20


def entry(like: Entry, password: str) -> Entry:
    """
    Return the way into an account by a password, of the same plugin and as slow to guess as another.

    Args:
        like: what the other account has.
        password: the password.

    Example:
        >>> entry(Entry("mysql_native_password", b""), "secret").stored
        b'*14E65567ABDB5135D0CFD9A70B3032C179A49EE7'
    """
    if like.plugin in verifiers.MADE:
        return Entry(like.plugin, verifiers.verifier(like.plugin, password).encode())
    salt = "".join(secrets.choice(LETTERS) for _ in range(SALT)).encode()
    if like.plugin == verifiers.SHA256:
        digest = verifiers.crypt(password.encode(), salt, verifiers.ROUNDS)
        return Entry(like.plugin, b"$5$" + salt + b"$" + digest)
    thousands = like.stored.split(b"$")[2] if like.stored.startswith(b"$A$") else b"005"
    digest = verifiers.crypt(password.encode(), salt, int(thousands, 16) * 1000)
    return Entry(like.plugin, b"$A$" + thousands + b"$" + salt + digest)


def identified(entries: tuple[Entry, ...], *, mariadb: bool) -> str:
    """Return the clause that makes these the ways into an account; MySQL has one only."""
    if mariadb:
        ways = [f"{one.plugin}{f' USING {literal(one.stored.decode())}' if one.stored else ''}" for one in entries]
        return f"IDENTIFIED VIA {' OR '.join(ways)}"
    return f"IDENTIFIED WITH {literal(entries[0].plugin)} AS {literal(entries[0].stored.decode('ascii'))}"


def way_in(account: Account) -> Entry:
    """
    Return an account's way in by a password.

    Raises:
        ChangeRefused: it has none that we know.
    """
    for one in account.entries:
        if one.plugin in verifiers.PASSWORDS:
            return one
    plugins = ", ".join(one.plugin for one in account.entries)
    raise ChangeRefused(f"{account.name} logs in by {plugins}, which holds no password that could be rotated")
