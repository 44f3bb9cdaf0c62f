"""What stopped an admin's change of a pair, and what would let it pass: the missing rights as SQL to be run by who has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.engines.postgres import failures
from rotators.errors import ChangeRefused, RotatorsError, TargetUnreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rotators.database_secret import DatabaseSecret
    from rotators.engines.postgres.gaps import Gap
    from rotators.engines.postgres.libpq_errors import LibpqError
    from rotators.engines.postgres.rights import Rights

#: What the last statement of a change does.
PASSWORD = "set the password of {!r}"


def failed(
    error: LibpqError, doing: Gap, rights: Rights | None, authority: DatabaseSecret, username: str
) -> RotatorsError:
    """
    Translate a statement that failed.

    Args:
        error: what the server said.
        doing: the statement.
        rights: what the catalogs said before, None where they were not asked.
        authority: whose session it is.
        username: the role whose turn it is.
    """
    at = f"{authority.host}:{authority.port}"
    if error.sqlstate == "42501":
        return denied([doing], rights, authority)
    if error.sqlstate == "55P03" and doing.statement.startswith("REASSIGN"):
        return TargetUnreachable(f"{at} could not {doing.text} in time: others hold locks", cause="busy")
    known = failures.change_failed(error, authority, username)
    if isinstance(known, ChangeRefused) and not known.retryable and "PASSWORD" not in doing.statement:
        return ChangeRefused(
            f"{at} refused this change: {doing.text} (SQLSTATE {error.sqlstate}): see the server's log"
        )
    return known


def denied(doing: Sequence[Gap], rights: Rights | None, authority: DatabaseSecret) -> ChangeRefused:
    """Say what the admin may not do, and name every right that is missing."""
    lacking = [*(rights.lacks() if rights else []), *(gap.remedy for gap in doing if gap.remedy)]
    remedy = f"Run: {'; '.join(dict.fromkeys(lacking))}" if lacking else "Only a superuser may"
    return ChangeRefused(
        f"the admin {authority.username!r} at {authority.host}:{authority.port} may not do this, and neither role was changed: "
        f"{', '.join(gap.text for gap in doing)} (42501). {remedy}"
    )
