"""``Kept``: what is known of a secret now, read anew by one thread for all that wait."""

from __future__ import annotations

import logging
import os
import threading
import time
from copy import copy
from typing import TYPE_CHECKING, Any

from rotators.consumer.errors import SecretNotFound, SecretUnreadable
from rotators.consumer.reading import get_secret
from rotators.deadline import Deadline, current, running
from rotators.errors import RotatorsError

if TYPE_CHECKING:
    from rotators.consumer.cache import Cache
    from rotators.consumer.version import SecretVersion

log = logging.getLogger("rotators.consumer")

#: Seconds between two reads of one secret that refusals bring about.
EVERY = 0.25
#: Seconds a value is kept that stands in for another: AWSPENDING, or an old one while Secrets Manager does not answer.
STOPGAP = 5
#: Seconds a read may take while an old value is at hand.
HURRY = 3.0
#: Seconds in which a version that was waited for in vain is not waited for again.
VAIN = 30.0


class Kept:
    """
    The value of one secret, and when it may be read again.

    Args:
        secret_id: name or ARN.
        max_age: seconds a value is kept; None for ``POWERTOOLS_PARAMETERS_MAX_AGE``, or 300.
        pending: whether AWSPENDING is read when AWSCURRENT is refused.
        client: a boto3 client, or None for one of our own.
    """

    def __init__(self, secret_id: str, max_age: int | None, *, pending: bool, client: Any) -> None:
        self._secret_id, self._max_age, self._pending, self._client = secret_id, max_age, pending, client
        self._locks: dict[int, threading.Lock] = {}
        self._made: Cache | None = None
        self._asked = self._failed = float("-inf")
        self._failure: RotatorsError | None = None
        self._vain: dict[str, float] = {}

    def fresh(self) -> SecretVersion | None:
        """Return the value, if its time is not up."""
        return None if self._made is None else self._made.fresh()

    def get(self) -> SecretVersion:
        """Return the value, or read it: one thread does, and the others have the old one, or wait where there is none."""
        began, old, lock = time.monotonic(), None if self._made is None else self._made.last(), self._lock
        if not lock.acquire(blocking=old is None) and old is not None:
            return old
        try:
            fresh = self.fresh()
            if fresh is not None:
                return fresh
            self._share_failure(began)
            return self._fetch()
        finally:
            lock.release()

    def other(self, refused: SecretVersion, began: float, pace: float) -> tuple[SecretVersion | None, float]:
        """
        Find another version than the refused one, with at most a read of each label.

        Args:
            refused: what the server said no to.
            began: since when the caller waits, by the monotonic clock.
            pace: seconds between two reads.

        Returns:
            It, or None; and the seconds until a read is due.
        """
        with self._lock:
            return self._other(refused, began, pace), self._asked + pace - time.monotonic()

    def give_up(self, version: SecretVersion) -> None:
        """Remember that a version was refused, and waited for in vain."""
        self._vain[version.version] = time.monotonic() + VAIN

    def given_up(self, version: SecretVersion) -> bool:
        """Say whether that is remembered."""
        return self._vain.get(version.version, float("-inf")) > time.monotonic()

    @property
    def _lock(self) -> threading.Lock:
        """Return this process's: a forked one would wait for ever for a thread of its parent's that was reading."""
        return self._locks.setdefault(os.getpid(), threading.Lock())

    @property
    def _cache(self) -> Cache:
        if self._made is None:
            from rotators.consumer.cache import Cache  # noqa: PLC0415 - Powertools' parameters load boto3

            self._made = Cache(lambda: get_secret(self._secret_id, client=self._client), self._max_age)
        return self._made

    def _share_failure(self, since: float) -> None:
        """Raise what the read came to that this thread waited for, so that a thousand do not each make it again."""
        if self._failure is not None and self._failed > since:
            raise copy(self._failure)

    def _other(self, refused: SecretVersion, began: float, pace: float) -> SecretVersion | None:
        last = self._cache.last()
        if last is not None and last.version != refused.version:
            return last
        try:
            if time.monotonic() - self._asked < pace:
                self._share_failure(began)
                return None
            found = self._fetch()
        except RotatorsError as error:
            if error.retryable:
                return None
            raise
        if found.version == refused.version and self._pending:
            pending = self._read_pending()
            self._asked = time.monotonic()
            found = found if pending is None else pending  # not by its truth: a plain string has no length
        return None if found.version == refused.version else found

    def _fetch(self) -> SecretVersion:
        last = self._cache.last()
        try:
            with running(current() if last is None else Deadline(current().wait(HURRY))):
                return self._cache.fetch()
        except RotatorsError as error:
            if last is None or (isinstance(error, SecretUnreadable) and not error.retryable):
                self._failed, self._failure = time.monotonic(), copy(error)
                raise
            log.warning("%s: the old value is used on: %s", self._secret_id, error)
        finally:
            self._asked = time.monotonic()  # after the read: those who waited for a slow one are not to make it again
        self._cache.keep(last, STOPGAP)
        return last

    def _read_pending(self) -> SecretVersion | None:
        """Read AWSPENDING, for a while in AWSCURRENT's place: if it opens, it is what AWSCURRENT is about to be."""
        try:
            with running(Deadline(current().wait(HURRY))):
                found = get_secret(self._secret_id, stage="AWSPENDING", client=self._client)
        except SecretNotFound:
            return None
        except RotatorsError as error:
            log.warning("%s: AWSPENDING was not read: %s", self._secret_id, error)
            return None
        if self.given_up(found):
            return None
        self._cache.keep(found, STOPGAP)
        return found
