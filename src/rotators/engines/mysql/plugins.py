"""What PyMySQL is not left to do by itself when it logs in: what a server may make it say, and accounts with several ways in."""

from __future__ import annotations

from typing import Any

import pymysql
from pymysql import _auth

#: What the driver says of a way to log in that it must not take; the failure's meaning is found by these words.
GIVEN_AWAY = "would give the password away"
NOT_OURS = "no way to log in that we know"


class Refused:
    """
    A way to log in that would show the password to whoever stands in for the server, or to whoever listens.

    A server chooses the plugin. PyMySQL would answer each of these, so one that pretends to be ours needs only to ask.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def authenticate(self, packet: Any) -> Any:  # noqa: ARG002 - PyMySQL's own signature
        """Say no."""
        raise pymysql.err.OperationalError(0, NOT_OURS)


class Encrypted:
    """
    A plugin that sends the password as it is, which is for TLS alone.

    Without TLS PyMySQL would encrypt it with a key that the server sends: whoever stands in for the server has one too. Nor
    is it left to chance whether the server still remembers this password and does not ask for it: after a change it does.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def authenticate(self, packet: Any) -> Any:
        """Go on if the connection is encrypted."""
        if not self._connection._secure:  # noqa: SLF001 - as PyMySQL's own plugins do
            raise pymysql.err.OperationalError(0, GIVEN_AWAY)
        return self.answer(packet)

    def answer(self, packet: Any) -> Any:
        """Send what caching_sha2_password wants."""
        return _auth.caching_sha2_password_auth(self._connection, packet)


class Sha256(Encrypted):
    """The same for sha256_password."""

    def answer(self, packet: Any) -> Any:
        """Send what sha256_password wants."""
        return _auth.sha256_password_auth(self._connection, packet)  # type: ignore[no-untyped-call]


class Chain:
    """
    An account of MariaDB with several ways in: the server asks again, with another plugin or another nonce.

    PyMySQL itself takes one such question, and no second one.
    """

    plugin = b"mysql_native_password"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def authenticate(self, packet: Any) -> Any:
        """Answer each question until the server is content or refuses."""
        connection, plugin = self._connection, self.plugin
        while packet.is_auth_switch_request() and plugin in ANSWERS:
            connection.write_packet(ANSWERS[plugin](connection.password, packet.read_all()))
            packet = connection._read_packet()  # noqa: SLF001 - as PyMySQL's own plugins do
            packet.check_error()
            if packet.is_ok_packet():
                return packet
            packet.read_uint8()
            plugin = packet.read_string()
        raise pymysql.err.OperationalError(0, NOT_OURS)


class Ed25519(Chain):
    """The same, where the server asks for ed25519 first."""

    plugin = b"client_ed25519"


ANSWERS = {Chain.plugin: _auth.scramble_native_password, Ed25519.plugin: _auth.ed25519_password}
PLUGINS = {
    Chain.plugin: Chain,
    Ed25519.plugin: Ed25519,
    b"caching_sha2_password": Encrypted,
    b"sha256_password": Sha256,
    b"mysql_clear_password": Refused,
    b"mysql_old_password": Refused,
    b"dialog": Refused,
}
