"""One fault at one call: what went wrong in words, and how to run that case alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from rotators.machine import AWSCURRENT
from rotators.testing.faults import Fault
from rotators.testing.verbs import labelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rotators.testing.subject import Subject

OPTION = "--rotators-case"

_only: list[tuple[int, Fault]] = []


def select(text: str | None) -> None:
    """
    Run one case of each test alone from now on; all of them again with None.

    Args:
        text: the number of the call and the fault, as a failure prints them: ``7:CRASH_AFTER``.

    Raises:
        ValueError: it is none; says what was expected.

    Example:
        >>> select("7:CRASH_AFTER")
    """
    _only.clear()
    if text is None:
        return
    number, _, name = text.partition(":")
    if not number.isdecimal() or name not in Fault.__members__:
        raise ValueError(
            f"{OPTION} expects a call's number and a fault, such as 7:CRASH_AFTER; faults are {', '.join(Fault.__members__)}"
        )
    _only.append((int(number), Fault[name]))


@dataclass(frozen=True, slots=True)
class Case:
    """
    A fault at a call.

    Attributes:
        number: of the call, from 1.
        fault: what happens there.
        calls: what all the calls of an undisturbed rotation are.
    """

    number: int
    fault: Fault
    calls: Sequence[str]

    def __str__(self) -> str:
        call = self.calls[self.number - 1] if self.number <= len(self.calls) else "another call than before"
        return f"call {self.number} of {len(self.calls)}, {call}: {self.fault.value}"

    def broke(self, law: str, subject: Subject, what: str) -> NoReturn:
        """
        Say which law broke, where, what opens now, and how to run this case again.

        Raises:
            AssertionError: always.
        """
        node = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
        raise AssertionError(
            f"{law} broke: {what}\n"
            f"  after   {self}\n"
            f"  now     {'; '.join(_standing(subject))}\n"
            f"  replay  pytest '{node}' -n0 {OPTION} {self.number}:{self.fault.name}"
        )


def _standing(subject: Subject) -> Iterator[str]:
    """Yield what each label's value does, and none of the values (law 9)."""
    held = labelled(subject)
    on = {label: version for version, labels in subject.service.labels(subject.arn).items() for label in labels}
    for label, version in sorted(on.items(), key=lambda each: each[0] != AWSCURRENT):
        if label not in held:
            yield f"{label} ({version[:8]}) has no value"
        else:
            yield f"{label} ({version[:8]}) {'opens' if subject.opens(held[label]) else 'does not open'}"


def cases(faults: Iterable[Fault], calls: Sequence[str]) -> Iterator[Case]:
    """Yield every fault at every call, or the one that was selected."""
    for fault in faults:
        for number in range(1, len(calls) + 1):
            if not _only or (number, fault) in _only:
                yield Case(number, fault, calls)
