"""``Answer``: what a target says to one value, as a diagnosis tells it (law 8: works, rejected and unreachable are three)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from rotators import deadline, telemetry
from rotators.errors import (
    ConfigurationError,
    CredentialRejected,
    RotatorsError,
    SecretError,
    StoreUnavailable,
    TargetUnreachable,
    scrub,
    stranger,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rotators.rotator import Rotator
    from rotators.secret import Secret

#: Seconds one question may take.
PATIENCE = 15.0


class Kind(Enum):
    """What kind of answer it is; the value is what people read."""

    WORKS = "works"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    EMPTY = "has no value"
    MALFORMED = "malformed"
    ELSEWHERE = "for another target"
    UNASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Answer:
    """
    One answer.

    Attributes:
        kind: which.
        cause: one word for machines where it is unreachable, as of `TargetUnreachable`.
        said: the sentence, scrubbed.

    Example:
        >>> Answer(Kind.UNREACHABLE, "dns", "DNS does not know the host …").word
        'unreachable (dns)'
    """

    kind: Kind
    cause: str = ""
    said: str = ""

    @property
    def word(self) -> str:
        """Return it in a word or two."""
        return f"{self.kind.value} ({self.cause})" if self.cause else self.kind.value

    @property
    def works(self) -> bool:
        """Say whether the value opens the target."""
        return self.kind is Kind.WORKS

    def as_json(self) -> dict[str, str]:
        """Return it as JSON has it."""
        return {"answer": self.kind.value, "cause": self.cause, "said": self.said}


WORKS = Answer(Kind.WORKS)


class Asked:
    """
    Asks the target, each value once, and counts: a refused login may lock an account out, and wakes who watches the server.

    Attributes:
        logins: how many questions reached, or tried to reach, the target.
        refused: how many of them it refused.
        notes: what the rotators warned of meanwhile.

    Example:
        >>> Asked().of(rotator, secret).word
        'works'
    """

    def __init__(self) -> None:
        self.logins = self.refused = 0
        self.notes: list[str] = []
        self._answers: list[tuple[Secret, Answer]] = []

    def of(self, rotator: Rotator, secret: Secret, *, hidden: Iterable[str] = (), again: bool = False) -> Answer:
        """
        Ask, unless this very value was asked before.

        Args:
            rotator: who knows how.
            secret: the value.
            hidden: further strings that no text may show, beside the value's own.
            again: ask a second time.
        """
        for known, answer in self._answers:
            if known == secret and not again:
                return answer
        answer = self._ask(rotator, secret, {*hidden, *secret.hidden()})
        self._answers.append((secret, answer))
        return answer

    def _ask(self, rotator: Rotator, secret: Secret, hidden: set[str]) -> Answer:
        failure: RotatorsError | None = None
        with deadline.running(deadline.Deadline(PATIENCE)), telemetry.noting() as notes:
            try:
                rotator.test_once(secret)
            except RotatorsError as error:
                failure = error
            except Exception as error:  # noqa: BLE001 - a rotator of one's own
                failure = stranger(error, hidden)
        self.notes += [note for note in (scrub(text, hidden) for text in notes) if note not in self.notes]
        answer = WORKS if failure is None else told(failure, hidden)
        if answer.kind is not Kind.MALFORMED and answer.cause != SETUP:
            self.logins += 1
        self.refused += answer.kind is Kind.REJECTED
        return answer


#: The cause where nobody was asked, as something is missing on this machine.
SETUP = "setup"


def told(failure: RotatorsError, hidden: Iterable[str]) -> Answer:
    """Make an answer of what `Rotator.test` raised."""
    said = scrub(str(failure), hidden)
    if isinstance(failure, CredentialRejected):
        return Answer(Kind.REJECTED, said=said)
    if isinstance(failure, SecretError):
        return Answer(Kind.MALFORMED, said=said)
    causes = {ConfigurationError: SETUP, StoreUnavailable: "aws"}
    cause = failure.cause if isinstance(failure, TargetUnreachable) else causes.get(type(failure), "other")
    return Answer(Kind.UNREACHABLE, cause, said)
