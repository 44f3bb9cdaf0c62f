"""What a rotation survives: a death, a lost answer, a refusal at each of its external calls in turn (law 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.errors import RotatorsError
from rotators.testing.case import Case, cases
from rotators.testing.driver import resume, rotate
from rotators.testing.faults import Crash, Fault, Faults
from rotators.testing.verbs import is_pending, labelled, stored, succeeded, value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rotators.testing.outcome import Outcome
    from rotators.testing.subject import Subject

RETRIES = 3


class CrashContract:
    """
    Every fault at every external call.

    Attributes:
        gapless: whether AWSCURRENT must open after each call of a rotation. Not so where one user has one password.
        most_keys: how many keys the provider has room for; None where there is no limit to be kept.
    """

    gapless: bool = False
    most_keys: int | None = None

    def test_law_3_a_crash_at_every_call(self, subject: Subject) -> None:
        """The process dies before and after each external call in turn; the retry finishes what it began."""
        self._each(subject, (Fault.CRASH_BEFORE, Fault.CRASH_AFTER))

    def test_law_3_an_answer_lost_at_every_call(self, subject: Subject) -> None:
        """Each external call in turn is made and its answer lost, or never made, or throttled."""
        self._each(subject, (Fault.LOST_ANSWER, Fault.NO_ANSWER, Fault.THROTTLED))

    def test_law_3_the_calls_are_seen(self, subject: Subject) -> None:
        """What is not counted is not proven: a rotation makes calls besides those of Secrets Manager."""
        calls = self._calls(subject)
        ours = {call.operation for call in subject.service.calls}
        assert [call for call in calls if call not in ours], (
            f"no call to the target was seen among {', '.join(calls)}: its client is one that the kit does not know. Add it to "
            "rotators.testing.points.POINTS, or nothing is proven about a crash at it"
        )

    def test_law_7_awscurrent_opens_after_every_call(self, subject: Subject) -> None:
        """Where `gapless`: a client that reads AWSCURRENT at any moment of a rotation gets in."""
        assert succeeded(rotate(subject.service, subject.arn))
        dead: list[int] = []
        faults = Faults(watch=lambda number: None if subject.opens(value(subject)) else dead.append(number))
        with faults.installed():
            assert succeeded(rotate(subject.service, subject.arn))
        if self.gapless:
            assert dead == [], f"AWSCURRENT did not open after {', '.join(faults.seen[number] for number in dead)}"
        else:
            assert not dead or dead[-1] < len(faults.seen) - 1, "AWSCURRENT does not open at the end"

    def _calls(self, subject: Subject) -> list[str]:
        """Return the external calls of a rotation that is not the first."""
        assert succeeded(rotate(subject.service, subject.arn))
        subject.new_sandbox()
        counted = Faults()
        with counted.installed():
            assert succeeded(rotate(subject.service, subject.arn))
        return counted.seen

    def _each(self, subject: Subject, faults: Iterable[Fault]) -> None:
        keys, own = _keys(subject), set[str]()
        calls = self._calls(subject)
        for case in cases(faults, calls):
            self.die_and_heal(subject, case)
            if keys is not None:
                self._none_lost(subject, case, keys, own)
        assert succeeded(rotate(subject.service, subject.arn))
        assert subject.opens(value(subject))

    def die_and_heal(self, subject: Subject, case: Case) -> None:
        """Rotate with one fault, retry as the service does, and ask after each try what opens."""
        subject.new_sandbox()
        outcome: Outcome | None = None
        with Faults(case.number - 1, case.fault).installed():
            try:
                outcome = rotate(subject.service, subject.arn)
            except Crash:
                outcome = None
        if not any(subject.opens(each) for each in stored(subject)):
            case.broke("law 2", subject, "nothing that is stored opens: the credential is lost")
        if self.gapless and not subject.opens(value(subject)):
            case.broke("law 7", subject, "AWSCURRENT does not open until the retry")
        if outcome is not None and not isinstance(outcome.error, RotatorsError | None):
            case.broke("law 8", subject, f"{type(outcome.error).__name__} is not an error of rotators")
        for _ in range(RETRIES):
            if outcome is not None and outcome.succeeded:
                break
            subject.new_sandbox()
            pending = is_pending(subject)
            outcome = resume(subject.service, subject.arn) if pending else rotate(subject.service, subject.arn)
        if outcome is None or not outcome.succeeded:
            case.broke(
                "law 3", subject, f"the retries did not heal it: {outcome.error if outcome else 'it died again'}"
            )
        if not subject.opens(value(subject)):
            case.broke("law 6", subject, "AWSCURRENT does not open, though the rotation has succeeded")

    def _none_lost(self, subject: Subject, case: Case, before: frozenset[str], own: set[str]) -> None:
        """
        Ask the provider: no more keys than it has room for, none that nobody holds, none of others' gone.

        `own`: keys of this secret's that are known from the cases before; those found here are added.
        """
        live, held = _live(subject), _held(subject)
        if self.most_keys is not None and len(live) > self.most_keys:
            case.broke("law 7", subject, f"there are {len(live)} keys, and the provider has room for {self.most_keys}")
        if not held["AWSCURRENT"] <= live:
            case.broke("law 7", subject, "the key of AWSCURRENT was revoked")
        if lost := live - frozenset[str]().union(*held.values()) - before:
            case.broke(
                "law 7", subject, f"{len(lost)} keys were issued that no version of the secret holds, and not revoked"
            )
        gone = before - live
        for each in stored(subject):  # every key that any version has held: those may be revoked
            if gone <= own:
                break
            own.add(subject.key_of(each))  # type: ignore[attr-defined] # goes with `keys`
        if gone := gone - own:
            case.broke("law 7", subject, f"{len(gone)} keys were revoked that were not this secret's")


def _keys(subject: Subject) -> frozenset[str] | None:
    """Return the keys that there are at first, None where the subject does not say."""
    return _live(subject) if getattr(subject, "keys", None) is not None else None


def _live(subject: Subject) -> frozenset[str]:
    return frozenset(subject.keys())  # type: ignore[attr-defined] # asked for before


def _held(subject: Subject) -> dict[str, frozenset[str]]:
    key_of = subject.key_of  # type: ignore[attr-defined] # goes with `keys`
    return {label: frozenset({key_of(each)}) for label, each in labelled(subject).items()}
