"""CachedSecret: which version is tried after a refusal, and how many reads that costs."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import NoCredentialsError

from rotators.consumer import AccessDenied, SecretNotFound, SecretUnreadable, SecretVersion, Throttled, cached, kept
from tests.consumer.test_reading import answered

if TYPE_CHECKING:
    from collections.abc import Callable

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
    monkeypatch.setattr(kept, "EVERY", 0.02)


def test_a_value_is_read_once_and_an_old_one_is_replaced_when_it_is_refused(versions: Versions) -> None:
    secret = versions.cached()
    assert secret.get() is secret.get()
    assert versions.reads == 1
    versions.put("two")
    time.sleep(kept.EVERY)
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
    time.sleep(kept.EVERY)
    following = secret.after(first)
    assert following is not None
    assert following["key"] == "two"
    assert secret.use(door, refused) == "one-Canary-1"


@pytest.mark.parametrize("later", [False, True])
def test_a_pending_that_does_not_open_is_not_tried_again_and_again(versions: Versions, later: bool) -> None:
    versions.put("two", "AWSPENDING")
    secret, door = versions.cached(pending=True, patience=0.0), Door()
    for tried in (["one-Canary-1", "two", "one-Canary-1"], ["one-Canary-1"] * 2, ["one-Canary-1"], ["one-Canary-1"]):
        door.tried.clear()
        with pytest.raises(Refused):
            asyncio.run(secret.use_async(door.later, refused)) if later else secret.use(door, refused)
        assert door.tried == tried


def test_a_pending_without_a_value_or_a_right_to_it_leaves_the_wait(
    versions: Versions, caplog: pytest.LogCaptureFixture
) -> None:
    versions.service.put_placeholder("app", "0" * 32)
    secret, door = versions.cached(pending=True, patience=0.0), Door()
    with pytest.raises(Refused):
        secret.use(door, refused)
    assert door.tried == ["one-Canary-1"] * 2
    client = Sick(versions)
    client.error, client.only = answered("AccessDeniedException"), "AWSPENDING"
    secret = cached.CachedSecret("app", pending=True, patience=0.0, client=client)
    door.tried.clear()
    with pytest.raises(Refused):
        secret.use(door, refused)
    assert door.tried == ["one-Canary-1"] * 2
    assert "AWSPENDING was not read: this role may not read" in caplog.text


@pytest.mark.parametrize(
    "value", [{"SecretString": "plain-Canary-2"}, {"SecretBinary": b"\x00Canary"}, {"SecretString": "{}"}]
)
def test_a_value_without_keys_is_kept_and_replaced_as_any(versions: Versions, value: dict[str, Any]) -> None:
    versions.client.create_secret(Name="plain", **value)
    secret = cached.CachedSecret("plain", client=versions.client, pending=True)
    old = secret.get()
    assert asyncio.run(secret.get_async()) is secret.get() is old
    time.sleep(kept.EVERY)
    versions.client.put_secret_value(SecretId="plain", **value, VersionStages=["AWSPENDING"])
    new = secret.after(old)
    assert new is not None
    assert new == old
    assert new.version != old.version
    assert versions.reads == 3
    assert "Canary" not in f"{secret!r} {secret} {new!r}"


def test_a_value_kept_for_no_time_is_read_each_time_and_refused_as_any(versions: Versions) -> None:
    secret, door = versions.cached(max_age=0), Door("two")
    secret.get()
    secret.get()
    assert versions.reads == 2
    old = secret.get()
    time.sleep(kept.EVERY)
    versions.put("two")
    reads = versions.reads
    assert {version["key"] for version in crowd(lambda: secret.after(old), 50)} == {"two"}
    assert versions.reads == reads + 1
    assert secret.use(door, refused) == "two"


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
    for _ in range(10):
        time.sleep(kept.EVERY)
        with pytest.raises(Refused):
            secret.use(door, refused)
    assert len(door.tried) == 12
    assert versions.reads <= reads + 1
    assert "is refused, and no other came in time" in caplog.text
    assert "Canary" not in caplog.text


def crowd(function: Callable[[], Any], number: int = 1000) -> list[Any]:
    """Call it from so many threads at once; what each returned or raised."""
    gate, found = threading.Barrier(number), list[Any]()

    def one() -> None:
        gate.wait(60)
        try:
            found.append(function())
        except Exception as error:
            found.append(error)

    threading.stack_size(256 * 1024)
    threads = [threading.Thread(target=one, daemon=True) for _ in range(number)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        threading.stack_size(0)
    assert len(found) == number
    return found


def test_one_refresh_for_a_thousand_threads(versions: Versions) -> None:
    secret = versions.cached(patience=60.0)
    old = secret.get()
    time.sleep(kept.EVERY)
    versions.put("two")
    versions.service.calls.clear()
    assert {version["key"] for version in crowd(lambda: secret.after(old))} == {"two"}
    assert versions.reads == 1


def test_one_read_for_a_thousand_that_find_it_cold(versions: Versions) -> None:
    secret = versions.cached()
    assert {version["key"] for version in crowd(secret.get)} == {"one-Canary-1"}
    assert versions.reads == 1


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException"])
def test_one_read_that_fails_is_the_answer_for_all_who_waited(
    versions: Versions, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr("rotators.calls.PAUSES", (0.3, None))
    client = Sick(versions, pause=0.3)
    client.error = answered(code)
    errors = crowd(cached.CachedSecret("app", client=client).get, 50)
    assert {type(error) for error in errors} == {Throttled if code.startswith("T") else AccessDenied}
    assert {error.secret_id for error in errors} == {"app"}
    assert client.asked == (2 if code.startswith("T") else 1)


def test_so_it_is_for_all_who_were_refused(versions: Versions) -> None:
    client = Sick(versions, pause=0.3)
    secret = cached.CachedSecret("app", client=client, patience=60.0)
    old = secret.get()
    time.sleep(kept.EVERY)
    client.error = answered("AccessDeniedException")
    assert {type(error) for error in crowd(lambda: secret.after(old), 50)} == {AccessDenied}
    assert client.asked == 2


def test_while_one_reads_anew_the_others_have_the_old_value(versions: Versions) -> None:
    client = Sick(versions)
    secret = cached.CachedSecret("app", client=client)
    first = secret.get()
    versions.put("two")
    expire(secret)
    client.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(secret.get)
        while client.asked < 2:
            time.sleep(0.01)
        assert secret.get() is first
        client.gate.set()
        assert reading.result(10)["key"] == "two"
    assert secret.get()["key"] == "two"


@pytest.mark.parametrize("pending", [False, True])
@pytest.mark.parametrize("slow", [0.0, 0.3])
def test_a_wait_costs_a_read_in_a_while_whatever_the_number_of_threads(
    versions: Versions, monkeypatch: pytest.MonkeyPatch, slow: float, pending: bool
) -> None:
    monkeypatch.setattr(kept, "EVERY", 0.2)
    client, labels = Sick(versions, pause=slow), 1 + pending
    secret = cached.CachedSecret("app", client=client, patience=1.0, pending=pending)
    old = secret.get()
    assert crowd(lambda: secret.after(old), 50) == [old] * 50
    assert 2 <= client.asked <= 1 + labels * (1.2 / (0.2 + labels * slow) + 1)


def test_a_thousand_tasks_take_one_thread_and_one_read(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, door, threads = versions.cached(), Door("two"), list[Any]()
    plain = asyncio.to_thread

    async def counted(function: Any) -> Any:
        threads.append(function)
        return await plain(function)

    monkeypatch.setattr(asyncio, "to_thread", counted)

    async def all_of_them() -> list[str]:
        await secret.get_async()
        await asyncio.sleep(kept.EVERY)
        versions.put("two")
        return list(await asyncio.gather(*(secret.use_async(door.later, refused) for _ in range(1000))))

    assert asyncio.run(all_of_them()) == ["two"] * 1000
    assert (len(threads), versions.reads) == (2, 2)


def test_a_task_that_is_cancelled_leaves_the_others_waiting(versions: Versions) -> None:
    client = Sick(versions)
    secret = cached.CachedSecret("app", client=client)
    client.gate.clear()
    told: list[dict[str, Any]] = []

    async def three() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
        tasks = [asyncio.create_task(secret.get_async()) for _ in range(2)]
        await asyncio.sleep(0.05)
        tasks[0].cancel()
        client.gate.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        client.error, client.pause = answered("AccessDeniedException"), 0.15
        alone = asyncio.create_task(cached.CachedSecret("app", client=client).get_async())
        await asyncio.sleep(0.05)
        alone.cancel()
        await asyncio.sleep(0.3)
        gc.collect()
        return found

    first, second = asyncio.run(three())
    assert isinstance(first, asyncio.CancelledError)
    assert second["key"] == "one-Canary-1"
    assert told == []


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
    """A client that fails when told to, late, or not at all while its gate is shut."""

    def __init__(self, versions: Versions, pause: float = 0.0) -> None:
        self.client, self.pause, self.asked = versions.client, pause, 0
        self.error: Exception | None = None
        self.only: str | None = None
        self.gate = threading.Event()
        self.gate.set()

    def get_secret_value(self, **which: Any) -> Any:
        self.asked += 1
        self.gate.wait(10)
        time.sleep(self.pause)
        if self.error and self.only in {None, which.get("VersionStage")}:
            raise self.error
        return self.client.get_secret_value(**which)


def expire(secret: cached.CachedSecret) -> None:
    """Let the time of the kept value be up."""
    store = secret._kept._cache.store
    for key, value in store.items():
        store[key] = value._replace(ttl=value.ttl.min)


def test_an_old_value_serves_on_while_the_service_is_away(
    versions: Versions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("rotators.calls.PAUSES", (0.0, None))
    client = Sick(versions)
    secret = cached.CachedSecret("app", client=client, patience=0.0)
    client.error = answered("ThrottlingException")
    with pytest.raises(SecretUnreadable, match="throttles"):
        secret.get()  # nothing is known
    client.error = None
    first = secret.get()
    for error in (answered("ThrottlingException"), NoCredentialsError()):
        expire(secret)
        client.error, asked = error, client.asked
        assert [secret.get() for _ in range(10)] == [first] * 10
        assert client.asked <= asked + 2
        assert "the old value is used on" in caplog.text
        caplog.clear()
    expire(secret)
    client.error = answered("AccessDeniedException")
    with pytest.raises(AccessDenied):
        secret.get()  # that is meant


def test_a_service_that_is_silent_holds_nobody_up_for_long(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "HURRY", 0.3)
    client = Sick(versions)
    secret = cached.CachedSecret("app", client=client)
    first = secret.get()
    expire(secret)
    client.gate.clear()
    began = time.monotonic()
    assert secret.get() is first
    assert time.monotonic() - began < 5  # it hangs for 10
    client.gate.set()


def test_a_refusal_says_too_that_the_secret_could_not_be_read_anew(versions: Versions) -> None:
    client = Sick(versions)
    secret = cached.CachedSecret("app", client=client)
    secret.get()
    time.sleep(kept.EVERY)
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("kept_before", [False, True])
def test_a_process_forked_in_the_middle_of_a_read_reads_too(kept_before: bool) -> None:
    """A server that loads its application and then forks: the thread that held the lock is not in the child."""
    code = f"""if True:
        import os, sys, threading
        from rotators.consumer import CachedSecret
        from rotators.testing import SecretsManager
        service = SecretsManager()
        client = service.client()
        client.create_secret(Name="app", SecretString="one")
        secret = CachedSecret("app", client=client, max_age=0)
        if {kept_before}:
            old = secret.get()
            client.put_secret_value(SecretId="app", SecretString="two")
        reading, go, read = threading.Event(), threading.Event(), client.get_secret_value
        def slow(**query):
            reading.set()
            go.wait(10)
            return read(**query)
        client.get_secret_value = slow
        thread = threading.Thread(target=secret.get)
        thread.start()
        reading.wait()
        child = os.fork()
        if child == 0:
            client.get_secret_value = read
            found = []
            def again():
                found.append((secret.after(old) if {kept_before} else secret.get()).text)
            late = threading.Thread(target=again, daemon=True)
            late.start()
            late.join(5)
            os._exit(0 if found == ["two" if {kept_before} else "one"] else 7)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        go.set()
        thread.join()
        sys.exit(code)
    """
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
