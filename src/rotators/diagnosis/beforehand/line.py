"""``Line``: what one check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """How a check ended; the value is what people read."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Line:
    """
    What one check found.

    Attributes:
        answer: how it ended.
        text: what is so, or why it was not asked; never a secret.
        remedy: what helps; empty where the text says it, or nothing is to be done.
        name: of the check.

    Example:
        >>> failed("it is marked for deletion", "aws secretsmanager restore-secret --secret-id app").answer
        <Answer.FAILED: 'failed'>
    """

    answer: Answer
    text: str
    remedy: str = ""
    name: str = ""


def passed(text: str) -> Line:
    """Say that all is well."""
    return Line(Answer.PASSED, text)


def warned(text: str, remedy: str = "") -> Line:
    """Say what a rotation survives, and somebody should know."""
    return Line(Answer.WARNING, text, remedy)


def failed(text: str, remedy: str = "") -> Line:
    """Say what would stop a rotation."""
    return Line(Answer.FAILED, text, remedy)


def not_asked(why: str, remedy: str = "") -> Line:
    """Say why nothing is known."""
    return Line(Answer.NOT_ASKED, why, remedy)
