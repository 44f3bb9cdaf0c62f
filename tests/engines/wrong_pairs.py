"""Deliberately wrong engines that alternate: laws 11 and 12. See `wrong_engines`."""

from __future__ import annotations

from contextlib import suppress

from rotators import ChangeRefused, Secret
from tests.engines.wrong_engines import Real
from tests.engines.wrong_statements import run


class Unequal(Real):
    """Law 12: the clone opens first and gets its rights then (AWS's templates promote it after one lost connection)."""

    def set(self, secret: Secret, *, by: Secret, like: Secret) -> None:
        with suppress(ChangeRefused):
            run(by, "CREATE ROLE {} LOGIN PASSWORD {}", secret)
            run(by, "GRANT {1} TO {0}", secret["username"], like["username"])
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
