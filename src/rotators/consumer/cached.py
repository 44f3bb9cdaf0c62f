"""``CachedSecret``: a cached value that is right at rotation."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from rotators.consumer import kept
from rotators.consumer.kept import Kept, log
from rotators.consumer.refused import is_refusal
from rotators.errors import RotatorsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rotators.consumer.version import SecretVersion

    Found = TypeVar("Found")

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
        self._kept, self._patience = Kept(secret_id, max_age, pending=pending, client=client), patience
        self._tasks: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Task[Any]]] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"CachedSecret({self.secret_id!r})"

    def get(self) -> SecretVersion:
        """
        Return the value that is kept, or read it: one thread does, the others have the old value, or wait for the first.

        An old value is returned for 5 s more while Secrets Manager can't be asked.

        Raises:
            SecretUnreadable, ConfigurationError: as `get_secret`, for all who waited.
        """
        fresh = self._kept.fresh()
        return self._kept.get() if fresh is None else fresh

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
        began = time.monotonic()
        end = began + max(self._patience, kept.EVERY)  # one read is always allowed
        known = "AWSCURRENT" in refused.stages and self._kept.given_up(refused)
        if "AWSCURRENT" not in refused.stages:  # it stood in for AWSCURRENT, to which the way leads back
            self._kept.give_up(refused)
        while True:
            other, pause = self._kept.other(refused, began, kept.STOPGAP if known else kept.EVERY)
            if other is not None:
                log.info("%s: version %s was refused, trying %s", self.secret_id, refused.version, other.version)
                return other
            if known:
                return None
            left = end - time.monotonic()
            if left <= 0:
                break
            time.sleep(max(0.01, min(pause, left)))
        told = self._kept.given_up(refused)
        self._kept.give_up(refused)
        if not told:  # a line, and not one of each of a thousand threads
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
        fresh = self._kept.fresh()
        return await self._once("", self._kept.get) if fresh is None else fresh

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
                except RotatorsError as unread:
                    error.add_note(f"and its secret could not be read anew: {unread}")
                if following is None:
                    raise
            version, tries = following, tries + 1

    def _following(self, error: Exception, version: SecretVersion) -> SecretVersion | None:
        try:
            return self.after(version)
        except RotatorsError as unread:
            error.add_note(f"and its secret could not be read anew: {unread}")
            return None

    async def _once(self, key: str, function: Callable[[], Any]) -> Any:
        tasks = self._tasks.setdefault(asyncio.get_running_loop(), {})
        task = tasks.get(key)
        if task is None:
            task = tasks[key] = asyncio.ensure_future(asyncio.to_thread(function))
            task.add_done_callback(lambda done: self._done(tasks, key, done))
        return await asyncio.shield(task)  # one task's cancellation must not end the wait of the others

    @staticmethod
    def _done(tasks: dict[str, asyncio.Task[Any]], key: str, done: asyncio.Task[Any]) -> None:
        tasks.pop(key, None)
        if not done.cancelled():
            done.exception()  # whoever waited may be cancelled: then it is nobody's, and asyncio is not to complain
