"""
testSecret's question (law 12): can the role of a pair that is about to become current do what the base can, no more, no less?

Asked over one login as pending, so it needs no admin: the catalogs may be read by everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators import deadline, telemetry
from rotators.engines.postgres import belongings
from rotators.engines.postgres.gaps import FLAGS, acting, gaps
from rotators.engines.postgres.libpq_errors import LibpqError
from rotators.engines.postgres.login import login
from rotators.engines.postgres.rights import Pair, Rights
from rotators.engines.postgres.sql import identifier
from rotators.errors import ChangeRefused, RotatorsError, TargetUnreachable

if TYPE_CHECKING:
    from rotators.database_secret import DatabaseSecret

#: No setting of the role's makes the question fail or last. Whom the session acts as is part of it, and stays.
_OURS = "SET search_path = pg_catalog; SET statement_timeout = {milliseconds}"


def same_rights(pending: DatabaseSecret, current: DatabaseSecret) -> None:
    """
    Refuse a pending role that can do less or more than its base.

    For the clone: its attributes, settings and memberships, and that its session acts as the base. What it owns or was
    granted by name is warned of, as a session that acts as the base does not use it.

    For the base: that the clone, which is in use, owns nothing in the secret's database, as the base could not alter or drop
    that; and, where the clone's sessions do not act as the base (AWS's template makes such), that the clone has no rights
    of its own that would be missed. Other differences are warned of: the base is the reference.

    Raises:
        ChangeRefused: names the differences.
        CredentialRejected: pending was refused.
        TargetUnreachable: could not be asked.

    Example:
        >>> same_rights(view(pending), view(current))
    """
    pair = Pair.of(pending.username, current.username)
    failure: RotatorsError | None = None
    with login(pending) as session:
        try:
            session.rows(_OURS.format(milliseconds=max(1, int(deadline.current().wait(deadline.CONNECT) * 1000))))
            rights = Rights.read(session, pair)
            rights.refuse(pending)
            extras = belongings.extras(session, rights)
        except LibpqError as error:
            failure = _failed(error, pending)
    if failure is not None:
        raise failure
    Comparison(rights, pending, extras).refuse()


class Comparison:
    """What was found about a pair, and what it means for the role that is to become current."""

    def __init__(self, rights: Rights, pending: DatabaseSecret, extras: list[str]) -> None:
        self._rights = rights
        self._pending = pending
        self._extras = extras
        self._pair = rights.pair
        self._at = f"{pending.host}:{pending.port}"
        self._gaps = gaps(rights)

    def refuse(self) -> None:
        """Raise what must not be promoted; warn of the rest."""
        if self._pending.username == self._pair.base:
            self._refuse_base()
        else:
            self._refuse_clone()
        for database, count in sorted(self._rights.owned_elsewhere(self._rights.database).items()):
            telemetry.warn(
                f"{self._pair.clone!r} owns {count} objects in database {database!r}, which {self._pair.base!r} may not alter "
                f"or drop. Run there: {belongings.reassign(self._pair)}"
            )

    def _refuse_clone(self) -> None:
        wanted = acting(self._rights, self._rights.database)
        if self._gaps:
            raise ChangeRefused(
                f"{self._pair.clone!r} at {self._at} is not what {self._pair.base!r} is; to be corrected: "
                f"{', '.join(gap.text for gap in self._gaps)}. setSecret does it: run the rotation again",
                retryable=True,
            )
        if self._rights.acts != wanted:
            raise ChangeRefused(
                f"a session of {self._pair.clone!r} at {self._at} acts as {self._rights.acts!r} and not as {wanted!r}: the server "
                f"did not let it, see its log. Both need: GRANT {identifier(wanted)} TO {identifier(self._pair.base)}"
            )
        if self._owned():
            telemetry.warn(
                f"{self._owns()}. {self._mend()}, or the next rotation refuses to make {self._pair.base!r} current"
            )
        if self._extras:
            telemetry.warn(
                f"{self._pair.clone!r} was granted what {self._pair.base!r} does not have; its sessions can reach it by SET ROLE "
                f"NONE. Run: {self._named(self._extras)}"
            )

    def _refuse_base(self) -> None:
        if self._owned():
            raise ChangeRefused(f"{self._owns()}, so {self._pair.base!r} was not made current. {self._mend()}")
        missed = self._missed()
        if missed:
            raise ChangeRefused(
                f"sessions of {self._pair.clone!r} at {self._at}, which is in use, do not act as {self._pair.base!r} and have "
                f"what it has not: {self._named(missed)}. Give it to {self._pair.base!r}, or take it from the other"
            )
        if self._gaps:
            telemetry.warn(
                f"{self._pair.clone!r} differs from {self._pair.base!r}, which is the reference and becomes current; its next turn "
                f"corrects: {', '.join(gap.text for gap in self._gaps)}"
            )

    def _missed(self) -> list[str]:
        """Return what a clone that does not act as its base has, and the base has not."""
        role = next((gap for gap in self._gaps if gap.text == "setting role"), None)
        if role is None:
            return []
        more = [f"no {word}" for word in FLAGS.values()]
        own = [gap.text for gap in self._gaps if gap.text in more or gap.text.startswith("no membership")]
        return [*(text.removeprefix("no ") for text in own), *self._extras]

    def _owned(self) -> int:
        return self._rights.owned(self._rights.database) + self._rights.owned(None)

    def _owns(self) -> str:
        return (
            f"{self._pair.clone!r} at {self._at} owns {self._owned()} objects in database {self._rights.database!r}, which "
            f"{self._pair.base!r} may not alter or drop"
        )

    def _mend(self) -> str:
        return f"Run there: {belongings.reassign(self._pair)}; or set {belongings.VARIABLE}=true, and setSecret does it"

    @staticmethod
    def _named(texts: list[str]) -> str:
        more = len(texts) - belongings.NAMED
        return "; ".join(texts[: belongings.NAMED]) + (f"; and {more} more" if more > 0 else "")


def _failed(error: LibpqError, who: DatabaseSecret) -> RotatorsError:
    at = f"{who.host}:{who.port}"
    if error.sqlstate == "42501":
        return ChangeRefused(
            f"{who.username!r} may not read the catalogs at {at}, so the rights of the pair can't be compared"
        )
    return TargetUnreachable(
        f"{at} let {who.username!r} in, and then did not say what the roles of the pair may do ({error})",
        cause="dropped",
    )
