"""Whether the value has the form that its rotator needs, which strategy it gets, and what its passwords will look like."""

from __future__ import annotations

import string
from math import log2
from typing import TYPE_CHECKING

from rotators.abc import Accepts
from rotators.diagnosis.beforehand.line import Line, failed, passed, warned
from rotators.engine_rotator import DISCARD_TAG, EngineRotator, discards_old
from rotators.engines.iam import AccessKeyRotator
from rotators.engines.iam.access_key import AccessKey
from rotators.engines.iam.authority import TAG as AUTHORITY_TAG
from rotators.engines.iam.room import TAG as UNUSED_TAG
from rotators.key_rotator import ADOPT_TAG, KeyRotator
from rotators.passwords import EXCLUDE_TAG, LENGTH_TAG
from rotators.strategies import TAG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.diagnosis.beforehand.subject import Subject
    from rotators.passwords import PasswordPolicy

TAGS = frozenset({TAG, DISCARD_TAG, LENGTH_TAG, EXCLUDE_TAG, ADOPT_TAG, UNUSED_TAG, AUTHORITY_TAG})
#: Bits below which a password can be guessed by who has its verifier. Source: NIST SP 800-131A, security strength.
BITS = 112


def shape(subject: Subject) -> Iterator[Line]:
    """It is for a rotator, and has the keys that this one needs."""
    rotator, current = subject.rotator, subject.rotation.current
    if isinstance(rotator, EngineRotator):
        rotator.engine_of(current).resource(current)
    elif isinstance(rotator, KeyRotator):
        rotator.provider_of(current).resource(current)
    elif isinstance(rotator, AccessKeyRotator):
        AccessKey.of(current)
    keys = "one string or bytes" if current.plain else f"keys {', '.join(current)}"
    yield passed(f"{keys}: for {type(rotator).__name__}")


def strategy(subject: Subject) -> Iterator[Line]:
    """Its engine, strategy and tags are ones that there are, and the next user's name fits."""
    rotator, rotation = subject.rotator, subject.rotation
    unknown = sorted(key for key in rotation.about.tags if key.startswith("rotators:") and key not in TAGS)
    if unknown:
        yield warned(f"tags that mean nothing: {', '.join(unknown)}", f"those there are: {', '.join(sorted(TAGS))}")
    if isinstance(rotator, KeyRotator):
        provider = rotator.provider_of(rotation.current)
        how = "is told a key that we make" if isinstance(provider, Accepts) else "issues its keys itself"
        yield passed(f"{provider.name}, which {how}")
        return
    if not isinstance(rotator, EngineRotator):
        yield passed("the rotator's own")
        return
    engine, chosen = rotator.engine_of(rotation.current), rotator.strategy_of(rotation)
    identity = chosen.next(rotation.current)
    engine.resource(identity)
    discards_old(rotation.about)
    who = identity.get("username")
    yield passed(f"engine {engine.name}, strategy {chosen.name}: the next value's user is {who!r}")


def password(subject: Subject) -> Iterator[Line]:
    """What GetRandomPassword is asked for can be had, can't be guessed, and breaks no URL."""
    rotator, rotation = subject.rotator, subject.rotation
    usual = ""
    if isinstance(rotator, EngineRotator):
        usual = getattr(rotator.engine_of(rotation.current), "exclude_characters", "")
    elif isinstance(rotator, AccessKeyRotator) or (
        isinstance(rotator, KeyRotator) and not isinstance(rotator.provider_of(rotation.current), Accepts)
    ):
        return  # AWS, or the provider, makes them
    policy = rotator.password_policy(rotation)
    kinds = _kinds(policy)
    alphabet = set().union(*kinds.values())
    empty = [name for name, characters in kinds.items() if not characters]
    help_ = "the tags rotators:password-length and rotators:exclude-characters, or PASSWORD_LENGTH and EXCLUDE_…"
    if not alphabet:
        yield failed("no character is left for a password", help_)
        return
    if policy.require_each_included_type and (empty or policy.length < len(kinds)):
        short = f"{policy.length} characters can't hold one of each of {', '.join(kinds)}"
        yield failed(f"of each kind one is wanted, and {f'all {empty[0]} are excluded' if empty else short}", help_)
        return
    bits = policy.length * log2(len(alphabet))
    said = f"{policy.length} characters out of {len(alphabet)}, {bits:.0f} bits"
    odd = "".join(sorted(set(usual) & alphabet))
    if bits < BITS:
        yield warned(f"{said}: it can be guessed by who gets hold of what the server stores", help_)
    if odd:
        yield warned(f"{said}; it may hold {odd} , which break connection URLs and shells", help_)
    if bits >= BITS and not odd:
        yield passed(said)


def _kinds(policy: PasswordPolicy) -> dict[str, set[str]]:
    """Return the characters of each kind that is included. Source: API reference, GetRandomPassword."""
    kinds = {
        "numbers": (string.digits, policy.exclude_numbers),
        "punctuation": (string.punctuation, policy.exclude_punctuation),
        "uppercase": (string.ascii_uppercase, policy.exclude_uppercase),
        "lowercase": (string.ascii_lowercase, policy.exclude_lowercase),
    }
    return {name: set(all_) - set(policy.exclude_characters) for name, (all_, out) in kinds.items() if not out}
