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
from rotators.diagnosis.examination import RUNNING, Examination
from rotators.diagnosis.finding import Finding, State

if TYPE_CHECKING:
    from rotators.diagnosis.pasted import Paste
    from rotators.diagnosis.plan import Plan
    from rotators.diagnosis.version import Version

#: What no retry can use: it is refused before it is tried.
DEAD = {Kind.MALFORMED, Kind.ELSEWHERE}


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
    return _Case(found, paste).finding()


class _Case:
    def __init__(self, found: Examination, paste: Paste) -> None:
        self.found, self.paste = found, paste
        self.held, self.schedule = found.held, found.held.schedule
        self.pending = found.held.pending
        self.rotates = self.schedule.can_rotate

    def finding(self) -> Finding:
        current = self.held.current
        if self.held.about.deleted:
            return Finding(
                State.DELETED,
                "the secret is marked for deletion, so it is neither read nor rotated; what was pending stays as it is",
                self.paste.aws("restore-secret"),
            )
        if current is None or current.value is None:
            return Finding(
                State.EMPTY, "no version with a value is AWSCURRENT: store the credential that works", self._put()
            )
        if current.answer.kind is Kind.MALFORMED:
            return self._malformed(current)
        if current.answer.kind is Kind.UNREACHABLE or (
            self.pending is not None and self.pending.answer.kind is Kind.UNREACHABLE
        ):
            return self._unreachable(current)
        if self._lacks_admin():
            return self._admin(current)
        if current.works:
            return self._opens()
        return self._rejected(current)

    # -- AWSCURRENT opens --------------------------------------------------------------------------------------------

    def _opens(self) -> Finding:
        pending = self.pending
        if pending is None:
            return self._idle()
        if pending.works:
            return self._half(
                pending, "AWSCURRENT opens and so does AWSPENDING: what is missing is the rest of the rotation"
            )
        if pending.answer.kind in DEAD:
            return self._repair(
                State.STUCK,
                f"AWSCURRENT opens, and AWSPENDING ({pending.id}) can never be used: {_clause(pending)}",
                self._dropped(pending, "this value is refused before it is ever used (law 5)"),
            )
        return self._unset(pending)

    def _unset(self, pending: Version) -> Finding:
        """AWSPENDING has no value, or one that was never set."""
        empty = pending.answer.kind is Kind.EMPTY
        what = (
            "has no value: createSecret has not run, or failed" if empty else "was stored and never set at the target"
        )
        reason = f"AWSCURRENT opens, and AWSPENDING ({pending.id}) {what}"
        room = self.found.room
        if empty and room is not None and room.full:
            return Finding(
                State.STUCK,
                f"{reason}; there is room for {room.most} keys, which are taken by {', '.join(room.foreign)}, not issued for this "
                "secret: revoke what nobody needs, and repair",
                self._again(),
                self._restarted(pending),
            )
        if self.rotates and self.found.may_run:
            return self._repair(
                State.PENDING,
                f"{reason}; a rotation may be running, and to resume it does no harm",
                (plan.resume(pending.id),),
            )
        if self.rotates or empty or not self.found.may_run:
            return self._repair(State.STUCK, reason + self._in_vain(), self._restarted(pending))
        return Finding(
            State.PENDING,
            f"{reason}; rotation is {self.schedule.word}, but a step that was begun before may still set it: wait "
            f"{int(RUNNING.total_seconds() // 60)} minutes from when it was stored",
            self._again(),
        )

    def _in_vain(self) -> str:
        return (
            "; Secrets Manager has tried it in vain, and refuses a new rotation while it is there (see the function's log)"
            if self.rotates
            else ""
        )

    def _restarted(self, pending: Version) -> Plan:
        if self.rotates and self.found.may_run:
            return (plan.resume(pending.id),)
        empty = pending.answer.kind is Kind.EMPTY
        return self._dropped(
            pending,
            "nothing was ever stored in that version"
            if empty
            else "that value was never set: nobody uses it, and no step runs any more",
        )

    def _dropped(self, pending: Version, why: str) -> Plan:
        return (plan.drop(pending.id, why), *((plan.rotate(),) if self.rotates else ()))

    def _idle(self) -> Finding:
        schedule = self.schedule
        if schedule.enabled and schedule.next is not None and schedule.next < self.found.now:
            return self._repair(
                State.OVERDUE,
                f"AWSCURRENT opens, but the rotation that was due on {schedule.next:%Y-%m-%d} has not come: a rotation has failed "
                "and was given up, or the window is too short",
                (plan.rotate(),),
            )
        opens = "AWSCURRENT opens, and nothing is pending"
        if schedule.enabled is None or not schedule.function:
            return Finding(State.HEALTHY, f"{opens}; nothing rotates it: rotation was never set up")
        if not schedule.enabled:
            return Finding(
                State.OFF, f"{opens}; rotation is off, so it stays as it is", self.paste.aws("rotate-secret")
            )
        return Finding(State.HEALTHY, opens)

    # -- AWSCURRENT does not -----------------------------------------------------------------------------------------

    def _rejected(self, current: Version) -> Finding:
        pending, older, target = self.pending, self.found.older, self.found.target
        if pending is not None and pending.works:
            return self._half(
                pending,
                "AWSPENDING opens and AWSCURRENT does not: the change was made, and the label has not moved yet",
            )
        refused = f"the target refuses {self._refused()}"
        if target is None or target.is_keys:
            return self._key(older, refused)
        usable = pending is None or pending.answer.kind not in DEAD
        admin = self.found.admin is not None and self.found.admin.works
        single = target.strategy == "single"
        steps = (plan.resume(pending.id),) if pending is not None else (plan.rotate(),)
        if single and self.rotates and usable and older is not None:
            return self._repair(
                State.BROKEN,
                f"{refused}, and {older.title} opens: a rotation logs in with it and sets a new password",
                steps,
            )
        if single and self.rotates and usable and admin and pending is not None and self.found.may_run:
            return self._repair(
                State.BROKEN,
                f"{refused}, and the admin opens: the rotation that is pending sets its password by the admin",
                steps,
            )
        if admin:
            user = str(target.current.get("username", ""))
            return self._repair(
                State.BROKEN,
                f"{refused}, and the admin opens: the password of {user!r} was changed by somebody else",
                (plan.put_back(current.id, user, target.where), *self._afterwards()),
            )
        if older is not None and self._may_be_current(older):
            return self._repair(
                State.BROKEN,
                f"{refused}, and {older.title} opens",
                (plan.move(older.id, current.id), *self._afterwards()),
            )
        return Finding(State.BROKEN, f"{refused}, and nothing that we may use opens{self._hint()}", self._put())

    def _key(self, older: Version | None, refused: str) -> Finding:
        """A key was revoked: only who issues keys can mend it, or who moves the label."""
        if older is None:
            return Finding(
                State.BROKEN,
                f"{refused}, and a key that was revoked can't be set again: store one that works (a repair of keys drops or "
                "restarts a rotation, and no more)",
                self._put(),
            )
        assert self.held.current is not None  # noqa: S101 - for the type checker
        return Finding(
            State.BROKEN,
            f"{refused}, and {older.title} works: AWSCURRENT can be moved there (a repair of keys drops or restarts a rotation, "
            "and no more)",
            self.paste.aws(
                "update-secret-version-stage", "--version-stage", "AWSCURRENT", "--move-to-version-id", older.id,
                "--remove-from-version-id", self.held.current.id,
            ),
        )  # fmt: skip

    def _afterwards(self) -> Plan:
        """What remains of a rotation that was pending, once AWSCURRENT opens again."""
        pending = self.pending
        if pending is None:
            return ()
        if pending.answer.kind in DEAD:
            return self._dropped(pending, "this value is refused before it is ever used (law 5)")
        if self.rotates:
            return (plan.resume(pending.id),)
        empty = pending.answer.kind is Kind.EMPTY
        return self._restarted(pending) if empty or not self.found.may_run else ()

    def _may_be_current(self, older: Version) -> bool:
        """Law 12: it was AWSCURRENT once, or is of the same user."""
        assert self.found.target is not None  # noqa: S101 - for the type checker
        assert older.value is not None  # noqa: S101
        same = older.value.get("username") == self.found.target.current.get("username")
        return same or older is self.held.previous

    def _refused(self) -> str:
        asked = [v for v in self.held.versions if v.answer.kind is Kind.REJECTED]
        return ", ".join(version.title for version in asked) or "AWSCURRENT"

    def _hint(self) -> str:
        if self.found.admin is not None:
            return f"; the admin's secret {self.found.admins_secret} is {self.found.admin.word}"
        return ": store the value that works, or name an admin's secret in 'masterarn'"

    # -- the rest ----------------------------------------------------------------------------------------------------

    def _half(self, pending: Version, reason: str) -> Finding:
        if self.rotates:
            return self._repair(State.HALF_DONE, reason, (plan.resume(pending.id),))
        if self.found.target is not None and self.found.target.is_keys:
            return Finding(
                State.HALF_DONE,
                f"{reason}; rotation is {self.schedule.word}, and a repair of keys drops or restarts a rotation and no more: turn "
                "it on",
                self.paste.aws("rotate-secret"),
            )
        return self._repair(State.HALF_DONE, f"{reason}; rotation is {self.schedule.word}", (plan.finish(pending.id),))

    def _malformed(self, current: Version) -> Finding:
        older = self.held.previous
        reason = f"the value of AWSCURRENT ({current.id}) can't be used: {_clause(current)}"
        target = self.found.target
        if older is not None and older.works and target is not None and not target.is_keys:
            pending = self.pending
            dead = () if pending is None else (plan.resume(pending.id),) if self.rotates else ()
            return self._repair(
                State.MALFORMED, f"{reason}; {older.title} opens", (plan.move(older.id, current.id), *dead)
            )
        return Finding(State.MALFORMED, f"{reason}: store a corrected one", self._put())

    def _unreachable(self, current: Version) -> Finding:
        version = current if current.answer.kind is Kind.UNREACHABLE else self.pending
        assert version is not None  # noqa: S101 - for the type checker
        reason = (
            f"{version.title} could not be asked ({version.answer.cause}), so nothing is known and nothing is done: "
            f"{_clause(version)}"
        )
        if not self.rotates:
            return Finding(
                State.UNREACHABLE, f"{reason}. Ask from where the target is reached", self.paste.ours("diagnose")
            )
        words = () if self.pending is not None else ("--no-rotate-immediately",)
        answer = (
            ""
            if self.pending is None
            else " (the answer that a previous rotation isn't complete means that it is resumed)"
        )
        return Finding(
            State.UNREACHABLE,
            f"{reason}. The function may reach it: let it ask{answer}",
            self.paste.aws("rotate-secret", *words),
        )

    def _lacks_admin(self) -> bool:
        """Say whether the strategy can do nothing without the admin, whom the target does not let in."""
        target, admin = self.found.target, self.found.admin
        refuses = admin is not None and admin.kind in {Kind.REJECTED, Kind.MALFORMED}
        return refuses and target is not None and bool(target.pair)

    def _admin(self, current: Version) -> Finding:
        assert self.found.admin is not None  # noqa: S101 - for the type checker
        state = "opens" if current.works else "does not open"
        return Finding(
            State.ADMIN,
            f"AWSCURRENT {state}, but alternating users need the admin, whose secret is {self.found.admin.word}: "
            f"{self.found.admin.said.rstrip('.')}. Store the admin's credential that works, then repair",
            self.paste.aws(
                "put-secret-value", "--secret-string", "file://admin.json", secret_id=self.found.admins_secret
            ),
        )

    def _repair(self, state: State, reason: str, steps: Plan) -> Finding:
        return Finding(state, reason, self._again(), steps)

    def _again(self) -> str:
        return self.paste.ours("repair", "--yes")

    def _put(self) -> str:
        return self.paste.aws("put-secret-value", "--secret-string", "file://working.json")


def _clause(version: Version) -> str:
    return version.answer.said.rstrip(". ") or version.answer.word
