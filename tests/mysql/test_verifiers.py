"""The verifiers we make and check, against those that real servers store."""

from __future__ import annotations

import random
import ssl
from typing import TYPE_CHECKING

import pytest
from pymysql.converters import escape_string

from rotators.engines.mysql.accounts import accounts
from rotators.engines.mysql.session import Session
from rotators.engines.mysql.verifiers import opens, verifier

if TYPE_CHECKING:
    from rotators.lab.mariadb import MariaDB
    from rotators.lab.mysql import MySQL

NOISE = random.Random(3)
LETTERS = "".join(map(chr, range(32, 127))) + "éß漢字かな한🔑🗝️\u0301\u200b\x01\x7f"


def passwords(count: int) -> list[str]:
    """Of every length up to 100, and some more; SHA-256 crypt has its corners at 32 and 64 bytes."""
    lengths = [1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 200]
    return ["".join(NOISE.choices(LETTERS, k=length)) for length in (lengths * count)[:count]]


@pytest.mark.parametrize("plugin, function", [("mysql_native_password", "PASSWORD"), ("ed25519", "ed25519")])
def test_mariadb_stores_what_we_make(mariadb: MariaDB, plugin: str, function: str) -> None:
    for part in range(6):
        words = passwords(40)
        for word in words if function == "ed25519" else []:
            mariadb.execute(
                f"CREATE OR REPLACE USER v_{part} IDENTIFIED VIA ed25519 USING PASSWORD('{escape_string(word)}')"
            )
            ((stored,),) = mariadb.execute(
                f"SELECT JSON_VALUE(Priv, '$.authentication_string') FROM mysql.global_priv WHERE User = 'v_{part}'"
            )
            assert stored == verifier(plugin, word)
        if function == "PASSWORD":
            (row,) = mariadb.execute("SELECT " + ", ".join(f"PASSWORD('{escape_string(word)}')" for word in words))
            assert list(row) == [verifier(plugin, word) for word in words]
        assert opens(plugin, verifier(plugin, words[0]).encode(), words[0])
        assert not opens(plugin, verifier(plugin, words[0]).encode(), words[0] + "x")


@pytest.mark.parametrize("plugin", ["caching_sha2_password", "sha256_password"])
def test_mysql_stores_what_we_recognise(mysql: MySQL, plugin: str) -> None:
    """The first and the retained one; what is stored holds any byte of seven bits."""
    words = [word.encode()[:250].decode(errors="ignore") for word in passwords(33)]  # MySQL takes 256 bytes
    mysql.execute(
        *(
            f"CREATE USER v{plugin}_{n} IDENTIFIED WITH {plugin} BY '{escape_string(word)}'"
            for n, word in enumerate(words)
        )
    )
    mysql.execute(
        *(f"ALTER USER v{plugin}_{n} IDENTIFIED BY 'next{n}' RETAIN CURRENT PASSWORD" for n in range(len(words)))
    )
    assert mysql.ca_bundle is not None
    with Session.open(
        host="127.0.0.1",
        address="127.0.0.1",
        port=mysql.port,
        user=mysql.superuser,
        password=mysql.superuser_password,
        seconds=5,
        tls=ssl.create_default_context(cafile=str(mysql.ca_bundle)),
    ) as session:
        for number, word in enumerate(words):
            found = accounts(session, f"v{plugin}_{number}", mariadb=False)
            assert found is not None
            (account,) = found
            assert [entry.plugin for entry in account.entries] == [plugin] * 2
            assert account.first(f"next{number}")
            assert not account.first(word)
            assert account.entries[1].opens(word), word
            assert not account.opens(word + "x")
    mysql.execute(*(f"DROP USER v{plugin}_{n}" for n in range(len(words))))


def test_what_nobody_can_check_here_opens_nothing() -> None:
    """A server set to millions of rounds would cost a function its time; a plugin we don't know, a wrong form."""
    assert opens("caching_sha2_password", b"$A$FFF$" + b"s" * 20 + b"x" * 43, "word") is None
    assert opens("caching_sha2_password", b"nonsense", "word") is None
    assert opens("sha256_password", b"nonsense", "word") is None
    assert opens("authentication_ldap_simple", b"cn=x", "word") is None
    for plugin in ("caching_sha2_password", "sha256_password", "mysql_native_password", "ed25519"):
        assert opens(plugin, b"", "word") is False
