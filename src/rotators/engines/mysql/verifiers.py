"""
What a MySQL or MariaDB server stores in place of a password, made and checked here.

A statement that carries a verifier keeps the password out of every log of the server; MariaDB does not rewrite its own. And
an admin who may read the verifiers knows what opens an account without a login that could fail.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from hashlib import sha256
from importlib import import_module
from itertools import cycle, islice
from typing import Any

from rotators.errors import ConfigurationError

NATIVE, ED25519, CACHING, SHA256 = "mysql_native_password", "ed25519", "caching_sha2_password", "sha256_password"
#: Whose verifiers have no salt, so that one can be made for a statement.
MADE = frozenset({NATIVE, ED25519})
#: Who store a password at all, as against a socket's owner or a directory server.
PASSWORDS = frozenset({NATIVE, ED25519, CACHING, SHA256})

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#: Of a verifier that does not say how many.
ROUNDS = 5000
#: Rounds that take tenths of a second here. A server may be set to four millions: then nobody looks, and a login tells.
_AFFORDABLE = 100_000
_DIGEST = 43


def verifier(plugin: str, password: str) -> str:
    """
    Return what the server stores for a password.

    Args:
        plugin: one of `MADE`.
        password: what the user types.

    Raises:
        ConfigurationError: ed25519 needs PyNaCl, which is not installed.

    Example:
        >>> verifier("mysql_native_password", "secret")
        '*14E65567ABDB5135D0CFD9A70B3032C179A49EE7'
    """
    if plugin == NATIVE:
        once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()  # the server's own algorithm
        return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()
    scalar = bytearray(hashlib.sha512(password.encode()).digest()[:32])
    scalar[0] &= 248
    scalar[31] = scalar[31] & 127 | 64
    point: bytes = _sodium().crypto_scalarmult_ed25519_base_noclamp(bytes(scalar))
    return base64.b64encode(point).decode("ascii").rstrip("=")


def opens(plugin: str, stored: bytes, password: str) -> bool | None:
    """
    Say whether a password opens what a server has stored; None where the plugin is none we know, or it would take too long.

    Args:
        plugin: the account's.
        stored: its ``authentication_string``.
        password: what to try.
    """
    if plugin in MADE:
        return hmac.compare_digest(stored.strip(), verifier(plugin, password).encode())
    if plugin == CACHING:  # $A$005$, twenty bytes of salt, the digest
        parts = stored.split(b"$", 3)
        if len(parts) < 4 or parts[1] != b"A" or len(parts[3]) <= _DIGEST:  # noqa: PLR2004
            return None if stored else False
        rounds = int(parts[2], 16) * 1000
        if rounds > _AFFORDABLE:
            return None
        salt, digest = parts[3][:-_DIGEST], parts[3][-_DIGEST:]
        return hmac.compare_digest(crypt(password.encode(), salt, rounds), digest)
    if plugin == SHA256:  # $5$, the salt, $, the digest
        parts = stored.split(b"$", 2)
        if len(parts) < 3 or parts[1] != b"5":  # noqa: PLR2004
            return None if stored else False
        salt, _, digest = parts[2].rpartition(b"$")
        return hmac.compare_digest(crypt(password.encode(), salt, ROUNDS), digest)
    return None


def _sodium() -> Any:
    missing = ""
    try:
        return import_module("nacl.bindings")
    except ImportError as error:
        missing = str(error)
    raise ConfigurationError(
        f"the user's plugin is ed25519, which needs PyNaCl ({missing}): pip install 'rotators[mysql]'"
    )


def crypt(password: bytes, salt: bytes, rounds: int) -> bytes:
    """
    Return the digest of SHA-256 crypt, for a salt of any length and any bytes: the servers' are of 20.

    Source: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", steps 1 to 22.
    """
    size = len(password)
    alternate = sha256(password + salt + password).digest()
    begun = sha256(password + salt + _fill(alternate, size))
    bits = size
    while bits:
        begun.update(alternate if bits & 1 else password)
        bits >>= 1
    digest = begun.digest()
    by_password = _fill(sha256(password * size).digest(), size)
    by_salt = _fill(sha256(salt * (16 + digest[0])).digest(), len(salt))
    # What a round adds depends on its number modulo 2, 3 and 7: two and two in their order, they repeat after 42.
    added = [(by_salt if number % 3 else b"") + (by_password if number % 7 else b"") for number in range(42)]
    pairs = [(added[even] + by_password, by_password + added[even + 1]) for even in range(0, 42, 2)]
    for after, before in islice(cycle(pairs), rounds // 2):
        digest = sha256(before + sha256(digest + after).digest()).digest()
    if rounds % 2:
        digest = sha256(digest + pairs[rounds // 2 % len(pairs)][0]).digest()
    return _letters(digest)


def _fill(block: bytes, size: int) -> bytes:
    return (block * (size // len(block) + 1))[:size]


def _letters(digest: bytes) -> bytes:
    """Write a digest in crypt's own base 64: its bytes are taken three by three, in the order of the algorithm's step 22."""
    first, second, third, out = 0, 10, 20, ""
    for _ in range(10):
        out += _four(digest[first] << 16 | digest[second] << 8 | digest[third], 4)
        first, second, third = third + 1, first + 1, second + 1
    return (out + _four(digest[31] << 8 | digest[30], 3)).encode()


def _four(value: int, count: int) -> str:
    return "".join(_ALPHABET[value >> 6 * place & 63] for place in range(count))
