"""What a MySQL or MariaDB failure means: error numbers, translated into our tree, each with cause and fix (law 8)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from rotators.engines.mysql.numbers import (
    ANOTHER_HOST,
    BUSY,
    EARLY,
    EXPIRED_CERTIFICATE,
    GONE,
    LIMIT,
    REFUSED,
    REJECTED,
    SLOW,
    UNKNOWN_WAY,
)
from rotators.engines.mysql.plugins import GIVEN_AWAY
from rotators.engines.mysql.wire import NO_TLS
from rotators.errors import (
    ChangeRefused,
    ConfigurationError,
    CredentialRejected,
    RotatorsError,
    SecretError,
    TargetUnreachable,
)

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret
    from rotators.engines.mysql.session import MySQLError


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
        if error.number in numbers and error.sure:
            hint = (
                "" if who.tls else '; "ssl" is false in the secret, and without TLS some servers refuse every password'
            )
            return CredentialRejected(f"the server at {at} {why.format(user=user)}{hint}")
    if error.number == 1049 and error.sure:  # noqa: PLR2004 - ER_BAD_DB_ERROR
        return SecretError(f"'dbname' in the secret names a database that {at} does not have")
    if error.number == 1044 and error.sure:  # noqa: PLR2004 - ER_DBACCESS_DENIED_ERROR
        return SecretError(
            f"{user!r} may not use the database that 'dbname' names at {at}, if there is one: GRANT it a right there"
        )
    if error.timed_out:
        return TargetUnreachable(
            f"{at} accepted no login in time: the server or something before it hangs, or a security group drops the "
            "packets",
            cause="timeout",
        )
    for numbers, cause, meaning in BUSY:
        if error.number in numbers:
            return TargetUnreachable(meaning.format(at=at, user=user), cause=cause)
    if error.number and not error.sure:
        return TargetUnreachable(
            f"{at} refused the login (error {error.number}) before the connection was encrypted, when it can't know the user: "
            "is something before it that speaks in its name?",
            cause="tls",
        )
    if error.number:
        return TargetUnreachable(f"{at} refused the login with error {error.number}: see the server's log")
    return _untrusted(error, who, bundle) or _unfit(error, who) or _silent(error, who)


def _untrusted(error: MySQLError, who: DatabaseSecret, bundle: str) -> RotatorsError | None:
    """Translate what TLS said."""
    at, cause = f"{who.host}:{who.port}", error.cause
    meaning = ""
    if isinstance(cause, ssl.SSLCertVerificationError):
        if cause.verify_code in ANOTHER_HOST:
            meaning = "the server's certificate is for another host name; use a name it carries as 'host'"
        elif cause.verify_code == EXPIRED_CERTIFICATE:
            meaning = "the server's certificate, or its CA's, has expired; renew it"
        elif cause.verify_code == EARLY:
            meaning = "the server's certificate is not valid yet; compare the clocks"
        else:
            meaning = (
                f"the server's certificate is not signed by a CA in {bundle}; set ROTATORS_CA_BUNDLE to its CA's PEM"
            )
    elif isinstance(cause, ssl.SSLError) and not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        meaning = f"the TLS handshake failed ({cause.reason})"
    elif NO_TLS in error.text:
        meaning = 'the server has TLS switched off; switch it on, or say "ssl": false in the secret to send everything unencrypted'
    return TargetUnreachable(f"can't reach {at}: {meaning}", cause="tls") if meaning else None


def _unfit(error: MySQLError, who: DatabaseSecret) -> RotatorsError | None:
    """Translate what the driver would not say to the server, or could not."""
    at, user = f"{who.host}:{who.port}", who.username
    if GIVEN_AWAY in error.text:
        return SecretError(
            f'{user!r} at {at} can log in over TLS only, as its plugin sends the password: remove "ssl": false from the secret'
        )
    if any(words in error.text for words in UNKNOWN_WAY):
        return TargetUnreachable(
            f"{at} asks {user!r}, if there is such a user, for more than a password, or for it in a form that would give it "
            "away (PAM, LDAP, Kerberos, an old format): nothing was sent. ALTER USER … IDENTIFIED … by a plugin that keeps a "
            "password",
            cause="denied",
            retryable=False,
        )
    if "pynacl" in error.text:
        return ConfigurationError(
            f"{user!r} at {at} logs in by ed25519, which needs PyNaCl: pip install 'rotators[mysql]'"
        )
    return None


def _silent(error: MySQLError, who: DatabaseSecret) -> RotatorsError:
    """Translate what the network said."""
    at, cause = f"{who.host}:{who.port}", error.cause
    if isinstance(cause, ConnectionRefusedError):
        return TargetUnreachable(
            f"can't reach {at}: nothing listens there: the database is down, or host or port in the secret are wrong",
            cause="refused",
        )
    lost = "Lost connection" in error.text or "gone away" in error.text
    if lost or isinstance(cause, (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)):
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
    return TargetUnreachable(f"{at} answers, but not as MySQL or MariaDB do: is 'port' in the secret another server's?")


def change_failed(error: MySQLError, who: DatabaseSecret, username: str) -> RotatorsError:
    """
    Translate a statement that failed on an open session.

    Args:
        error: what the server said.
        who: the credential whose session it is.
        username: the user to be changed.
    """
    at = f"{who.host}:{who.port}"
    if error.timed_out or error.number in SLOW:
        return TargetUnreachable(
            f"{at} stopped answering while the password of {username!r} was changed", cause="timeout"
        )
    if not error.number or error.number in GONE:
        return TargetUnreachable(
            f"the connection to {at} broke while the password of {username!r} was changed", cause="dropped"
        )
    if error.number in LIMIT:
        return TargetUnreachable(
            f"{who.username!r} has used up a limit of its own at {at} (MAX_QUERIES_PER_HOUR and the like): raise it",
            cause="busy",
        )
    meaning = next(
        text for numbers, word, text in REFUSED if not numbers or (error.number in numbers and word in error.text)
    )
    said = meaning.format(at=at, user=username, who=who.username, number=error.number)
    return ChangeRefused(said, retryable="is read-only" in meaning)
