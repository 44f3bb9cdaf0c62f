"""
Deliberately wrong engines: the real one, with one promise broken. The contract must reject them all.

Each is what somebody has really shipped, or would have, had nobody looked.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import psycopg
from psycopg import sql

from rotators import ChangeRefused, CredentialRejected, RotatorsError, Secret, TargetUnreachable, telemetry
from rotators.deadline import Deadline, running
from rotators.engines.mysql import MySQL
from rotators.engines.mysql_verifiers import verifier
from rotators.engines.postgres import Postgres
from rotators.engines.postgres_change import Change
from tests.engines.mysql_target import session as mysql_session

if TYPE_CHECKING:
    from collections.abc import Mapping

NATIVE = "mysql_native_password"


class Real:
    """Right in everything, for the wrong ones to be wrong in one place."""

    name = "real"

    def __init__(self) -> None:
        self.real: Any = Postgres()

    def resource(self, secret: Secret) -> Mapping[str, str]:
        answer: Mapping[str, str] = self.real.resource(secret)
        return answer

    def test(self, secret: Secret) -> None:
        self.real.test(secret)

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        self.real.set(secret, by=by, like=like)

    def same_rights(self, secret: Secret, like: Secret) -> None:
        self.real.same_rights(secret, like)


class RealMySQL(Real):
    """The other one."""

    def __init__(self) -> None:
        self.real = MySQL()

    def discard(self, secret: Secret, *, by: Secret) -> None:
        self.real.discard(secret, by=by)


class Contented(Real):
    """Law 8: says nothing when it is refused."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        with suppress(ChangeRefused, CredentialRejected):
            super().set(secret, by=by, like=like)


