"""AWSCURRENT is refused: whatever opens may mend it, with as little authority as will do, and the admin's last (decision 0006)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.diagnosis import plan
from rotators.diagnosis.answer import Kind
from rotators.diagnosis.case import DEAD, REFUSED, Case, clause
from rotators.diagnosis.finding import Finding, State

if TYPE_CHECKING:
    from rotators.diagnosis.plan import Plan
    from rotators.diagnosis.target import Target
    from rotators.diagnosis.version import Version


def rejected(case: Case, current: Version) -> Finding:
    """
    Judge a secret whose AWSCURRENT the target refuses.

    Example:
        >>> rejected(case, current).state
        <State.HALF_DONE: 'half done'>
    """
    pending, target = case.pending, case.target
    if pending is not None and pending.works:
        return case.half(
            pending, "AWSPENDING opens and AWSCURRENT does not: the change was made, and the label has not moved yet"
        )
    refused = f"the target refuses {_refused(case)}"
    if target is None or target.is_keys:
        return _key(case, current, refused)
    return _rotated(case, target, refused) or _set(case, current, target, refused)


def _rotated(case: Case, target: Target, refused: str) -> Finding | None:
    """A single user's rotation mends it: it tries whatever may open."""
    pending, older = case.pending, case.found.older
    if target.strategy != "single" or not case.rotates or (pending is not None and pending.answer.kind in DEAD):
        return None
    steps = (plan.resume(pending.id),) if pending is not None else (plan.rotate(),)
    if older is not None:
        return case.repair(
            State.BROKEN,
            f"{refused}, and {older.title} opens: a rotation logs in with it and sets a new password",
            steps,
        )
    if case.admin_works and pending is not None and case.found.may_run:  # AWSCURRENT may be about to move: hands off it
        return case.repair(
            State.BROKEN,
            f"{refused}, and the admin opens: the rotation that is pending sets its password by the admin",
            steps,
        )
    return None


def _set(case: Case, current: Version, target: Target, refused: str) -> Finding:
    older = case.found.older
    if case.admin_works:
        user = str(target.current.get("username", ""))
        if (foreign := _of_another(case)) is not None:
            return Finding(
                State.BROKEN,
                f"{refused}, and {foreign.title} is for another target: {clause(foreign)}. Whose account {user!r} is, nobody here "
                "can tell, so the admin sets no password of it (law 11): store the value that works",
                case.store,
            )
        return case.repair(
            State.BROKEN,
            f"{refused}, and the admin opens: the password of {user!r} was changed by somebody else",
            (plan.put_back(current.id, user, target.where), *_afterwards(case)),
        )
    if older is not None and _may_be_current(case, target, older):
        return case.repair(
            State.BROKEN, f"{refused}, and {older.title} opens", (plan.move(older.id, current.id), *_afterwards(case))
        )
    admin = case.found.admin
    hint = (
        f"; the admin's secret {case.found.admins_secret} is {admin.word}"
        if admin is not None
        else ": store the value that works, or name an admin's secret in 'masterarn'"
    )
    return Finding(State.BROKEN, f"{refused}, and nothing that we may use opens{hint}", case.store)


def _of_another(case: Case) -> Version | None:
    """Return the version that was AWSCURRENT before, if it was for another account: a slip, or a trick, of who wrote the secret."""
    previous = case.held.previous
    return previous if previous is not None and previous.answer.kind is Kind.ELSEWHERE else None


def _key(case: Case, current: Version, refused: str) -> Finding:
    """A key was revoked: only who issues keys can mend it, or who moves the label."""
    older, no_more = case.found.older, "(a repair of keys drops or restarts a rotation, and no more)"
    if older is None:
        return Finding(
            State.BROKEN,
            f"{refused}, and a key that was revoked can't be set again: store one that works {no_more}",
            case.store,
        )
    words = ("--version-stage", "AWSCURRENT", "--move-to-version-id", older.id, "--remove-from-version-id", current.id)
    return Finding(
        State.BROKEN,
        f"{refused}, and {older.title} works: AWSCURRENT can be moved there {no_more}",
        case.paste.aws("update-secret-version-stage", *words),
    )


def _afterwards(case: Case) -> Plan:
    """Plan what remains of a rotation that was pending, once AWSCURRENT opens again."""
    pending = case.pending
    if pending is None:
        return ()
    if pending.answer.kind in DEAD:
        return case.dropped(pending, REFUSED)
    if case.rotates:
        return (plan.resume(pending.id),)
    return case.restarted(pending) if pending.answer.kind is Kind.EMPTY or not case.found.may_run else ()


def _may_be_current(case: Case, target: Target, older: Version) -> bool:
    """Law 12: it was AWSCURRENT once, or is of the same user."""
    same = older.value is not None and older.value.get("username") == target.current.get("username")
    return same or older is case.held.previous


def _refused(case: Case) -> str:
    asked = [version for version in case.held.versions if version.answer.kind is Kind.REJECTED]
    return ", ".join(version.title for version in asked) or "AWSCURRENT"
