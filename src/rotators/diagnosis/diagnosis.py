"""``Diagnosis``: an examination and what it comes to, as text for people and as JSON for programs. It never shows a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from rotators.diagnosis.answer import Kind
from rotators.diagnosis.examine import examine
from rotators.diagnosis.judgement import judged
from rotators.diagnosis.pasted import Paste
from rotators.diagnosis.version import Version, moment
from rotators.machine import Standing, Step, Verdict, judge

if TYPE_CHECKING:
    from datetime import datetime

    from rotators.diagnosis.examination import Examination
    from rotators.diagnosis.finding import Finding

HERE = (
    "'unreachable' is from this machine, which may be outside the VPC, or of another security group, than the function; and what "
    "a function's variables say (ROTATORS_…), this machine's have to say too"
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    What is wrong with a secret, and what helps.

    Example:
        >>> diagnose("app", client).lines()[0]
        'secret      app: healthy'
    """

    found: Examination
    finding: Finding

    @property
    def retry(self) -> str:
        """What another RotateSecret would do, by the machine's GUARDS."""
        held, pending = self.found.held, self.found.held.pending
        if held.about.deleted:
            return "RotateSecret is refused: the secret is marked for deletion"
        if not held.schedule.function:
            return "RotateSecret is refused: no function was ever named" + _steps(pending)
        on = "" if held.schedule.enabled else ", and turns the rotation on again"
        if pending is None:
            return f"RotateSecret begins a new version with createSecret{on}"
        if pending.answer.kind is Kind.EMPTY:
            begins = "createSecret stores a value"
        elif pending.answer.kind in {Kind.MALFORMED, Kind.ELSEWHERE}:
            begins = "createSecret has a value already, and setSecret refuses it (law 5)"
        else:
            done = " and finds it done" if pending.works else ""
            begins = f"createSecret has a value already, setSecret runs{done}, testSecret proves it, finishSecret moves the label"
        return f"RotateSecret resumes version {pending.id} from createSecret{on}: {begins}"

    def lines(self) -> list[str]:
        """Return it as people read it."""
        found, held = self.found, self.found.held
        rows = [("secret", f"{held.name}: {self.finding.state.value}")]
        for version in held.versions:
            if version.labels or version.answer.kind is not Kind.UNASKED:
                since = _minute(version.created)
                name = " ".join(version.labels) or "no label"
                said = f": {version.answer.said}" if version.answer.kind is Kind.REJECTED else ""
                rows.append((name, f"{version.id}  {since}  {version.answer.word}{said}"))
        silent = [version for version in held.loose if not version.labels and version.answer.kind is Kind.UNASKED]
        if silent:
            rows.append(("no label", f"{len(silent)} more, not asked"))
        rows += self._rotation()
        rows += self._target()
        rows.append(("retry", self.retry))
        rows.append(("why", self.finding.reason))
        if self.finding.command:
            rows.append(("do", self.finding.command))
        rows.append(("logins", f"{found.asked.logins}, of which {found.asked.refused} refused"))
        rows += [("note", note) for note in self._notes()]
        width = max(len(name) for name, _ in rows)
        return [f"{name.ljust(width)}  {text}" for name, text in rows]

    def _rotation(self) -> list[tuple[str, str]]:
        schedule, since = self.found.held.schedule, self.found.pending_since
        said = [schedule.word, schedule.rule, f"by {schedule.function}" if schedule.function else ""]
        said += [f"{name} {_minute(at)}" for name, at in (("last", schedule.last), ("next", schedule.next)) if at]
        said += [f"deleted on {_minute(schedule.deleted)}"] if schedule.deleted else []
        said += [f"pending since {_minute(since)}"] if since else []
        return [("rotation", ", ".join(part for part in said if part))]

    def _target(self) -> list[tuple[str, str]]:
        found, target = self.found, self.found.target
        rows: list[tuple[str, str]] = []
        if target is None:
            return rows
        engine = target.engine
        user = "" if target.current.plain else str(target.current.get("username", ""))
        said = [engine.name if engine else "", f"at {target.where}", f"as {user!r}" if user else ""]
        said += [f"by the strategy {target.strategy}"] if target.strategy else []
        rows.append(("target", " ".join(part for part in said if part)))
        if target.pair:
            pending = found.held.pending
            names = f"AWSCURRENT is {target.pair['current']!r}, the other is {target.pair['other']!r}"
            if pending is not None and pending.value is not None and not pending.value.plain:
                names += f", AWSPENDING is {str(pending.value.get('username', ''))!r}"
            rows.append(("pair", names))
        if found.admin is not None:
            said_ = f" ({found.admin.said})" if found.admin.said and not found.admin.works else ""
            rows.append(("admin", f"{found.admins_secret}: {found.admin.word}{said_}"))
        if found.room is not None:
            most = "any number of" if found.room.most is None else str(found.room.most)
            foreign = ", ".join(found.room.foreign) or "none"
            rows.append(("keys", f"{len(found.room.keys)} of {most}; not of this secret: {foreign}"))
        return rows

    def _notes(self) -> list[str]:
        held, notes = self.found.held, list(self.found.notes)
        current = held.current
        if current is not None and "AWSPENDING" in current.labels:
            notes.append(
                "AWSPENDING is still on AWSCURRENT's version: the rotation is over, and every step for it is done"
            )
        if held.schedule.enabled and held.schedule.last is None:
            notes.append("it was never rotated")
        return [*notes, HERE] if self.found.unreachable else notes

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        found, held, target = self.found, self.found.held, self.found.target
        return {
            "secret": held.name,
            "arn": held.about.arn,
            **self.finding.as_json(),
            "retry": self.retry,
            "versions": [version.as_json() for version in held.versions],
            "rotation": {**held.schedule.as_json(), "pending_since": moment(found.pending_since)},
            "target": {
                "engine": target.engine.name if target and target.engine else "",
                "where": target.where if target else "",
                "strategy": target.strategy if target else "",
                "pair": target.pair if target else {},
            },
            "admin": {"secret": found.admins_secret, **found.admin.as_json()} if found.admin else None,
            "same_resource": held.pending.answer.kind is not Kind.ELSEWHERE if held.pending else None,
            "room": found.room.as_json() if found.room else None,
            "logins": {"made": found.asked.logins, "refused": found.asked.refused},
            "notes": self._notes(),
        }


def diagnose(
    secret_id: str, client: Any, *, handler: str = "", deep: bool = False, options: tuple[str, ...] = ()
) -> Diagnosis:
    """
    Find out what is wrong with a secret's rotation. Nothing is changed, and as few logins are made as will do.

    Args:
        secret_id: its name or ARN.
        client: a boto3 ``secretsmanager`` client.
        handler: of a rotator of one's own: ``package.module.attribute``.
        deep: ask every version, as `examine`.
        options: of the account, for the command that is to be pasted.

    Raises:
        RotatorsError: the secret can't be read, or no rotator is for it.

    Example:
        >>> diagnose("app", boto3.client("secretsmanager")).finding.state
        <State.HEALTHY: 'healthy'>
    """
    found = examine(secret_id, client, handler=handler, deep=deep)
    return Diagnosis(found, judged(found, Paste(found.held.about.arn, options, handler)))


def _steps(pending: Version | None) -> str:
    """Say what the machine says where the steps are run without the service."""
    where = Standing.PENDING if pending is not None else Standing.ABSENT
    runs = judge(where, Step.CREATE) is Verdict.RUN
    return f"; steps for version {pending.id} would run" if pending is not None and runs else ""


def _minute(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at is not None else ""
