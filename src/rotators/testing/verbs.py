"""What a subject's secret holds, and one step at a time: the verbs of the contracts."""

from __future__ import annotations

import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from rotators import waiting
from rotators.errors import RotatorsError
from rotators.machine import AWSCURRENT, AWSPENDING, AWSPREVIOUS
from rotators.secret import Secret
from rotators.testing.context import LambdaContext, rotation_event

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator

    from rotators.machine import Step
    from rotators.testing.outcome import Outcome
    from rotators.testing.subject import Subject, Value

LABELS = (AWSCURRENT, AWSPENDING, AWSPREVIOUS)
#: Seconds that late labels are waited for in a test in which they never come, in place of `waiting.SETTLE`.
BRIEFLY = 0.5


def succeeded(outcome: Outcome) -> bool:
    """Say whether a rotation went well, in words where it did not."""
    assert outcome.succeeded, f"the rotation failed: {outcome.error}"
    return True


def begin(subject: Subject) -> str:
    """Put AWSPENDING on a new version without a value, as RotateSecret does, and return its id."""
    token = str(uuid.uuid4())
    subject.service.put_placeholder(subject.arn, token)
    return token


def step(subject: Subject, which: Step, token: str) -> None:
    """Run one step."""
    subject.handler(rotation_event(which.value, subject.arn, token), LambdaContext())


def fails(subject: Subject, which: Step, token: str) -> RotatorsError:
    """Run one step that must fail, and return how."""
    try:
        step(subject, which, token)
    except RotatorsError as error:
        return error
    raise AssertionError(f"{which.value} succeeded and should have been refused")


def together(works: list[Callable[[], None]]) -> list[BaseException]:
    """Run all at the same moment and return what they raised."""
    raised: list[BaseException] = []
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        gate.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the caller looks at it
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    return raised


def read(answer: Any) -> Value:
    """Return a value as its author wrote it: a dict, a string or bytes."""
    secret = Secret.read(answer, label="stored")
    if not secret.plain:
        return dict(secret)
    return answer.get("SecretString", answer.get("SecretBinary"))


def value(subject: Subject, label: str = AWSCURRENT) -> Value:
    """Return the value that a label is on."""
    return read(subject.service.client().get_secret_value(SecretId=subject.arn, VersionStage=label))


def labelled(subject: Subject) -> dict[str, Value]:
    """Return the values that have a label."""
    on = {label for labels in subject.service.labels(subject.arn).values() for label in labels}
    found = {}
    for label in LABELS:
        if label in on:
            try:
                found[label] = value(subject, label)
            except subject.service.client().exceptions.ResourceNotFoundException:
                continue  # a placeholder has no value yet
    return found


def stored(subject: Subject) -> Iterator[Value]:
    """Yield every value the secret holds, labelled or not: the likeliest to open first. Each is read when it is asked for."""
    client = subject.service.client()
    versions: list[Any] = []
    more: dict[str, Any] = {}
    while True:
        page = client.list_secret_version_ids(SecretId=subject.arn, IncludeDeprecated=True, MaxResults=100, **more)
        versions += page["Versions"]
        if not page.get("NextToken"):
            break
        more = {"NextToken": page["NextToken"]}
    rank = {AWSCURRENT: 0, AWSPENDING: 1}
    versions.sort(key=lambda v: str(v["CreatedDate"]), reverse=True)
    versions.sort(key=lambda v: min([rank.get(label, 2) for label in v.get("VersionStages", [])] or [2]))
    for version in versions:
        yield read(client.get_secret_value(SecretId=subject.arn, VersionId=version["VersionId"]))


@contextmanager
def nothing_to_come() -> Iterator[None]:
    """Have the steps look again (law 14) for a shorter time: what they look for is not going to be there."""
    with patch.object(waiting, "SETTLE", BRIEFLY):
        yield


def put(subject: Subject, token: str, changed: Value) -> None:
    """Store a pending value by hand."""
    subject.service.client().put_secret_value(
        SecretId=subject.arn, ClientRequestToken=token, VersionStages=[AWSPENDING], **Secret(changed).stored()
    )


def drop(subject: Subject, token: str) -> None:
    """Take AWSPENDING off."""
    subject.service.client().update_secret_version_stage(
        SecretId=subject.arn, VersionStage=AWSPENDING, RemoveFromVersionId=token
    )


def is_pending(subject: Subject) -> bool:
    """Say whether a rotation has begun and not ended."""
    return any(
        AWSPENDING in labels and AWSCURRENT not in labels for labels in subject.service.labels(subject.arn).values()
    )


def secrets(held: Value) -> set[str]:
    """Return what no text may show of a value (law 9)."""
    return Secret(held).hidden()


def text(record: logging.LogRecord) -> str:
    """Return all that a log record says."""
    return f"{record.getMessage()} {record.__dict__!r}"
