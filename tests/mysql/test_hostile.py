"""Servers that mean no good, and servers that hang: no password for the former, and an end in time with both (laws 9 and 13)."""

from __future__ import annotations

import random
import ssl
import threading
import time
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING

import pytest

from rotators import ChangeRefused, SecretError, TargetUnreachable
from rotators.database_secret import DatabaseSecret
from rotators.engines.mysql.login import login
from rotators.engines.mysql.plan import lock
from rotators.secret import Secret
from rotators.testing import LambdaContext, rotation_event
from rotators.testing.contract import together
from rotators.testing.proxy import Proxy
from tests.mysql.conftest import setting
from tests.mysql.stage import (
    PENDING,
    SINGLE,
    Fake,
    Meddling,
    dripping,
    failing,
    greeting,
    packet,
    redirect,
    saying,
    unreachable,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from rotators.lab.mariadb import MariaDB
    from rotators.lab.mysql import MySQL
    from rotators.lab.mysqld import Mysqld
    from tests.mysql_world import MySQLWorld

    Make = Callable[..., MySQLWorld]

#: Ways to ask for a password so that it, or what stands for it, is given away.
ASKING = ["mysql_clear_password", "mysql_old_password", "dialog", "sha256_password", "caching_sha2_password", "parsec"]


@pytest.fixture
def no_threads_left() -> Iterator[None]:
    """Whatever thread a step began has ended soon after it, or it would go on in a warm function for ever."""
    before = set(threading.enumerate())
    yield
    end = time.monotonic() + 2
    begun = [thread for thread in threading.enumerate() if thread not in before and thread.name.endswith("(call)")]
    while (left := [thread for thread in begun if thread.is_alive()]) and time.monotonic() < end:
        time.sleep(0.01)
    assert left == []


def certificate(server: Mysqld) -> ssl.SSLContext:
    """A server's own, for one that pretends to be it: the worst case."""
    assert server.certificate is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server.certificate)
    return context


def asks(plugin: str, sequence: int) -> bytes:
    question = b"\x02Password: " if plugin == "dialog" else b"saltsaltsaltsaltsalt\0"
    return packet(b"\xfe" + plugin.encode() + b"\0" + question, sequence)


@pytest.mark.parametrize("plugin", ASKING)
def test_who_stands_in_for_the_server_gets_no_password(odd_mariadb: MariaDB, mysql_world: Make, plugin: str) -> None:
    """Without TLS: asked for in the greeting, asked for afterwards, or by a question for more."""
    app = mysql_world(odd_mariadb, ssl=False)
    more = packet(b"\x01\x04", 2)
    talks = [(greeting(plugin), more), (greeting(), asks(plugin, 2)), (greeting(plugin), asks(plugin, 2), more)]
    for talk in talks:
        with saying(*talk) as fake:
            error = failing(app, redirect(app, port=fake.port))
            assert isinstance(error, (TargetUnreachable, SecretError))
            assert fake.messages <= 2
            assert app.value()["password"].encode() not in fake.heard
            assert PENDING.encode() not in fake.heard


@pytest.mark.parametrize("plugin", ["mysql_clear_password", "mysql_old_password", "dialog"])
def test_nor_over_tls(odd_mariadb: MariaDB, mysql_world: Make, plugin: str) -> None:
    app = mysql_world(odd_mariadb)
    with saying(greeting(tls=True), asks(plugin, 3), tls=certificate(odd_mariadb)) as fake:
        unreachable(app, redirect(app, port=fake.port), "denied", "nothing was sent")
        assert fake.messages == 2
        assert app.value()["password"].encode() not in fake.heard


def test_a_server_that_asks_for_ever(odd_mariadb: MariaDB, mysql_world: Make, no_threads_left: None) -> None:
    """Each time by another nonce: each answer would be one more to guess from."""
    app = mysql_world(odd_mariadb, ssl=False)

    def talk(fake: Fake, connection: socket.socket) -> None:
        connection.sendall(greeting())
        sequence = 2
        while fake.hear(connection) and not fake.stop.wait(0.01):
            connection.sendall(asks("mysql_native_password", sequence % 256))
            sequence += 2

    with Fake(talk) as fake:
        begun = time.monotonic()
        assert isinstance(failing(app, redirect(app, port=fake.port), timeout=1.5), TargetUnreachable)
        assert time.monotonic() - begun < 1.5


