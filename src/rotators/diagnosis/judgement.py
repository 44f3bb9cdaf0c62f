"""
From what was found to what is wrong: a list of cases, the first that fits. Pure: it asks nobody.

The rule behind them: roll forward. Where Secrets Manager can run the rotation, RotateSecret is the repair, as every step may
run again (law 3). AWSPENDING is given up only where AWSCURRENT opens and nobody can be using it; a password is set by the admin
only where neither opens; AWSCURRENT moves only to what has just opened. What is not known is not touched (law 8).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.diagnosis import plan
from rotators.diagnosis.answer import Kind
from rotators.diagnosis.case import DEAD, REFUSED, Case, clause
from rotators.diagnosis.examination import RUNNING, Examination
from rotators.diagnosis.finding import Finding, State
from rotators.diagnosis.rejection import rejected

if TYPE_CHECKING:
    from rotators.diagnosis.pasted import Paste
    from rotators.diagnosis.version import Version


def judged(found: Examination, paste: Paste) -> Finding:
    """
    Say what is wrong.

    Args:
        found: what was found.
        paste: writes the command.

    Example:
        >>> judged(examine("app", client), Paste("arn:…")).reason
        'AWSCURRENT opens, and nothing is pending'
    """
    case, current = Case(found, paste), found.held.current
    if found.held.about.deleted:
        return Finding(
            State.DELETED,
            "the secret is marked for deletion, so it is neither read nor rotated; what was pending stays as it is",
            paste.aws("restore-secret"),
        )
    if current is None or current.value is None:
        return Finding(
            State.EMPTY, "no version with a value is AWSCURRENT: store the credential that works", case.store
        )
    if current.answer.kind is Kind.MALFORMED:
        return _malformed(case, current)
    for version in (current, case.pending):
        if version is not None and version.answer.kind is Kind.UNREACHABLE:
            return _unreachable(case, version)
    if _lacks_admin(case):
        return _admin(case, current)
    return _opens(case) if current.works else rejected(case, current)


def _opens(case: Case) -> Finding:
    pending = case.pending
    if pending is None:
        return _idle(case)
    if pending.works:
        return case.half(
            pending, "AWSCURRENT opens and so does AWSPENDING: what is missing is the rest of the rotation"
        )
    if pending.answer.kind in DEAD:
        return case.repair(
            State.STUCK,
            f"AWSCURRENT opens, and AWSPENDING ({pending.id}) can never be used: {clause(pending)}",
            case.dropped(pending, REFUSED),
        )
    return _unset(case, pending)


def _unset(case: Case, pending: Version) -> Finding:
    """AWSPENDING has no value, or one that was never set."""
    empty, room = pending.answer.kind is Kind.EMPTY, case.found.room
    what = "has no value: createSecret has not run, or failed" if empty else "was stored and never set at the target"
    reason = f"AWSCURRENT opens, and AWSPENDING ({pending.id}) {what}"
    if empty and room is not None and room.full:
        return case.repair(
            State.STUCK,
            f"{reason}; there is room for {room.most} keys, which are taken by {', '.join(room.foreign)}, not issued for this "
            "secret: revoke what nobody needs, and repair",
            case.restarted(pending),
        )
    if case.rotates and case.found.may_run:
        return case.repair(
            State.PENDING,
            f"{reason}; a rotation may be running, and to resume it does no harm",
            case.restarted(pending),
        )
    if case.rotates:
        reason += "; Secrets Manager has tried it in vain, and refuses a new rotation while it is there (see the function's log)"
    if case.rotates or empty or not case.found.may_run:
        return case.repair(State.STUCK, reason, case.restarted(pending))
    return Finding(
        State.PENDING,
        f"{reason}; rotation is {case.schedule.word}, but a step that was begun before may still set it: wait "
        f"{int(RUNNING.total_seconds() // 60)} minutes from when it was stored",
        case.again,
    )


def _idle(case: Case) -> Finding:
    schedule, opens = case.schedule, "AWSCURRENT opens, and nothing is pending"
    if schedule.enabled and schedule.next is not None and schedule.next < case.found.now:
        return case.repair(
            State.OVERDUE,
            f"AWSCURRENT opens, but the rotation that was due on {schedule.next:%Y-%m-%d} has not come: a rotation has failed "
            "and was given up, or the window is too short",
            (plan.rotate(),),
        )
    if schedule.enabled is None or not schedule.function:
        return Finding(State.HEALTHY, f"{opens}; nothing rotates it: rotation was never set up")
    if not schedule.enabled:
        return Finding(State.OFF, f"{opens}; rotation is off, so it stays as it is", case.paste.aws("rotate-secret"))
    return Finding(State.HEALTHY, opens)


def _malformed(case: Case, current: Version) -> Finding:
    older, pending = case.held.previous, case.pending
    reason = f"the value of AWSCURRENT ({current.id}) can't be used: {clause(current)}"
    if older is None or not older.works or case.is_keys:
        return Finding(State.MALFORMED, f"{reason}: store a corrected one", case.store)
    rest = (plan.resume(pending.id),) if pending is not None and case.rotates else ()
    return case.repair(State.MALFORMED, f"{reason}; {older.title} opens", (plan.move(older.id, current.id), *rest))


def _unreachable(case: Case, version: Version) -> Finding:
    reason = (
        f"{version.title} could not be asked ({version.answer.cause}), so nothing is known and nothing is done: "
        f"{clause(version)}"
    )
    if not case.rotates:
        return Finding(
            State.UNREACHABLE, f"{reason}. Ask from where the target is reached", case.paste.ours("diagnose")
        )
    words = () if case.pending is not None else ("--no-rotate-immediately",)
    answer = (
        "" if case.pending is None else " (the answer that a previous rotation isn't complete means that it is resumed)"
    )
    return Finding(
        State.UNREACHABLE,
        f"{reason}. The function may reach it: let it ask{answer}",
        case.paste.aws("rotate-secret", *words),
    )


def _lacks_admin(case: Case) -> bool:
    """Say whether the strategy can do nothing without the admin, whom the target does not let in."""
    admin = case.found.admin
    refuses = admin is not None and admin.kind in {Kind.REJECTED, Kind.MALFORMED}
    return refuses and case.target is not None and bool(case.target.pair)


def _admin(case: Case, current: Version) -> Finding:
    assert case.found.admin is not None  # noqa: S101 - for the type checker: `_lacks_admin` has looked
    return Finding(
        State.ADMIN,
        f"AWSCURRENT {'opens' if current.works else 'does not open'}, but alternating users need the admin, whose secret is "
        f"{case.found.admin.word}: {case.found.admin.said.rstrip('.')}. Store the admin's credential that works, then repair",
        case.paste.aws("put-secret-value", "--secret-string", "file://admin.json", secret_id=case.found.admins_secret),
    )
