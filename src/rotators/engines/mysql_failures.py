"""What a MySQL or MariaDB failure means: error numbers, translated into our tree, each with cause and fix (law 8)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from rotators.errors import (
    ChangeRefused,
    CredentialRejected,
    RotatorsError,
    SecretError,
    TargetUnreachable,
)

if TYPE_CHECKING:
    from rotators.engines.mysql_session import MySQLError
    from rotators.secret import DatabaseSecret

#: The password has expired.
EXPIRED = frozenset({1820, 1862})
#: The server knows the user and says no: (numbers, why). Source: both servers' lists of error messages.
REJECTED = (
    (
        {1045, 1698},
        "refused the password of {user!r}, has no such user for this client's address, or demands TLS for it",
    ),
    (EXPIRED, "says that the password of {user!r} has expired"),
    ({3118, 4151}, "says that the account {user!r} is locked: ALTER USER … ACCOUNT UNLOCK"),
    ({3955, 4150}, "says that the account {user!r} is blocked after too many failed logins"),
)
#: The server could be reached and could not be asked: (numbers, cause, what to say).
BUSY = (
    ({1040}, "busy", "{at} has too many connections: raise max_connections"),
    (
        {1203, 1226},
        "busy",
        "{user!r} has used up a limit of its own at {at} (MAX_USER_CONNECTIONS and the like): raise it",
    ),
    ({1053, 1927}, "starting", "{at} is shutting down: try again when it accepts logins"),
    ({1129}, "denied", "{at} has blocked this client's address after too many broken logins: FLUSH HOSTS"),
    ({1130}, "denied", "{at} lets no user in from this client's address: CREATE USER … @ the function's network"),
    ({3159}, "denied", '{at} takes encrypted connections only: remove "ssl": false from the secret'),
    ({1227, 1290, 1836}, "denied", "{at} is read-only, or lets only its administrators in"),
)
UNENCRYPTED = "'cryptography' package"


def login_failed(error: MySQLError, who: DatabaseSecret, bundle: str) -> RotatorsError:
    """
    Translate a failed login.

    Args:
        error: what the server or the driver said.
        who: the credential that tried; its password does not appear.
        bundle: the CA bundle that was trusted.
    """
    at, user = f"{who.host}:{who.port}", who.username
    for numbers, why in REJECTED:
        if error.number in numbers:
            return CredentialRejected(f"the server at {at} {why.format(user=user)}")
    if error.number == 1049:  # noqa: PLR2004 - ER_BAD_DB_ERROR
        return SecretError(f"'dbname' in the secret names a database that {at} does not have")
    if error.number == 1044:  # noqa: PLR2004 - ER_DBACCESS_DENIED_ERROR
        return SecretError(f"{user!r} may not use the database of 'dbname' at {at}: GRANT it a right there")
    if error.timed_out:
        return TargetUnreachable(
            f"{at} accepted no login in time: the server or something before it hangs, or a security group drops the "
            "packets",
            cause="timeout",
        )
    for numbers, cause, meaning in BUSY:
        if error.number in numbers:
            return TargetUnreachable(meaning.format(at=at, user=user), cause=cause)
    if error.number:
        return TargetUnreachable(f"{at} refused the login with error {error.number}: see the server's log")
    return _silent(error, who, bundle)


def _silent(error: MySQLError, who: DatabaseSecret, bundle: str) -> RotatorsError:
    """Translate what the server said nothing about."""
    at, cause = f"{who.host}:{who.port}", error.cause
    if isinstance(cause, ssl.SSLCertVerificationError):
        if "match" in cause.verify_message or cause.verify_code in {62, 64}:
            meaning = "the server's certificate is for another host name; use a name it carries as 'host'"
        else:
            meaning = (
                f"the server's certificate is not signed by a CA in {bundle}, or has expired; set ROTATORS_CA_BUNDLE to "
                "its CA's PEM"
            )
        return TargetUnreachable(f"can't reach {at}: {meaning}", cause="tls")
    if isinstance(cause, ssl.SSLError):
        return TargetUnreachable(f"can't reach {at}: the TLS handshake failed", cause="tls")
    if "SSL is required" in error.text:
        return TargetUnreachable(
            f'can\'t reach {at}: the server has TLS switched off; switch it on, or say "ssl": false in the secret to send '
            "everything unencrypted",
            cause="tls",
        )
    if UNENCRYPTED in error.text or "give it away" in error.text:
        return SecretError(
            f'{who.username!r} at {at} can log in over TLS only, as its plugin sends the password: remove "ssl": false '
            "from the secret"
        )
    if isinstance(cause, ConnectionRefusedError):
        return TargetUnreachable(
            f"can't reach {at}: nothing listens there: the database is down, or host or port in the secret are wrong",
            cause="refused",
        )
    if isinstance(cause, ConnectionError) or "Lost connection" in error.text:
        return TargetUnreachable(
            f"the connection to {at} was cut during login: see the server's log and any proxy before it",
            cause="dropped",
        )
    if isinstance(cause, OSError):
        return TargetUnreachable(
            f"can't reach {at} ({cause.strerror or type(cause).__name__}): check the function's VPC, subnets and security "
            "groups",
            cause="network",
        )
    return TargetUnreachable(
        f"can't log in to {at} ({type(cause or error).__name__}): is it a MySQL or MariaDB server?"
    )


def change_failed(error: MySQLError, who: DatabaseSecret, username: str) -> RotatorsError:
    """
    Translate a statement that failed on an open session.

    Args:
        error: what the server said.
        who: the credential whose session it is.
        username: the user to be changed.
    """
    at = f"{who.host}:{who.port}"
    if error.timed_out or error.number in {1205, 1317, 3024, 1969}:
        return TargetUnreachable(
            f"{at} stopped answering while the password of {username!r} was changed", cause="timeout"
        )
    if not error.number or error.number in {1053, 1927}:
        return TargetUnreachable(
            f"the connection to {at} broke while the password of {username!r} was changed", cause="dropped"
        )
    if error.number in {1290, 1836, 3989}:
        return ChangeRefused(
            f"{at} is read-only: 'host' in the secret must name the primary (the writer endpoint)", retryable=True
        )
    if error.number in {1044, 1131, 1132, 1142, 1227, 1370}:
        return ChangeRefused(
            f"{who.username!r} may not change the password of {username!r} at {at} ({error.number}): GRANT CREATE USER ON "
            f"*.* TO it, or let the admin of 'masterarn' do it"
        )
    if error.number in {1819, 3638, 3892, 1372, 4148}:
        return ChangeRefused(
            f"a password policy of {at} refused the new password of {username!r} ({error.number}). The retry would offer "
            "the same one: take AWSPENDING off with `aws secretsmanager update-secret-version-stage`, adapt "
            "PASSWORD_LENGTH or EXCLUDE_…, and rotate again"
        )
    return ChangeRefused(f"{at} refused to change {username!r} (error {error.number}): see the server's documentation")
