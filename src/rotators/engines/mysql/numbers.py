"""
The error numbers of MySQL and MariaDB that a rotation meets, and what each means to an operator: cause, then fix.

Source: both servers' lists of error messages. Where one number has several meanings, the option or right that the server's
text names tells them apart; no word of the text itself is passed on, as it may quote a statement (law 9).
"""

from __future__ import annotations

from rotators.engines.mysql.plugins import NOT_OURS

#: The password has expired.
EXPIRED = frozenset({1820, 1862})
#: The server knows the user and says no: (numbers, why).
REJECTED = (
    (
        {1045},
        (
            "refused the password of {user!r}, has no such user for this client's address, or demands TLS or a certificate "
            "for it"
        ),
    ),
    (  # MariaDB asks for a user whom it does not have as for one of those it has
        {1698},
        "has no such user as {user!r}, or lets it in by a plugin that takes no password, such as a socket's",
    ),
    (EXPIRED, "says that the password of {user!r} has expired: let the admin of 'masterarn' set a new one"),
    ({3118, 4151}, "says that the account {user!r} is locked: ALTER USER … ACCOUNT UNLOCK"),
    ({3955}, "says that the account {user!r} is blocked after too many failed logins: ALTER USER … ACCOUNT UNLOCK"),
    ({4150}, "says that the account {user!r} is blocked after too many failed logins: FLUSH PRIVILEGES"),
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
    (
        {1129},
        "denied",
        (
            "{at} has blocked this client's address after too many broken logins: mysqladmin flush-hosts, or TRUNCATE TABLE "
            "performance_schema.host_cache"
        ),
    ),
    ({1130}, "denied", "{at} lets no user in from this client's address: CREATE USER … @ the function's network"),
    ({1184}, "denied", "{at} ends the sessions of {user!r}, as its init_connect fails: correct that statement"),
    ({3032}, "denied", "{at} is in offline mode and lets only administrators in: SET GLOBAL offline_mode = OFF"),
    ({3159}, "denied", '{at} takes encrypted connections only: remove "ssl": false from the secret'),
    ({1227, 1290, 1836}, "denied", "{at} is read-only, or lets only its administrators in"),
)
#: How OpenSSL counts a certificate that is not valid yet, no longer valid, or another host's.
EARLY, EXPIRED_CERTIFICATE, ANOTHER_HOST = 9, 10, frozenset({62, 64})
#: What is said of an account that logs in by what we don't know, or must not answer.
UNKNOWN_WAY = (NOT_OURS, "not configured", "unknown auth switch")
#: The server does not know the words, or the session lacks the right to them: say it another way.
OTHERWISE = frozenset({1064, 1149, 1227})
#: The first password is not the one that opened: it was changed by an earlier try, or is that of an abandoned one.
MOVED = 3891
#: The password must be named to be changed, and the one that opened is not the first.
NAMELESS = 3892
#: MariaDB says so of an account that has a socket's way in too, after it has changed the password.
UNCERTAIN = 1699
#: Says that it failed; why, stands in the warnings.
FAILED = 1396
#: The time was up: a lock wait, a statement's own time limit, a KILL QUERY.
SLOW = frozenset({1205, 1317, 1969, 3024})
#: The server goes away.
GONE = frozenset({1053, 1927})
#: A limit of the session's user.
LIMIT = frozenset({1203, 1226})
#: The server is no primary, or wants to write nothing now; the retry may find it otherwise.
READ_ONLY = frozenset({1290, 1792, 1836, 3989})
#: A change that was refused: (numbers, a word that the server's text has then, what to say), the first that fits.
REFUSED: tuple[tuple[frozenset[int] | set[int], str, str], ...] = (
    (
        {1290},
        "strict-password-validation",
        (
            "{at} wants to see the new password of {user!r} itself, which would then stand in its logs: SET GLOBAL "
            "strict_password_validation = OFF"
        ),
    ),
    (
        {1290},
        "skip-grant-tables",
        "{at} was started with --skip-grant-tables: there every password opens every account",
    ),
    (READ_ONLY, "", "{at} is read-only: 'host' in the secret must name the primary (the writer endpoint)"),
    (
        {1227},
        "SYSTEM_USER",
        (
            "{user!r} has the right SYSTEM_USER at {at}, so only who has it too may change its password, and {who!r} has it "
            "not"
        ),
    ),
    (
        {1044, 1131, 1132, 1142, 1227, 1370},
        "",
        (
            "{who!r} may not change the password of {user!r} at {at} ({number}): GRANT CREATE USER ON *.* TO it, or let the "
            "admin of 'masterarn' do it"
        ),
    ),
    (
        {4058},
        "",
        (
            "the authentication_policy of {at} no longer allows the plugin of {user!r} where a user changes its own password: "
            "give it a plugin that it allows, or let the admin of 'masterarn' set the password by the strategy single"
        ),
    ),
    ({1133, 1396}, "", "{at} has no account {user!r} any more, or it is another now: somebody else changed it"),
    (
        {1819, 3638, 3892},
        "",
        (
            "a password policy of {at} refused the new password of {user!r} ({number}). The retry would offer the same one: "
            "take AWSPENDING off with `aws secretsmanager update-secret-version-stage`, adapt PASSWORD_LENGTH or EXCLUDE_…, "
            "and rotate again"
        ),
    ),
    (set(), "", "{at} refused to change {user!r} (error {number}): see the server's documentation"),
)
