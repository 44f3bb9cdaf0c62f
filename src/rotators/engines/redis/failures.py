"""What a Redis or Valkey failure means, translated into our tree, each with cause and fix (law 8)."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    MaxConnectionsError,
    NoPermissionError,
    ResponseError,
)

from rotators.errors import CredentialRejected, TargetUnreachable

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret
    from rotators.errors import RotatorsError

#: What a server says that takes no more clients.
FULL = "max number of clients"


def login_failed(error: BaseException, who: DatabaseSecret) -> RotatorsError:
    """
    Translate a failed login.

    Args:
        error: what redis-py, the socket or TLS raised.
        who: the credential that tried; its password does not appear.
    """
    at, user = f"{who.host}:{who.port}", who.username
    if isinstance(error, BusyLoadingError) or "LOADING" in str(error):
        return TargetUnreachable(f"the server at {at} is loading its data", cause="starting")
    if isinstance(error, MaxConnectionsError) or FULL in str(error):
        return TargetUnreachable(f"the server at {at} takes no more clients (maxclients)", cause="busy")
    if isinstance(error, AuthenticationError):
        return CredentialRejected(
            f"the server at {at} refused the password of {user!r}, or has no such user, or it is off"
        )
    if isinstance(error, NoPermissionError):
        return TargetUnreachable(
            f"{user!r} at {at} may not log in as this function does: ACL SETUSER {user} +auth", cause="denied"
        )
    if isinstance(error, ResponseError):
        return TargetUnreachable(f"{at} answered the login with an error: is it Redis 6 or newer, or Valkey?")
    return _unreachable(error, who)


def command_failed(error: BaseException, who: DatabaseSecret) -> TargetUnreachable:
    """Translate a command that got no answer."""
    return _unreachable(error, who)


def _unreachable(error: BaseException, who: DatabaseSecret) -> TargetUnreachable:
    at = f"{who.host}:{who.port}"
    causes = _causes(error)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TargetUnreachable(
                f"can't reach {at}: its certificate is not signed by a CA we trust, or is for another host name; see "
                "ROTATORS_CA_BUNDLE",
                cause="tls",
            )
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return TargetUnreachable(
                f'can\'t reach {at}: the TLS handshake failed; if the server has no TLS, say "ssl": false in the secret',
                cause="tls",
            )
    for cause in causes:
        if isinstance(cause, (TimeoutError, socket.timeout)) or type(cause).__name__ == "TimeoutError":
            return TargetUnreachable(
                f"{at} did not answer in time: it hangs, or a security group drops the packets", cause="timeout"
            )
        if isinstance(cause, socket.gaierror):
            return TargetUnreachable(f"there is no host {who.host!r}, or no DNS to ask", cause="dns")
        if isinstance(cause, ConnectionRefusedError) or "refused" in str(cause):
            return TargetUnreachable(f"can't reach {at}: nothing listens there", cause="refused")
    return TargetUnreachable(
        f"the connection to {at} was cut: see the server's log, and whether it speaks TLS on this port", cause="dropped"
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
