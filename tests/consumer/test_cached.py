"""CachedSecret: which version is tried after a refusal, and how many reads that costs."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from rotators.consumer import AccessDenied, SecretNotFound, SecretUnreadable, SecretVersion, cached
from tests.consumer.test_reading import answered

if TYPE_CHECKING:
    from tests.consumer.conftest import Versions


class Refused(Exception):
    pass


class Door:
    """Opens for some keys, and remembers which were tried."""

    def __init__(self, *keys: str) -> None:
        self.keys, self.tried = set(keys), list[str]()

    def __call__(self, version: SecretVersion) -> str:
        self.tried.append(version["key"])
        if version["key"] not in self.keys:
            raise Refused
        return str(version["key"])

    async def later(self, version: SecretVersion) -> str:
        await asyncio.sleep(0)
        return self(version)


def refused(error: Exception) -> bool:
    return isinstance(error, Refused)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "EVERY", 0.02)


def test_a_value_is_read_once_and_an_old_one_is_replaced_when_it_is_refused(versions: Versions) -> None:
    secret = versions.cached()
    assert secret.get() is secret.get()
    assert versions.reads == 1
    versions.put("two")
    time.sleep(cached.EVERY)
    door = Door("two")
    assert secret.use(door, refused) == "two"
    assert (door.tried, versions.reads) == (["one-Canary-1", "two"], 2)
    assert secret.use(door, refused) == "two"
    assert versions.reads == 2


def test_pending_is_tried_in_the_window_and_only_where_allowed(versions: Versions) -> None:
    pending = versions.put("two", "AWSPENDING")
    door = Door("two")
    with pytest.raises(Refused):
        versions.cached(patience=0.0).use(door, refused)
    assert "two" not in door.tried
    secret = versions.cached(pending=True, patience=0.0)
    assert secret.use(door, refused) == "two"
    assert secret.get().version == pending  # and the next ones are not refused first
    reads = versions.reads
    versions.promote(pending)
    assert secret.use(door, refused) == "two"
    assert versions.reads == reads


def test_a_pending_that_does_not_open_leads_back_to_current(versions: Versions) -> None:
    """setSecret put current back (law 10)."""
    versions.put("two", "AWSPENDING")
    door = Door("one-Canary-1")
    secret = versions.cached(pending=True)
    first = secret.get()
    time.sleep(cached.EVERY)
    following = secret.after(first)
    assert following is not None
    assert following["key"] == "two"
    assert secret.use(door, refused) == "one-Canary-1"


def test_the_label_is_waited_for(versions: Versions) -> None:
    pending = versions.put("two", "AWSPENDING")
    door = Door("two")
    secret = versions.cached(patience=30.0)
    first = threading.Event()

    def attempt(version: SecretVersion) -> str:
        first.set()
        return door(version)

    with ThreadPoolExecutor(1) as pool:
        opened = pool.submit(secret.use, attempt, refused)
        first.wait(10)
        versions.promote(pending)
        assert opened.result(20) == "two"
    assert door.tried == ["one-Canary-1", "two"]  # no login with what was refused, while it waits


def test_what_stays_refused_is_tried_twice_then_once_each_time_and_read_seldom(
    versions: Versions, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret, door = versions.cached(patience=0.05), Door()
    with pytest.raises(Refused):
        secret.use(door, refused)
    assert len(door.tried) == 2
    reads = versions.reads
    for _ in range(50):
        with pytest.raises(Refused):
            secret.use(door, refused)
    assert len(door.tried) == 52
    assert versions.reads <= reads + 1
    assert "is refused, and no other came in time" in caplog.text
    assert "Canary" not in caplog.text


def test_one_refresh_for_a_thousand_threads(versions: Versions) -> None:
    secret = versions.cached(patience=60.0)
    old = secret.get()
    time.sleep(cached.EVERY)
    versions.put("two")
    threading.stack_size(256 * 1024)
    gate, found = threading.Barrier(1000), list[SecretVersion | None]()

    def waiting() -> None:
        gate.wait(60)
        found.append(secret.after(old))

    threads = [threading.Thread(target=waiting) for _ in range(1000)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        threading.stack_size(0)
    assert {version and version["key"] for version in found} == {"two"}
    assert (len(found), versions.reads) == (1000, 2)


def test_one_read_for_all_who_find_it_cold(versions: Versions) -> None:
    secret, gate = versions.cached(), threading.Barrier(50)
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda _: gate.wait(30) is not None and secret.get(), range(50)))
    assert versions.reads == 1


def test_a_thousand_tasks_take_one_thread_and_one_read(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, door, threads = versions.cached(), Door("two"), list[Any]()
    plain = asyncio.to_thread

    async def counted(function: Any) -> Any:
        threads.append(function)
        return await plain(function)

    monkeypatch.setattr(asyncio, "to_thread", counted)

    async def all_of_them() -> list[str]:
        await secret.get_async()
        await asyncio.sleep(cached.EVERY)
        versions.put("two")
        return list(await asyncio.gather(*(secret.use_async(door.later, refused) for _ in range(1000))))

    assert asyncio.run(all_of_them()) == ["two"] * 1000
    assert (len(threads), versions.reads) == (2, 2)


def test_async_gives_up_as_sync_does(versions: Versions) -> None:
    secret, door = versions.cached(patience=0.0), Door()
    with pytest.raises(Refused):
        asyncio.run(secret.use_async(door.later, refused))
    assert len(door.tried) == 2


def test_another_error_is_no_refusal(versions: Versions) -> None:
    def attempt(_: SecretVersion) -> str:
        raise ValueError("disk full")

    with pytest.raises(ValueError, match="disk full"):
        versions.cached().use(attempt, refused)
    assert versions.reads == 1


class Sick:
    """A client that fails when told to."""

    def __init__(self, versions: Versions) -> None:
        self.client, self.error = versions.client, None

    error: Exception | None

    def get_secret_value(self, **which: Any) -> Any:
        if self.error:
            raise self.error
        return self.client.get_secret_value(**which)


def test_an_old_value_serves_on_while_the_service_is_away(
    versions: Versions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("rotators.calls.PAUSES", (0.0, None))
    client = Sick(versions)
    secret = cached.CachedSecret("app", client=client, patience=0.0)
    first = secret.get()
    secret._cache.store.clear()
    client.error = answered("ThrottlingException")
    with pytest.raises(SecretUnreadable, match="throttles"):
        secret.get()  # nothing is known
    client.error = None
    secret.get()
    kept = secret._cache.store
    for key, value in kept.items():
        kept[key] = value._replace(ttl=value.ttl.min)
    client.error = answered("ThrottlingException")
    assert secret.get() == first
    assert "the old value is used on" in caplog.text


def test_a_refusal_says_too_that_the_secret_could_not_be_read_anew(versions: Versions) -> None:
    client = Sick(versions)
    secret = cached.CachedSecret("app", client=client)
    secret.get()
    time.sleep(cached.EVERY)
    client.error = answered("AccessDeniedException")
    with pytest.raises(Refused) as raised:
        secret.use(Door(), refused)
    assert "its secret could not be read anew: this role may not read" in raised.value.__notes__[0]
    with pytest.raises(Refused) as raised:
        asyncio.run(secret.use_async(Door().later, refused))
    assert raised.value.__notes__


def test_errors_of_a_first_read_are_the_clear_ones(versions: Versions) -> None:
    with pytest.raises(SecretNotFound):
        cached.CachedSecret("nothing", client=versions.client).get()
    client = Sick(versions)
    client.error = answered("AccessDeniedException")
    with pytest.raises(AccessDenied):
        asyncio.run(cached.CachedSecret("app", client=client).get_async())
