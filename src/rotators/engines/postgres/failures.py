"""What a PostgreSQL failure means: SQLSTATE or libpq's words, translated into our tree, each with cause and fix (law 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.engines.postgres.libpq_errors import LibpqError, TimedOut
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

CUT = "the connection was cut during login: see the server's log and any proxy before it"
#: libpq's words where the server gave no answer: (words, cause, what to say). The first match counts.
SILENT = (
    (
        "server does not support SSL",
        "tls",
        'the server has TLS switched off; switch it on, or say "ssl": false in the secret to send everything unencrypted',
    ),
    (
        "does not match host name",
        "tls",
        "the server's certificate is for another host name; use a name it carries as 'host', or issue one for this name",
    ),
    (
        "certificate verify failed",
        "tls",
        "the server's certificate is not signed by a CA in {bundle}, or has expired; set ROTATORS_CA_BUNDLE to its CA's PEM",
    ),
    (
        "Connection refused",
        "refused",
        "nothing listens there: the database is down, or host or port in the secret are wrong",
    ),
    ("No route to host", "network", "there is no route: check the function's VPC, subnets and security groups"),
    ("Network is unreachable", "network", "there is no network: check the function's VPC, subnets and security groups"),
    ("timed out", "timeout", "no answer in time: check security groups and that the database is not hanging"),
    ("closed the connection unexpectedly", "dropped", "the server dropped the connection during login: see its log"),
    ("EOF detected", "dropped", CUT),
    ("unexpected eof", "dropped", CUT),
    ("Connection reset", "dropped", CUT),
    ("SSL", "tls", "the TLS handshake failed"),
)
#: SQLSTATEs that mean the server could be reached and could not be asked: (cause, what to say).
BUSY = {
    "53300": ("busy", "{at} has too many connections: raise max_connections or the role's CONNECTION LIMIT"),
    "57P03": ("starting", "{at} is starting up or shutting down: try again when it accepts logins"),
}


def login_failed(error: LibpqError, who: DatabaseSecret, bundle: str) -> RotatorsError:
    """
    Translate a failed login.

    Args:
        error: what libpq said.
        who: the credential that tried; its password does not appear.
        bundle: the CA bundle that was trusted.
    """
    at = f"{who.host}:{who.port}"
    state = error.sqlstate or ""
    if isinstance(error, TimedOut):
        return TargetUnreachable(
            f"{at} accepted no login in time ({error.doing}): the server or something before it hangs, or a security group "
            "drops the packets",
            cause="timeout",
        )
    if state == "28P01":
        return CredentialRejected(
            f"PostgreSQL at {at} refused the password of role {who.username!r}, or the role has expired (VALID UNTIL)"
        )
    if state == "28000":
        return _not_authorised(error, who, at)
    if state == "3D000":
        return SecretError(
            f"'dbname' in the secret names a database that {at} does not have; expected one of its databases"
        )
    if state == "42501":
        return SecretError(
            f"role {who.username!r} may not connect to {who.dbname!r} at {at}: GRANT CONNECT ON DATABASE"
        )
    if "root certificate" in error.text:
        return ConfigurationError(f"the CA bundle {bundle} can't be read: set ROTATORS_CA_BUNDLE to a PEM file")
    return _unreachable(error, at, bundle)


def _unreachable(error: LibpqError, at: str, bundle: str) -> TargetUnreachable:
    if error.sqlstate in BUSY:
        cause, meaning = BUSY[error.sqlstate]
        return TargetUnreachable(meaning.format(at=at), cause=cause)
    if error.sqlstate:
        return TargetUnreachable(f"{at} refused the login with SQLSTATE {error.sqlstate}: see the server's log")
    for words, cause, meaning in SILENT:
        if words in error.text:
            return TargetUnreachable(f"can't reach {at}: {meaning.format(bundle=bundle)}", cause=cause)
    return TargetUnreachable(
        f"can't reach {at}: {error.text.strip().splitlines()[0] if error.text.strip() else 'no reason given'}"
    )


def _not_authorised(error: LibpqError, who: DatabaseSecret, at: str) -> RotatorsError:
    """28000 is the role's fault (no such role, NOLOGIN) or the server's rules' (pg_hba.conf), which no password mends."""
    if "pg_hba" in error.text:
        how = "with TLS" if who.tls else "without TLS"
        return TargetUnreachable(
            f"pg_hba.conf of {at} has no line that lets role {who.username!r} into {who.dbname!r} from here {how}",
            cause="denied",
        )
    return CredentialRejected(
        f"PostgreSQL at {at} does not let role {who.username!r} log in: it does not exist, has NOLOGIN, or its "
        "authentication method is not by password"
    )


def change_failed(error: LibpqError, who: DatabaseSecret, username: str) -> RotatorsError:
    """
    Translate a statement that failed on an open session.

    Args:
        error: what the server said.
        who: the credential whose session it is.
        username: the role to be changed.
    """
    at = f"{who.host}:{who.port}"
    state = error.sqlstate or ""
    if state == "55P03":
        return TargetUnreachable(
            f"role {username!r} at {at} stays locked: another rotation of it is at work, or a transaction that altered it",
            cause="busy",
        )
    if isinstance(error, TimedOut) or state == "57014":
        return TargetUnreachable(
            f"{at} stopped answering while the password of {username!r} was changed", cause="timeout"
        )
    if not state or state.startswith(("08", "57")):
        return TargetUnreachable(
            f"the connection to {at} broke while the password of {username!r} was changed", cause="dropped"
        )
    if state == "25006":
        return read_only(who)
    if "concurrently updated" in error.text:
        return ChangeRefused(
            f"{username!r} at {at} is being altered by others all the while: try again", retryable=True
        )
    if state == "42501":
        return ChangeRefused(
            f"role {who.username!r} may not change the password of {username!r} at {at} (42501): GRANT it the right"
        )
    if state in {"22023", "28P01", "22000", "P0001", "0LP01"}:
        return ChangeRefused(
            f"a password policy of {at} refused the new password of {username!r} ({state}). The retry would offer the same "
            "one: take AWSPENDING off with `aws secretsmanager update-secret-version-stage`, adapt PASSWORD_LENGTH or "
            "EXCLUDE_…, and rotate again"
        )
    return ChangeRefused(
        f"{at} refused to change the password of {username!r} (SQLSTATE {state}): see the server's log"
    )


def read_only(who: DatabaseSecret) -> ChangeRefused:
    """Say that the server is a standby."""
    return ChangeRefused(
        f"{who.host}:{who.port} is a read-only standby: 'host' in the secret must name the primary (the writer endpoint)",
        retryable=True,
    )
