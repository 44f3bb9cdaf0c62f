"""
Deliberately wrong engines: the real one, with one promise broken. The contract must reject them all.

Each is what somebody has really shipped, or would have, had nobody looked.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from rotators import ChangeRefused, CredentialRejected, Secret, TargetUnreachable, telemetry
from rotators.deadline import Deadline, running
from rotators.engines.postgres import Postgres
from rotators.engines.postgres.change import Change
from tests.engines.wrong_statements import run

if TYPE_CHECKING:
    from collections.abc import Mapping


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
        with patch("rotators.engines.postgres.libpq.Session.verifier", lambda *words: words[2]):
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
            run(by, "CREATE ROLE {} LOGIN PASSWORD {}", secret)