NO_SERVERS = {
    "HTTP": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
    "PostgreSQL": b"E\0\0\0\x1eSFATAL\0C08P01\0Mno such protocol\0\0",
    "Redis": b"-ERR unknown command\r\n",
    "SMTP": b"220 mail.example.com ESMTP\r\n",
    "nothing": b"\0\0\0\0",
    "an older protocol": packet(b"\x09" + b"3.23\0" + b"\0" * 20),
    "a short greeting": packet(b"\x0a8.0\0\x01"),
    "no version": packet(b"\x0a\0" + b"\0" * 60),
    "letters": packet(b"\x0aabc\0" + b"\xff" * 60),
    "out of turn": packet(b"\x0a8.0\0", 9),
}


@pytest.mark.parametrize("what", NO_SERVERS)
def test_another_kind_of_server(odd_mariadb: MariaDB, mysql_world: Make, what: str) -> None:
    app = mysql_world(odd_mariadb)
    with saying(NO_SERVERS[what]) as fake:
        error = failing(app, redirect(app, port=fake.port), timeout=1.5)
    assert isinstance(error, TargetUnreachable)
    assert error.cause in {"other", "tls", "dropped", "timeout"}


def test_noise(odd_mariadb: MariaDB, mysql_world: Make, no_threads_left: None) -> None:
    """Random bytes, framed and not, at each point of a login."""
    app = mysql_world(odd_mariadb, ssl=False)
    noise = random.Random(7)
    for number in range(30):
        bytes_ = noise.randbytes(noise.choice([1, 5, 30, 300]))
        talk = [packet(bytes_, 0)] if number % 2 else [greeting(), packet(bytes_, 2), packet(bytes_, 4)]
        with saying(*talk) as fake:
            error = failing(app, redirect(app, port=fake.port), timeout=1.0)
        assert isinstance(error, (TargetUnreachable, SecretError)), error
        assert app.value()["password"].encode() not in fake.heard


def test_a_server_that_says_too_much(odd_mariadb: MariaDB, mysql_world: Make, no_threads_left: None) -> None:
    """A function has little memory, and a packet may be of any size."""
    app = mysql_world(odd_mariadb)

    def talk(fake: Fake, connection: socket.socket) -> None:
        while not fake.stop.is_set():
            connection.sendall(b"\xff\xff\xff\0" + b"x" * 0xFFFFFF)

    with Fake(talk) as fake:
        tracemalloc.start()
        unreachable(app, redirect(app, port=fake.port), "other", "not as MySQL or MariaDB do")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 100 << 20, peak


def test_law_13_every_wait_ends_in_time(mysql_family: Mysqld, mysql_world: Make, no_threads_left: None) -> None:
    """Silent from the start, dripping from the start, and dripping when TLS is spoken, in each step; all at once."""
    tls = certificate(mysql_family)
    app = mysql_world(mysql_family)
    with (
        Proxy("127.0.0.1", mysql_family.port, silent=True) as silent,
        dripping() as drips,
        dripping(greeting("caching_sha2_password", tls=True), tls=tls) as drips_later,
    ):
        cases: list[Callable[[], None]] = []
        for server in (silent, drips, drips_later):
            for timeout in (30.0, 4.0, 1.5, 1.0):
                other = mysql_world(mysql_family)
                token = redirect(other, port=server.port)
                steps = ["setSecret", "testSecret", "finishSecret"] if timeout < 30 else ["setSecret"]
                cases += [partial(ends_in_time, other, token, step, timeout) for step in steps]
        assert together(cases) == []
    assert app.opens()


def ends_in_time(app: MySQLWorld, token: str, step: str, timeout: float) -> None:
    begun = time.monotonic()
    error = failing(app, token, step=step, timeout=timeout)
    took = time.monotonic() - begun
    assert isinstance(error, TargetUnreachable)
    assert error.cause == "timeout", error
    assert (
        took < min(timeout, 8.0) + 0.5
    )  # thirty at once share a processor or two: what waits for no answer waits for those


