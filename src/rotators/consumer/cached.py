"""``CachedSecret``: a cached value that is right at rotation."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from rotators.consumer.errors import SecretNotFound, SecretUnreadable
from rotators.consumer.reading import get_secret
from rotators.consumer.refused import is_refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rotators.consumer.cache import Cache
    from rotators.consumer.version import SecretVersion

    Found = TypeVar("Found")

log = logging.getLogger("rotators.consumer")

#: Seconds between two reads of one secret that refusals bring about.
EVERY = 0.25
#: Seconds a value is kept that stands in for another: AWSPENDING, or an old one while Secrets Manager does not answer.
STOPGAP = 5
#: Seconds in which a version that was waited for in vain is not waited for again.
VAIN = 30.0
#: An operation is tried with at most so many versions: AWSCURRENT, AWSPENDING, and what AWSCURRENT is then.
TRIES = 3


class CachedSecret:
    """
    A secret that is read once in a while, and at once when a server refuses what is kept.

    The value is kept by Powertools' parameters. When it is refused, AWSCURRENT is read anew, once for all threads and tasks that
    wait. If it is another version, that one is tried. If it is the same, the secret is just being rotated (one user, one
    password: between the change and the move of the label AWSCURRENT does not open): then AWSPENDING is tried where `pending`
    allows it, or else the label is waited for. A version that stays refused is reported as the driver reported it, and is not
    waited for again for 30 s.

    Args:
        secret_id: name or ARN.
        max_age: seconds a value is kept; by default ``POWERTOOLS_PARAMETERS_MAX_AGE``, or 300.
        pending: read AWSPENDING when AWSCURRENT is refused. The role needs the right to, if its policy has a condition on
            ``secretsmanager:VersionStage``.
        patience: seconds to wait for AWSCURRENT to move, when it is refused and nothing else is known.
        client: a boto3 ``secretsmanager`` client, by default one made late from the environment.

    Example:
        >>> secret = CachedSecret("shop/app")
        >>> secret.use(lambda version: log_in(version["username"], version["password"]))
    """

    def __init__(
        self,
        secret_id: str,
        *,
        max_age: int | None = None,
        pending: bool = False,
        patience: float = 5.0,
        client: Any = None,
    ) -> None:
        self.secret_id = secret_id
        self._max_age, self._pending, self._patience, self._client = max_age, pending, patience, client
        self._lock = threading.Lock()
        self._made: Cache | None = None
        self._asked = float("-inf")
        self._vain: dict[str, float] = {}
        self._tasks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Task[Any]]] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"CachedSecret({self.secret_id!r})"

    def get(self) -> SecretVersion:
        """
        Return the value that is kept, or read it: one thread does, the others wait for it.

        An old value is returned for 5 s more while Secrets Manager can't be asked.

        Raises:
            SecretUnreadable, ConfigurationError: as `get_secret`.
        """
        kept = self._made and self._made.fresh()
        if kept:
            return kept
        with self._lock:
            return self._cache.fresh() or self._fetch()

    def after(self, refused: SecretVersion) -> SecretVersion | None:
        """
        Return what to try now that a version was refused. Waits up to `patience` seconds.

        Args:
            refused: what the server said no to.

        Returns:
            Another version; the same, for one last try; or None, when it was waited for in vain already.

        Raises:
            SecretUnreadable, ConfigurationError: as `get_secret`, but for what may pass.
        """
        end = time.monotonic() + max(self._patience, EVERY)  # one read is always allowed
        known = self._given_up(refused.version)
        while True:
            with self._lock:
                other = self._other(refused)
                pause = self._asked + EVERY - time.monotonic()
            if other is not None:
                log.info("%s: version %s was refused, trying %s", self.secret_id, refused.version, other.version)
                return other
            if known or time.monotonic() >= end:
                break
            time.sleep(max(0.01, min(pause, end - time.monotonic())))
        if known:
            return None
        self._vain[refused.version] = time.monotonic() + VAIN
        log.warning("%s: version %s is refused, and no other came in time", self.secret_id, refused.version)
        return refused

    def use(
        self, attempt: Callable[[SecretVersion], Found], refused: Callable[[Exception], bool] = is_refusal
    ) -> Found:
        """
        Do something that needs the credential, and once more with what is right when the credential is refused.

        Args:
            attempt: is given the version; logs in, or makes a request.
            refused: whether what `attempt` raised is a refusal of the credential.

        Returns:
            What `attempt` returned.

        Raises:
            Exception: what `attempt` raised, where it was no refusal or nothing helped.
        """
        version, tries = self.get(), 1
        while True:
            try:
                return attempt(version)
            except Exception as error:
                following = self._following(error, version) if tries < TRIES and refused(error) else None
                if following is None:
                    raise
            version, tries = following, tries + 1

    async def get_async(self) -> SecretVersion:
        """Return as `get` does; one read, in a thread, for all tasks that wait."""
        kept = self._made and self._made.fresh()
        return kept or await self._once("", self.get)

    async def after_async(self, refused: SecretVersion) -> SecretVersion | None:
        """Return as `after` does; one thread waits for all tasks whose version was refused."""
        found: SecretVersion | None = await self._once(refused.version, lambda: self.after(refused))
        return found

    async def use_async(
        self, attempt: Callable[[SecretVersion], Awaitable[Found]], refused: Callable[[Exception], bool] = is_refusal
    ) -> Found:
        """Do as `use` does, with an `attempt` that is awaited."""
        version, tries = await self.get_async(), 1
        while True:
            try:
                return await attempt(version)
            except Exception as error:
                if tries == TRIES or not refused(error):
                    raise
                following = None
                try:
                    following = await self.after_async(version)
                except SecretUnreadable as unread:
                    error.add_note(f"and its secret could not be read anew: {unread}")
                if following is None:
                    raise
            version, tries = following, tries + 1

    def _following(self, error: Exception, version: SecretVersion) -> SecretVersion | None:
        try:
            return self.after(version)
        except SecretUnreadable as unread:
            error.add_note(f"and its secret could not be read anew: {unread}")
            return None

    async def _once(self, key: str, function: Callable[[], Any]) -> Any:
        tasks = self._tasks.setdefault(asyncio.get_running_loop(), {})
        task = tasks.get(key)
        if task is None:
            task = tasks[key] = asyncio.ensure_future(asyncio.to_thread(function))
            task.add_done_callback(lambda _: tasks.pop(key, None))
        return await asyncio.shield(task)  # one task's cancellation must not end the wait of the others

    @property
    def _cache(self) -> Cache:
        if self._made is None:
            from rotators.consumer.cache import Cache  # noqa: PLC0415 - Powertools' parameters load boto3

            self._made = Cache(lambda: get_secret(self.secret_id, client=self._client), self._max_age)
        return self._made

    def _given_up(self, version: str) -> bool:
        return self._vain.get(version, float("-inf")) > time.monotonic()

    def _other(self, refused: SecretVersion) -> SecretVersion | None:
        """Find another version than the refused one, with the lock held and at most a read of each label."""
        kept = self._cache.last()
        if kept is not None and kept.version != refused.version:
            return kept
        pace = EVERY if not self._given_up(refused.version) else STOPGAP
        if time.monotonic() - self._asked < pace:
            return None
        try:
            found = self._fetch()
        except SecretUnreadable as error:
            if error.retryable:
                return None
            raise
        if found.version == refused.version and self._pending:
            found = self._read_pending() or found
        return None if found.version == refused.version else found

    def _fetch(self) -> SecretVersion:
        last = self._cache.last()
        self._asked = time.monotonic()
        try:
            return self._cache.fetch()
        except SecretUnreadable as error:
            if last is None or not error.retryable:
                raise
            log.warning("%s: the old value is used on: %s", self.secret_id, error)
        self._cache.keep(last, STOPGAP)
        return last

    def _read_pending(self) -> SecretVersion | None:
        """Read AWSPENDING, for a while in AWSCURRENT's place: if it opens, it is what AWSCURRENT is about to be."""
        try:
            found = get_secret(self.secret_id, stage="AWSPENDING", client=self._client)
        except SecretNotFound:
            return None
        except SecretUnreadable as error:
            log.warning("%s: AWSPENDING was not read: %s", self.secret_id, error)
            return None
        if self._given_up(found.version):
            return None
        self._cache.keep(found, STOPGAP)
        return found
