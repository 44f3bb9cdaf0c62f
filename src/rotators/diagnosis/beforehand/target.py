"""Whether the target can be reached from here, what opens it, and whether who is to make the change has the rights for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rotators.abc import Foresees
from rotators.diagnosis.beforehand.line import Line, failed, not_asked, passed, warned
from rotators.engine_rotator import EngineRotator
from rotators.engines.iam import AccessKeyRotator
from rotators.engines.iam.access_key import AccessKey
from rotators.engines.iam.user import owner
from rotators.errors import ConfigurationError, CredentialRejected, RotatorsError, SecretError, TargetUnreachable
from rotators.key_rotator import KeyRotator
from rotators.machine import AWSCURRENT
from rotators.strategies import LAST_RESORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.abc import Obstacle
    from rotators.diagnosis.beforehand.subject import Subject
    from rotators.secret import Secret

HERE = "asked from this machine; the function's network may be another"
STORE = "store the one that works: aws secretsmanager put-secret-value --secret-id "


def reachable(subject: Subject) -> Iterator[Line]:
    """It answers, by the engine's own test. A refused credential is an answer; who sees to that is `opens`."""
    current = subject.rotation.current
    try:
        _test(subject, current)
    except TargetUnreachable as error:
        yield failed(f"{error.cause}: {error}", HERE)
        return
    except ConfigurationError as error:  # a driver or a CA bundle that is missing here, and not there
        yield not_asked(str(error))
        return
    except RotatorsError as error:
        subject.refused = error
    where = f"{current['host']} answers" if not current.plain and current.get("host") else "it answers"
    yield passed(f"{where} ({HERE})")
    for warning in subject.heard.take():
        yield warned(warning)


def opens(subject: Subject) -> Iterator[Line]:
    """What AWSCURRENT holds is let in."""
    if subject.refused is None:
        yield passed(f"{AWSCURRENT} opens it")
    else:
        name = subject.told["Name"]
        yield failed(str(subject.refused), f"{STORE}{name}; or: rotators diagnose {name}" if _rejected(subject) else "")


def admin(subject: Subject) -> Iterator[Line]:
    """The admin's secret can be read, is for the same server, and opens it."""
    found = subject.rotation.admin
    if found is None:
        return
    rotator, rotation = subject.rotator, subject.rotation
    if isinstance(rotator, EngineRotator):
        engine = rotator.engine_of(rotation.current)
        try:
            if isinstance(engine, Foresees):
                subject.foreseen[id(found)] = list(_foreseen(subject, engine, found))
            else:
                engine.test(found)
        except CredentialRejected as error:
            yield failed(f"the admin's secret does not open it: {error}", f"{STORE}the admin's")
            return
        except SecretError as error:
            yield failed(str(error))
            return
    yield passed(
        "the admin's secret can be read, is for this server, and opens it (the function's role needs "
        "secretsmanager:GetSecretValue on it, too)"
    )


def rights(subject: Subject) -> Iterator[Line]:
    """Who is to make the change may do that; asked of the database, over a session that only reads."""
    rotator, rotation = subject.rotator, subject.rotation
    if not isinstance(rotator, EngineRotator):
        return
    engine = rotator.engine_of(rotation.current)
    if not isinstance(engine, Foresees):
        yield not_asked(
            f"the engine {engine.name} has no question for it; a rotation says what is missing, as a command"
        )
        return
    name, by = next(iter(rotator.strategy_of(rotation).authorities(rotation)))
    asked = [(name, by)]
    if rotation.admin is not None and by is not rotation.admin:
        asked.append((LAST_RESORT, rotation.admin))
    bad = False
    for title, who in asked:
        found = subject.foreseen.get(id(who))
        for obstacle in _foreseen(subject, engine, who) if found is None else found:
            bad = bad or obstacle.fatal
            fatal = obstacle.fatal and title != LAST_RESORT
            text = f"{title}: {obstacle.text}" if title == LAST_RESORT else obstacle.text
            yield (failed if fatal else warned)(text, obstacle.remedy)
    if subject.store.denied:
        yield warned(
            f"what the secret held before was not read, which may show whose a user is: {subject.store.denied}"
        )
    if not bad:
        yield passed(f"{name if name != AWSCURRENT else 'the user itself'} may make the change")


def _foreseen(subject: Subject, engine: Foresees, by: Secret) -> list[Obstacle]:
    rotator, rotation = subject.rotator, subject.rotation
    assert isinstance(rotator, EngineRotator)  # noqa: S101 - for the types: both callers have seen to it
    identity = rotator.strategy_of(rotation).next(rotation.current)
    return list(engine.foresee(identity, by=by, like=rotation.current, known=rotation.older()))


def _test(subject: Subject, current: Secret) -> None:
    rotator = subject.rotator
    if isinstance(rotator, KeyRotator):  # a key that was issued long ago is not waited for
        rotator.provider_of(current).test(current)
    elif isinstance(rotator, AccessKeyRotator):
        subject.iam_user = owner(AccessKey.of(current), title=f"the key of {AWSCURRENT}")
    else:
        rotator.test(current)


def _rejected(subject: Subject) -> bool:
    return isinstance(subject.refused, CredentialRejected)
