"""The secrets of one account in one Region, and what reads may see of them."""

from __future__ import annotations

import copy
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rotators.testing.journal import Event, Journal
from rotators.testing.records import Record, secret_arn
from rotators.testing.service_error import marked_for_deletion, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rotators.testing.state import State


class _Lock:
    """A lock whose holder, before letting go of it at last, settles what it did."""

    def __init__(self, settle: Callable[[], None]) -> None:
        self._lock, self._settle, self._depth = threading.RLock(), settle, 0

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        try:
            if self._depth == 1:
                self._settle()
        finally:
            self._depth -= 1
            self._lock.release()


@dataclass(slots=True)
class _Late:
    """A write that reads do not see yet."""

    record: Record
    reads_left: int
    visible_at: float


@dataclass(slots=True)
class _View:
    """What reads see of a secret whose last writes are late."""

    shown: Record
    late: deque[_Late] = field(default_factory=deque)


class Account:
    """Finds secrets, and makes reads lag behind writes if asked to. Every use of it holds `lock`.

    Where there is a `state`, whatever was done under the lock is kept there before the lock is free: before an answer.
    """

    def __init__(self, region: str, account: str, clock: Callable[[], float], state: State | None = None) -> None:
        self.region = region
        self.account = account
        self._prefix = f"arn:aws:secretsmanager:{region}:{account}:secret:"  # and a name, and a suffix
        self.clock = clock
        self.lock = _Lock(self._keep)
        self.journal = Journal()
        self.lag_reads = 0
        self.lag_seconds = 0.0
        self.strict_rotation_token = True
        self._state = state
        self._touched: set[str] = set()  # ARNs of what may have changed since it was kept
        self._records: dict[str, Record] = {record.arn: record for record in (state.records() if state else ())}
        self._arns: dict[str, str] = {record.name: record.arn for record in self._records.values()}
        self._views: dict[str, _View] = {}

    def create(self, name: str) -> Record:
        """A new secret, visible at once: only later changes lag."""
        now = self.clock()
        record = Record(name, secret_arn(self.region, self.account, name), now, now)
        self._records[record.arn], self._arns[name] = record, record.arn
        self._touched.add(record.arn)
        return record

    def purge(self, record: Record) -> None:
        """Forget a secret and all of its versions."""
        self._records.pop(record.arn, None)
        self._arns.pop(record.name, None)
        self._views.pop(record.arn, None)
        self._touched.add(record.arn)

    def _keep(self) -> None:
        touched, self._touched = self._touched, set()
        if self._state is not None and touched:
            changed = [self._records[arn] for arn in touched if arn in self._records]
            try:
                self._state.keep(changed, touched - self._records.keys())
            except BaseException:  # a full disk: nothing is answered until what is remembered is kept too
                self._touched |= touched
                raise

    def records(self) -> list[Record]:
        """All secrets, without those whose recovery window is over."""
        now = self.clock()
        for record in list(self._records.values()):
            if record.deletion is not None and record.deletion <= now:
                self.purge(record)
        return list(self._records.values())

    def lookup(self, secret_id: str) -> Record | None:
        """By ARN, by ARN without the random suffix (User Guide, "Finding a secret from a partial ARN"), or by name."""
        if secret_id in self._records:
            return self._unless_gone(secret_id)
        arn = self._arns.get(secret_id.removeprefix(self._prefix))
        return self._unless_gone(arn) if arn is not None else None

    def named(self, name: str) -> Record | None:
        """By name alone."""
        arn = self._arns.get(name)
        return self._unless_gone(arn) if arn is not None else None

    def _unless_gone(self, arn: str) -> Record | None:
        record = self._records[arn]
        if record.deletion is not None and record.deletion <= self.clock():
            self.purge(record)
            return None
        self._touched.add(arn)
        return record

    def find(self, secret_id: str) -> Record:
        """The truth, for operations that also work on a secret marked for deletion."""
        record = self.lookup(secret_id)
        if record is None:
            raise not_found()
        return record

    def live(self, secret_id: str) -> Record:
        """The truth about a secret that may be changed."""
        record = self.find(secret_id)
        if record.deletion is not None:
            raise marked_for_deletion()
        return record

    def seen(self, secret_id: str) -> Record:
        """What a read sees: the truth, or as much of it as has become visible."""
        record = self.find(secret_id)
        view = self._views.get(record.arn)
        if view is None:
            return record
        now = self.clock()
        while view.late and view.late[0].reads_left <= 0 and view.late[0].visible_at <= now:
            view.shown = view.late.popleft().record
        if not view.late:
            del self._views[record.arn]
            return record
        for late in view.late:
            late.reads_left -= 1
        return view.shown

    @contextmanager
    def writing(self, record: Record) -> Iterator[float]:
        """A change of a secret; yields its time. Late for reads if the account lags, invisible if it raises."""
        now = self.clock()
        lags = self.lag_reads > 0 or self.lag_seconds > 0
        before = copy.deepcopy(record) if lags and record.arn not in self._views else None
        yield now
        record.changed = now
        self._touched.add(record.arn)
        if not lags:
            self._views.pop(record.arn, None)
            return
        if before is not None:
            self._views[record.arn] = _View(before)
        late = _Late(copy.deepcopy(record), self.lag_reads, now + self.lag_seconds)
        self._views[record.arn].late.append(late)

    def report(self, name: str, record: Record, version: str, reason: str | None = None) -> None:
        """Note a service event."""
        self.journal.events.append(Event(name, record.arn, version, reason))