@pytest.mark.parametrize("by", ["itself", "admin"])
def test_a_change_that_waits_for_a_lock_does_not_come_late(odd: Mysqld, mysql_world: Make, by: str) -> None:
    """Law 13, at the statement that matters. The server would go on waiting, and change the password when we have given up."""
    app = mysql_world(odd, tags=SINGLE)
    if by == "admin":
        app.with_admin()
    token = app.pending(password=PENDING)
    with odd.connect() as other, other.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        begun = time.monotonic()
        error = failing(app, token, timeout=4.5)
        assert time.monotonic() - begun < 4.4
    assert isinstance(error, TargetUnreachable)
    assert error.cause == "timeout"
    time.sleep(0.2)
    assert app.opens()
    assert not app.admits(PENDING)


def test_another_rotation_holds_the_lock(odd: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(odd)
    token = app.pending(password=PENDING)
    view = DatabaseSecret.of(Secret(app.value()), engines={"mysql", "mariadb"}, port=1, dbname="")
    with login(view) as session:
        lock(session, app.username)
        unreachable(app, token, "busy", "another rotation of it is at work", timeout=4.5)
    assert app.opens()


def test_too_little_time_to_prove_is_too_little_to_begin(mysql_family: Mysqld, mysql_world: Make) -> None:
    app = mysql_world(mysql_family)
    error = failing(app, app.pending(password=PENDING), timeout=1.5)
    assert isinstance(error, TargetUnreachable)
    assert "raise the function's Timeout" in str(error)
    assert app.opens()


def test_a_proof_that_gets_no_answer_is_undone_in_time(mysql_family: Mysqld, mysql_world: Make) -> None:
    """Laws 10 and 13: whoever balances the connections sends the second one into the void."""
    app = mysql_world(mysql_family)
    proxy = Meddling("127.0.0.1", mysql_family.port, {})
    proxy._before |= {2: lambda: setattr(proxy, "_silent", True), 3: lambda: setattr(proxy, "_silent", False)}
    with proxy:
        token = redirect(app, port=proxy.port)
        begun = time.monotonic()
        said = unreachable(app, token, "timeout", "could not be proven", timeout=5.0)
        assert time.monotonic() - begun < 4.9
        assert "AWSCURRENT was put back and opens again" in said
    assert app.opens()


def test_a_login_as_somebody_else(mysql_family: Mysqld, mysql_world: Make) -> None:
    """An anonymous account of a nearer host answers to every name; with the same password, it is not ours (law 11)."""
    app = mysql_world(mysql_family)
    app.execute(f"CREATE USER ''@'127.0.0.1' IDENTIFIED BY '{app.value()['password']}'")
    try:
        error = failing(app, redirect(app, dbname=None))
        assert isinstance(error, ChangeRefused)
        assert "which is not ours" in str(error)
        assert app.opens()
    finally:
        app.execute("DROP USER ''@'127.0.0.1'")
    assert app.opens()


def test_a_login_that_proxies_another_user(odd_mysql: MySQL, mysql_world: Make) -> None:
    """The session is the other user's then, and what it says of itself it says of that one (law 11)."""
    app, victim = mysql_world(odd_mysql, plugin="sha256_password"), mysql_world(odd_mysql)
    app.execute(f"GRANT PROXY ON {victim.name} TO {app.name}")
    with setting(odd_mysql, check_proxy_users=1, sha256_password_proxy_users=1):
        error = failing(app, redirect(app, dbname=None))
    assert isinstance(error, ChangeRefused)
    assert "which is not ours" in str(error)
    assert "REVOKE PROXY" in str(error)
    assert victim.opens()
    assert app.opens()


def test_five_steps_at_once_end(mysql_family: Mysqld, mysql_world: Make, no_threads_left: None) -> None:
    app = mysql_world(mysql_family)
    token = app.pending(password=PENDING)
    event = rotation_event("setSecret", app.arn, token)
    errors = together([partial(app.handler, event, LambdaContext(timeout=30.0))] * 5)
    assert [error for error in errors if not getattr(error, "retryable", False)] == []
    assert app.opens("AWSPENDING")
