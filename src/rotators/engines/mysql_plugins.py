"""What PyMySQL is not left to do by itself when it logs in: what a server may make it say, and accounts with several ways in."""

from __future__ import annotations

from typing import Any

import pymysql
from pymysql import _auth


class Refused:
    """
    A way to log in that would show the password to whoever stands in for the server, or to whoever listens.

    A server chooses the plugin. PyMySQL would answer each of these, so one that pretends to be ours needs only to ask.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def authenticate(self, packet: Any) -> Any:  # noqa: ARG002 - PyMySQL's own signature
        """Say no."""
        raise pymysql.err.OperationalError(0, "the server asks for the password in a form that would give it away")


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
        while True:
            connection.write_packet(ANSWERS[plugin](connection.password, packet.read_all()))
            packet = connection._read_packet()  # noqa: SLF001 - as PyMySQL's own plugins do
            packet.check_error()
            if not packet.is_auth_switch_request():
                return packet
            packet.read_uint8()
            plugin = packet.read_string()
            if plugin not in ANSWERS:
                raise pymysql.err.OperationalError(0, f"the server asks for a further plugin, {plugin!r}")


class Ed25519(Chain):
    """The same, where the server asks for ed25519 first."""

    plugin = b"client_ed25519"


ANSWERS = {Chain.plugin: _auth.scramble_native_password, Ed25519.plugin: _auth.ed25519_password}
PLUGINS = {
    Chain.plugin: Chain,
    Ed25519.plugin: Ed25519,
    b"mysql_clear_password": Refused,
    b"mysql_old_password": Refused,
    b"dialog": Refused,
}
