"""``Case``: one secret before the judge: what was found, and the phrases that several verdicts have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.diagnosis import plan
from rotators.diagnosis.answer import Kind
from rotators.diagnosis.finding import Finding, State

if TYPE_CHECKING:
    from rotators.diagnosis.examination import Examination
    from rotators.diagnosis.pasted import Paste
    from rotators.diagnosis.plan import Plan
    from rotators.diagnosis.version import Version

#: What no retry can use: it is refused before it is tried.
DEAD = {Kind.MALFORMED, Kind.ELSEWHERE}
#: Why such a value may go.
REFUSED = "this value is refused before it is ever used (law 5)"


class Case:
    """
    One secret.

    Args:
        found: what was found.
        paste: writes the command.

    Attributes:
        rotates: whether RotateSecret has something to call.

    Example:
        >>> Case(found, paste).repair(State.OVERDUE, "it is late", (rotate(),)).command
        'rotators repair arn:… --yes'
    """

    def __init__(self, found: Examination, paste: Paste) -> None:
        self.found, self.paste = found, paste
        self.held, self.schedule = found.held, found.held.schedule
        self.pending, self.target = found.held.pending, found.target
        self.rotates = self.schedule.can_rotate

    @property
    def is_keys(self) -> bool:
        """Say whether it is keys, of which nothing is set or moved here."""
        return self.target is not None and self.target.is_keys

    @property
    def admin_works(self) -> bool:
        """Say whether there is an admin, and it opens."""
        return self.found.admin is not None and self.found.admin.works

    def repair(self, state: State, reason: str, steps: Plan) -> Finding:
        """Find that our own command helps."""
        return Finding(state, reason, self.again, steps)

    @property
    def again(self) -> str:
        """The command that repairs."""
        return self.paste.ours("repair", "--yes")

    @property
    def store(self) -> str:
        """The command that stores a value by hand."""
        return self.paste.aws("put-secret-value", "--secret-string", "file://working.json")

    def half(self, pending: Version, reason: str) -> Finding:
        """AWSPENDING opens: find that the rotation is to be finished, and by whom."""
        if self.rotates:
            return self.repair(State.HALF_DONE, reason, (plan.resume(pending.id),))
        reason = f"{reason}; rotation is {self.schedule.word}"
        if self.is_keys:
            return Finding(
                State.HALF_DONE,
                f"{reason}, and a repair of keys drops or restarts a rotation and no more: turn it on",
                self.paste.aws("rotate-secret"),
            )
        return self.repair(State.HALF_DONE, reason, (plan.finish(pending.id),))

    def dropped(self, pending: Version, why: str) -> Plan:
        """Plan to give AWSPENDING up, and to begin anew where that can be."""
        return (plan.drop(pending.id, why), *((plan.rotate(),) if self.rotates else ()))

    def restarted(self, pending: Version) -> Plan:
        """Plan for a version that was never set: to resume it while it is young, and to give it up where nobody can be at it."""
        if self.rotates and self.found.may_run:
            return (plan.resume(pending.id),)
        if pending.answer.kind is Kind.EMPTY:
            return self.dropped(pending, "nothing was ever stored in that version")
        return self.dropped(pending, "that value was never set: nobody uses it, and no step runs any more")


def clause(version: Version) -> str:
    """Return what the target, or the value's own form, says of a version, as the end of a sentence."""
    return version.answer.said.rstrip(". ") or version.answer.word
