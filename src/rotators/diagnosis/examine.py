"""
``examine``: reads a secret, and logs in as seldom as will do.

What is asked: AWSCURRENT; AWSPENDING, if it is for the same target (law 5); the admin. AWSPREVIOUS only where AWSCURRENT does
not open, or where a refusal can't lock anybody out; versions without a label only where nothing else opens. Where AWSCURRENT
is not reached, nothing else is tried at the same door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rotators.diagnosis.answer import Answer, Kind
from rotators.diagnosis.examination import Examination
from rotators.diagnosis.held import Held, for_people
from rotators.diagnosis.room import Room
from rotators.diagnosis.rotator_for import rotator_for
from rotators.diagnosis.target import Target
from rotators.errors import RotatorsError, SecretError, scrub
from rotators.rotator import BROKEN
from rotators.store import SecretStore

if TYPE_CHECKING:
    from rotators.diagnosis.version import Version
    from rotators.secret import Secret

#: How many versions without a label are tried: each may be a failed login. `deep` tries as many as setSecret would.
LOOSE, DEEP = 3, 10


def examine(secret_id: str, client: Any, *, handler: str = "", deep: bool = False) -> Examination:
    """
    Examine a secret; nothing is changed.

    Args:
        secret_id: its name or ARN.
        client: an operator's boto3 ``secretsmanager`` client.
        handler: of a rotator of one's own: ``package.module.attribute``.
        deep: ask AWSPREVIOUS and up to `DEEP` versions without a label as well, whatever opens.

    Raises:
        RotatorsError: the secret can't be read, or no rotator is for it.
    """
    store = SecretStore(client)
    held = Held.read(secret_id, client, store)
    found = Examination(held, deep=deep, notes=held.notes)
    current = held.current
    if held.about.deleted or current is None or current.value is None:
        return found
    rotator, found.malformed = None, ""
    try:
        rotator = rotator_for(current.value, store, handler=handler)
    except SecretError as error:
        found.malformed = str(error)
    if rotator is None:
        rotator = _by_another(held, store)
        current.answer = Answer(Kind.MALFORMED, said=_malformed(current.value, found.malformed))
        if rotator is None and not _was_json(current.value):
            raise SecretError(found.malformed)
    if rotator is not None:
        found.target = Target(rotator, held, store)
        _ask(found, found.target, store)
        found.notes += found.asked.notes
    return found


def _ask(found: Examination, target: Target, store: SecretStore) -> None:
    current, pending, previous = found.held.current, found.held.pending, found.held.previous
    assert current is not None  # noqa: S101 - for the type checker
    if current.answer.kind is Kind.UNASKED:
        _one(found, target, current)
    if current.answer.kind is Kind.UNREACHABLE:
        for version in (pending, previous):
            if version is not None and version.value is not None:
                version.answer = Answer(Kind.UNASKED, said="the target was not reached")
        return
    if pending is not None and pending.value is not None:
        _pending(found, target, pending)
    if previous is not None and previous.value is not None:
        _previous(found, target, previous)
    _admin(found, target)
    opens = any(version.works for version in found.held.versions) or (found.admin is not None and found.admin.works)
    if found.deep or not opens:
        _loose(found, target, store)
    if target.is_keys:
        _room(found, target)


def _pending(found: Examination, target: Target, pending: Version) -> None:
    current = found.held.current
    if current is not None and current.answer.kind is Kind.MALFORMED:
        pending.answer = Answer(Kind.UNASKED, said="AWSCURRENT does not say what it must be for (law 5)")
        return
    assert pending.value is not None  # noqa: S101 - for the type checker
    pending.answer = target.elsewhere(pending.id) or found.asked.of(
        target.rotator, pending.value, hidden=found.held.hidden
    )


def _previous(found: Examination, target: Target, previous: Version) -> None:
    """Where another opens, a refusal would be a failed login for nothing; a pair's other user and a key can't be locked out."""
    opens = any(version.works for version in found.held.versions)
    if found.deep or not opens or target.is_keys or target.pair:
        _one(found, target, previous)
    else:
        previous.answer = Answer(Kind.UNASKED, said="another opens, and a refusal would be a failed login: --deep asks")


def _one(found: Examination, target: Target, version: Version) -> None:
    """Ask one version, if it is for the same target as AWSCURRENT."""
    assert version.value is not None  # noqa: S101 - for the type checker
    current = found.held.current
    if current is not None and version is not current and current.answer.kind is not Kind.MALFORMED:
        against = target.fits(version.value)
        if against is not None:
            version.answer = against
            return
    version.answer = found.asked.of(target.rotator, version.value, hidden=found.held.hidden)


def _loose(found: Examination, target: Target, store: SecretStore) -> None:
    """Ask versions without a label, the newest first, until one opens."""
    most = DEEP if found.deep else LOOSE
    for version in found.held.loose[:most]:
        try:
            version.value = found.held.value(version, store)
        except RotatorsError as error:
            found.notes.append(f"version {version.id} can't be read: {for_people(error)}")
            continue
        if version.value is not None:
            _one(found, target, version)
        if version.works and not found.deep:
            return
    left = len(found.held.loose) - most
    if left > 0:
        found.notes.append(
            f"{left} more versions without a label were not asked{'' if found.deep else ': --deep asks more'}"
        )


def _admin(found: Examination, target: Target) -> None:
    found.admins_secret = target.admins_secret
    if not found.admins_secret:
        return
    admin, problem = target.admin()
    if admin is None:
        found.admin = Answer(
            Kind.UNREACHABLE,
            "unreadable",
            scrub(problem, found.held.hidden).replace("the function's role", "your role"),
        )
    else:
        found.admin = target.admin_answer(admin, found.asked)


def _room(found: Examination, target: Target) -> None:
    try:
        found.room = Room.of(target)
    except RotatorsError as error:
        found.notes.append(f"the keys can't be listed: {scrub(for_people(error), found.held.hidden)}")


def _by_another(held: Held, store: SecretStore) -> Any:
    """Return the rotator of another version, where the current value does not say what it is for."""
    for version in (held.previous, held.pending):
        if version is not None and version.value is not None:
            try:
                return rotator_for(version.value, store)
            except SecretError:
                continue
    return None


def _was_json(value: Secret) -> bool:
    """Say whether a value without keys was meant to have some: more likely a slip than a credential."""
    try:
        return value.text.lstrip().startswith(BROKEN)
    except SecretError:
        return False


def _malformed(value: Secret, otherwise: str) -> str:
    if not _was_json(value):
        return otherwise
    try:
        value.keyed()
    except SecretError as error:
        return str(error)
    return otherwise
