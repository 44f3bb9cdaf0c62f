"""The checks, in the order in which they are asked; what depends on a failed one is not."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rotators import telemetry
from rotators.deadline import Deadline, running
from rotators.diagnosis.beforehand import function, keys, network, schedule, secret, target, value
from rotators.diagnosis.beforehand.asking import NotAsked
from rotators.diagnosis.beforehand.line import Answer, Line, failed, not_asked
from rotators.errors import ConfigurationError, RotatorsError, StoreUnavailable, scrub, stranger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rotators.diagnosis.beforehand.subject import Subject

#: Seconds one check may take.
LONGEST = 20.0


@dataclass(frozen=True, slots=True)
class Check:
    """
    One check.

    Attributes:
        name: what its lines are called.
        question: asks it; may find nothing to say.
        needs: the checks without whose success it has no sense.
    """

    name: str
    question: Callable[[Subject], Iterable[Line]]
    needs: tuple[str, ...] = ()


CHECKS = (
    Check("secret", secret.there),
    Check("owner", secret.owner),
    Check("pending", secret.pending),
    Check("resource policy", secret.policy),
    Check("encryption", secret.encryption),
    Check("value", value.shape, ("secret",)),
    Check("strategy", value.strategy, ("value",)),
    Check("password", value.password, ("strategy",)),
    Check("server", target.reachable, ("value",)),
    Check("current", target.opens, ("server",)),
    Check("admin", target.admin, ("strategy", "current")),  # law 5
    Check("rights", target.rights, ("current", "admin")),
    Check("keys", keys.room, ("current",)),
    Check("function", function.there),
    Check("permission", function.invocable, ("function",)),
    Check("network", network.ways, ("function",)),
    Check("schedule", schedule.rules),
)


def checked(subject: Subject) -> Iterator[Line]:
    """
    Ask everything, and yield a line as soon as it is known.

    Example:
        >>> [line.name for line in checked(subject) if line.answer is Answer.FAILED]
        ['permission']
    """
    bad: set[str] = set()
    for check in CHECKS:
        waits = next((name for name in check.needs if name in bad), "")
        found = [not_asked(f"it depends on what failed or is not known: {waits}")] if waits else _asked(check, subject)
        if any(line.answer in {Answer.FAILED, Answer.NOT_ASKED} for line in found):
            bad.add(check.name)
        hidden = subject.rotation.hidden()
        for line in found:
            yield replace(line, name=check.name, text=scrub(line.text, hidden), remedy=scrub(line.remedy, hidden))


def _asked(check: Check, subject: Subject) -> list[Line]:
    with ExitStack() as during:
        during.enter_context(subject.as_function())
        during.enter_context(telemetry.reporting(subject.heard))
        during.enter_context(running(Deadline(LONGEST)))
        subject.store.denied = ""
        subject.heard.take()
        problem: RotatorsError
        try:
            return list(check.question(subject))
        except NotAsked as error:
            return [not_asked(str(error))]
        except RotatorsError as error:
            problem = error
        except Exception as error:  # noqa: BLE001 - of a rotator of somebody's own
            problem = stranger(error, subject.rotation.hidden())
        if subject.store.denied and isinstance(problem, ConfigurationError):
            return [not_asked(subject.store.denied)]
        return [not_asked(str(problem)) if isinstance(problem, StoreUnavailable) else failed(str(problem))]