class Optimist(Real):
    """Law 8: a connection that broke has probably done it."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        with suppress(TargetUnreachable):
            super().set(secret, by=by, like=like)


class OneAnswer(Real):
    """Law 8: "could not ask" reads as "no" (AWS's templates return None for both)."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        try:
            super().set(secret, by=by, like=like)
        except TargetUnreachable:
            raise CredentialRejected("unable to log in") from None

    def test(self, secret: Secret) -> None:
        try:
            super().test(secret)
        except TargetUnreachable:
            raise CredentialRejected("unable to log in") from None


class Eager(Real):
    """Law 8: changes what it can before it asks the authority."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        super().set(secret, by=like, like=like)
        super().test(by)


class AsksPendingFirst(Real):
    """Law 4: a failed login at every rotation (AWS's templates)."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        try:
            super().test(secret)
        except CredentialRejected:
            super().set(secret, by=by, like=like)


class Gullible(Real):
    """Law 5: looks whether the admin's password opens, wherever it is said to."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        super().test(by)
        super().set(secret, by=by, like=like)


class Anywhere(Real):
    """Law 5: one database of a server is as good as another."""

    def resource(self, secret: Secret) -> Mapping[str, str]:
        return {key: text for key, text in super().resource(secret).items() if key != "dbname"}


class Unread(Real):
    """A value is read when it is needed."""

    def test(self, secret: Secret) -> None:
        if secret["password"] is None or not secret["username"]:
            raise CredentialRejected("no password")
        super().test(secret)


class Telltale(Real):
    """Law 9: the error quotes what it was about."""

    def test(self, secret: Secret) -> None:
        try:
            super().test(secret)
        except CredentialRejected as error:
            raise CredentialRejected(f"{error}: {dict(secret)}") from None


class Chatty(Real):
    """Law 9: somebody was debugging."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        telemetry.warn(f"setting {secret['password']}")
        super().set(secret, by=by, like=like)


class Plaintext(Real):
    """Law 9: the password itself is sent, and stands in the server's log (AWS's templates; Vault by default)."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        with patch("rotators.engines.libpq.Session.verifier", lambda *words: words[2]):
            super().set(secret, by=by, like=like)


class Unproven(Real):
    """Law 10: the success of the statement is believed (Vault's static roles)."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        with patch.object(Change, "_prove", lambda *_: None):
            super().set(secret, by=by, like=like)


class Stubborn(Real):
    """Law 13: has a time-out of its own."""

    def test(self, secret: Secret) -> None:
        with running(Deadline(2.5)):
            super().test(secret)


class Forgetless(Real):
    """What was proven once is believed for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.proven: list[str] = []

    def test(self, secret: Secret) -> None:
        if secret["password"] not in self.proven:
            super().test(secret)
            self.proven.append(secret["password"])


class Tidy(Real):
    """Passwords and names without what does not belong there."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        tidy = secret.replace(password=secret["password"].strip(), username=secret["username"].replace("'", ""))
        super().set(tidy, by=by, like=like)


class Maker(Real):
    """Law 11: a user that is not there is made."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        try:
            super().set(secret, by=by, like=like)
        except ChangeRefused:
            _postgres(by, "CREATE ROLE {} LOGIN PASSWORD {}", secret)


# -- pairs ---------------------------------------------------------------------------------------------------------------


class Unequal(Real):
    """Law 12: the clone opens first and gets its rights then (AWS's templates promote it after one lost connection)."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        with suppress(ChangeRefused):
            _postgres(by, "CREATE ROLE {} LOGIN PASSWORD {}", secret)
            _postgres(by, "GRANT {1} TO {0}", secret["username"], like["username"])
        super().set(secret, by=by, like=like)


class Once(Real):
    """Law 12: the clone is made equal when it is made; later grants and revocations do not follow."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        try:
            super().set(secret, by=by, like=secret)
        except ChangeRefused:
            super().set(secret, by=by, like=like)


class Blind(Real):
    """Law 12: nobody looks."""

    def same_rights(self, secret: Secret, like: Secret) -> None:
        self.test(secret)


class Mute(Real):
    """Law 12: something differs."""

    def same_rights(self, secret: Secret, like: Secret) -> None:
        try:
            super().same_rights(secret, like)
        except ChangeRefused:
            raise ChangeRefused("the two users are not equal") from None


class TakesOver(Real):
    """Law 11: the admin sets anybody's password."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        try:
            super().set(secret, by=by, like=like)
        except ChangeRefused:
            super().set(secret, by=by, like=secret)


class Touching(Real):
    """The user that AWSCURRENT names is locked out for as long as its clone is made."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        if secret["username"] != like["username"]:
            super().set(like.replace(password="meanwhile"), by=by, like=like)
            super().set(like, by=by, like=like)
        super().set(secret, by=by, like=like)


class Single(Real):
    """Declared to alternate, and can't compare."""

    same_rights = None  # type: ignore[assignment]


# -- two passwords -------------------------------------------------------------------------------------------------------


class Retaining(RealMySQL):
    """Law 4: RETAIN CURRENT PASSWORD, whatever the current password is; on MariaDB the same by hand."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        user = f"'{secret['username']}'@'%'"
        with mysql_session(by) as session, session.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            if "maria" not in str(cursor.fetchone()).lower():
                cursor.execute(f"ALTER USER {user} IDENTIFIED BY '{secret['password']}' RETAIN CURRENT PASSWORD")
                return
            cursor.execute(f"SHOW CREATE USER {user}")
            stored = re.findall(r"\*[0-9A-F]{40}", str(cursor.fetchone()))[0]
            fresh = verifier(NATIVE, secret["password"])
            ways = f"{NATIVE} USING '{fresh}' OR {NATIVE} USING '{stored}'"
            cursor.execute(f"ALTER USER {user} IDENTIFIED VIA {ways}")


class Hoarding(RealMySQL):
    """Nothing is ever discarded."""

    def discard(self, secret: Secret, *, by: Secret) -> None:
        self.test(by)


class Wasteful(RealMySQL):
    """All that is not the value is discarded, whether the value opens or not."""

    def discard(self, secret: Secret, *, by: Secret) -> None:
        with suppress(RotatorsError):
            super().set(secret, by=by, like=secret)
        super().discard(secret, by=by)


def _postgres(by: Secret, statement: str, *names: Secret | str) -> None:
    """Run a statement of a wrong engine's own: it translates no error well, but that is not what it is wrong in."""
    parts: list[sql.Composable] = []
    for name in names:
        if isinstance(name, str):
            parts.append(sql.Identifier(name))
        else:
            parts += [sql.Identifier(name["username"]), sql.Literal(name["password"])]
    login = {"host": by["host"], "port": by["port"], "user": by["username"], "password": by["password"]}
    try:
        with psycopg.connect(**login, dbname=by["dbname"], autocommit=True, connect_timeout=5) as session:
            session.execute(sql.SQL(statement).format(*parts))
    except psycopg.OperationalError:
        raise TargetUnreachable("the connection was cut", cause="dropped") from None
    except psycopg.Error:
        raise ChangeRefused("refused") from None


SET_AGAIN = "test_law_4_again_and_again_leaves_the_password_in_use[admin]"
ABANDONED = "test_an_abandoned_value_does_not_push_out_the_password_in_use[admin]"
REFUSED = "test_law_8_an_authority_that_is_refused_changes_nothing[{}]"
NO_ERROR = "succeeded and should have raised"

#: Engine, and the tests of the contract that must reject it, each with what it then says.
WRONG: dict[type[Real], dict[str, str]] = {
    Contented: {
        REFUSED.format("admin"): NO_ERROR,
        REFUSED.format("itself"): NO_ERROR,
        "test_who_has_no_right_changes_nothing": NO_ERROR,
        "test_law_11_nobody_is_made_by_the_way": NO_ERROR,
        "test_who_has_no_right_makes_no_pair": NO_ERROR,
        "test_users_that_are_no_pair_are_refused": NO_ERROR,
    },
    Optimist: {"test_law_8_an_outage_changes_nothing[admin]": NO_ERROR},
    OneAnswer: {
        "test_law_8_unreachable_is_not_rejected": "CredentialRejected and not TargetUnreachable",
        "test_law_8_an_outage_changes_nothing[itself]": "CredentialRejected and not TargetUnreachable",
        "test_law_3_cut_at_every_piece_of_traffic[admin]": "is not retryable",
    },
    Eager: {REFUSED.format("admin"): "does not open any more"},
    AsksPendingFirst: {"test_law_4_no_failed_login[itself]": "rejections"},
    Gullible: {"test_law_5_an_admin_of_another_server_is_not_used": "and not SecretError"},
    Anywhere: {"test_law_5_resource_tells_things_apart": "'dbname' makes no difference"},
    Unread: {"test_a_malformed_value_is_named_by_its_key": "test raised KeyError"},
    Telltale: {"test_law_9_no_secret_in_text": "Canary"},
    Chatty: {"test_law_9_no_secret_in_text": "setting Canary"},
    Plaintext: {"test_law_9_no_password_in_the_servers_log[admin]": "Canary"},
    Unproven: {"test_law_10_a_change_that_does_not_take_is_undone[itself]": NO_ERROR},
    Stubborn: {"test_law_13_silence_costs_the_time_left_and_no_more": "with 1.0 s left"},
    Forgetless: {"test_an_engine_remembers_nothing": NO_ERROR},
    Tidy: {
        "test_nasty_passwords[itself]": "was set and does not open|refused",
        "test_nasty_names[admin]": "is not a pair",
    },
    Maker: {"test_law_11_nobody_is_made_by_the_way": NO_ERROR},
    Unequal: {"test_law_12_complete_before_it_opens_made_from_nothing": "opens and can do set()"},
    Once: {"test_law_12_additions_and_revocations_follow": "did not follow"},
    Blind: {"test_law_12_differences_are_named": NO_ERROR},
    Mute: {"test_law_12_differences_are_named": "does not name it"},
    TakesOver: {"test_law_11_an_account_that_is_not_ours_is_refused": NO_ERROR},
    Touching: {"test_four_turns": "logins failed"},
    Single: {"test_it_is_an_engine_and_says_what_it_can": "say different things"},
    Retaining: {SET_AGAIN: "for the 2. time", ABANDONED: "AWSCURRENT's was not"},
    Hoarding: {"test_discard_leaves_one[admin]": "not True"},
    Wasteful: {"test_discard_refused_changes_nothing[admin]": "what was discarded"},
}
