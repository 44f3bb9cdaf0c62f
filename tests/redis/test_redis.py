"""What is Redis's own: several nodes, restarts, rights, and users that a password is not for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rotators import EngineRotator, RotatorsError, Secret, SecretStore
from rotators.engines.redis import Redis as RedisEngine
from rotators.lab.redis import Redis
from rotators.testing import rotate, rotation_event
from tests.redis.target import RIGHTS, RedisTarget, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.testing import SecretsManager


class App:
    """A user and its secret."""

    def __init__(self, service: SecretsManager, *servers: Redis, rights: tuple[str, ...] = RIGHTS, **more: Any) -> None:
        self.service, self.servers = service, servers
        self.name, password = unique(), "first-Canary-7d1"
        self.value0 = {}
        for server in servers:
            self.value0 = RedisTarget(server, rights=rights).account(self.name, password)
        self.value0 = {**self.value0, "port": servers[0].port, **more}
        if len(servers) > 1:
            self.value0["nodes"] = [f"127.0.0.1:{server.port}" for server in servers]
        client = service.client()
        self.arn: str = client.create_secret(Name=self.name, SecretString=json.dumps(self.value0))["ARN"]
        self.handler = EngineRotator(RedisEngine(), store=SecretStore(client))

    def rotate(self) -> None:
        outcome = rotate(self.service, self.arn, self.handler)
        if outcome.error is not None:
            raise outcome.error

    def value(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.service.client().get_secret_value(SecretId=self.arn)["SecretString"])
        return found

    def opens(self, password: str) -> list[bool]:
        values = [{**self.value0, "password": password, "port": server.port} for server in self.servers]
        return [RedisTarget(server).opens(value) for server, value in zip(self.servers, values, strict=True)]

    def user(self, server: Redis) -> dict[str, Any]:
        answer = server.execute("ACL", "GETUSER", self.name)
        return {key.decode(): each for key, each in zip(answer[::2], answer[1::2], strict=True)}


@pytest.fixture
def second(redis_server: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Redis]:
    """Another node, whose certificate is another authority's: both are trusted."""
    with Redis.start() as server:
        both = tmp_path / "both.pem"
        assert redis_server.ca_bundle
        assert server.ca_bundle
        both.write_text(redis_server.ca_bundle.read_text() + server.ca_bundle.read_text())
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(both))
        yield server


def test_two_passwords_and_the_rights_stay(service: SecretsManager, redis_server: Redis) -> None:
    app = App(service, redis_server)
    before = app.user(redis_server)
    passwords = [app.value()["password"]]
    for _ in range(4):
        app.rotate()
        passwords.append(app.value()["password"])
        assert [app.opens(password)[0] for password in passwords] == [False] * (len(passwords) - 2) + [True, True]
    after = app.user(redis_server)
    assert {key: after[key] for key in after if key != "passwords"} == {
        key: before[key] for key in before if key != "passwords"
    }
    assert len(after["passwords"]) == 2


def test_the_old_one_ends_at_once(
    service: SecretsManager, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTATORS_DISCARD_OLD", "true")
    app = App(service, redis_server)
    old = app.value()["password"]
    app.rotate()
    assert app.opens(old) == [False]
    assert app.opens(app.value()["password"]) == [True]


def test_every_node(service: SecretsManager, redis_server: Redis, second: Redis) -> None:
    app = App(service, redis_server, second)
    for _ in range(3):
        old = app.value()["password"]
        app.rotate()
        assert app.opens(app.value()["password"]) == [True, True]
        assert app.opens(old) == [True, True]


def test_a_node_that_is_down_changes_nothing_anywhere(
    service: SecretsManager, redis_server: Redis, second: Redis
) -> None:
    """And one that refuses: asked before anything is changed. When it is back, the retry goes on."""
    app = App(service, redis_server, second)
    before = [app.user(server)["passwords"] for server in app.servers]
    token = "0" * 32
    service.put_placeholder(app.arn, token)
    app.handler(rotation_event("createSecret", app.arn, token))
    second._halt()
    with pytest.raises(RotatorsError, match="nothing listens there") as caught:
        app.handler(rotation_event("setSecret", app.arn, token))
    assert caught.value.retryable
    assert app.user(redis_server)["passwords"] == before[0]
    assert second._launch()
    second.execute("ACL", "SETUSER", app.name, "on", ">first-Canary-7d1", "~*", "-@all")
    with pytest.raises(RotatorsError, match=r"\+acl\|getuser"):
        app.handler(rotation_event("setSecret", app.arn, token))
    assert app.user(redis_server)["passwords"] == before[0]
    second.execute("ACL", "SETUSER", app.name, *RIGHTS)
    for step in ("setSecret", "testSecret", "finishSecret"):
        app.handler(rotation_event(step, app.arn, token))
    assert app.opens(app.value()["password"]) == [True, True]


@pytest.mark.parametrize("aclfile", [True, False])
def test_it_outlives_a_restart(service: SecretsManager, aclfile: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the ACL file, or in redis.conf."""
    with Redis.start(aclfile=aclfile) as server:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(server.ca_bundle))
        app = App(service, server)
        app.rotate()
        server.restart()
        assert app.opens(app.value()["password"]) == [True]


def test_what_can_not_be_kept_is_warned_of(
    service: SecretsManager, redis_server: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    app = App(service, redis_server, rights=("+acl|getuser", "+acl|setuser"))
    app.rotate()
    assert (
        "has the old one again after a restart: who asks may not: ACL SETUSER … +acl|save +config|rewrite"
        in caplog.text
    )


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["nopass"], "is let in with any password (nopass)"),
        (["-acl"], "who asks may not change passwords"),
        (["off"], "refused the password of"),
        (["resetpass"], "refused the password of"),
    ],
)
def test_users_that_can_not_be_rotated(
    service: SecretsManager, redis_server: Redis, command: list[str], said: str
) -> None:
    app = App(service, redis_server)
    redis_server.execute("ACL", "SETUSER", app.name, *command)
    before = app.user(redis_server)["passwords"]
    with pytest.raises(RotatorsError) as caught:
        app.rotate()
    assert said in str(caught.value)
    assert "Canary" not in str(caught.value)
    assert app.user(redis_server)["passwords"] == before


def test_an_admin_heals_and_finds_nobody(service: SecretsManager, redis_server: Redis) -> None:
    """By `masterarn` without a tag: Redis has no alternating users, so the admin sets the single user's password."""
    named = json.dumps(RedisTarget(redis_server).admin())
    admin = service.client().create_secret(Name=unique("admin"), SecretString=named)["ARN"]
    app = App(service, redis_server, rights=(), masterarn=admin)
    app.rotate()
    assert app.opens(app.value()["password"]) == [True]
    redis_server.execute("ACL", "SETUSER", app.name, "resetpass", ">by-hand")
    app.rotate()
    assert app.opens(app.value()["password"]) == [True]
    redis_server.execute("ACL", "DELUSER", app.name)
    with pytest.raises(RotatorsError, match="has no user"):
        app.rotate()


@pytest.mark.parametrize("password", ["größe-密码", "with space", "quote'\"\\", "x" * 1000])
def test_any_password(redis_server: Redis, password: str) -> None:
    value = RedisTarget(redis_server).account(unique(), password)
    engine = RedisEngine()
    engine.test(Secret(value))
    new = {**value, "password": password + "2"}
    engine.set(Secret(new), by=Secret(value), like=Secret(value))
    engine.test(Secret(new))
    engine.test(Secret(value))


def test_no_password_is_seen_by_who_watches(service: SecretsManager, redis_server: Redis) -> None:
    """Not in the slow log of every command, which MONITOR shows as well, nor in the server's log or its ACL file."""
    app = App(service, redis_server)
    app.rotate()
    watched = RedisTarget(redis_server).log() + (redis_server.data / "users.acl").read_text()
    assert "SETUSER" in watched
    assert app.value()["password"] not in watched


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nodes": "127.0.0.1:1"}, "'nodes' in the secret is not a list"),
        ({"nodes": ["127.0.0.1"]}, "a node in 'nodes' in the secret is not of that form"),
        ({"nodes": ["127.0.0.1:99999"]}, "is not one of 1 to 65535"),
        ({"nodes": [7]}, "is not of that form"),
        ({"engine": "mysql"}, "'engine' in the secret is not one of this function's"),
        ({"password": ""}, "'password' in the secret must be"),
        ({"ssl": "no"}, "'ssl' in the secret must be true or false"),
        ({"ssl": False}, "was cut"),
    ],
)
def test_bad_secrets(redis_server: Redis, change: dict[str, Any], said: str) -> None:
    value = RedisTarget(redis_server).account(unique(), "first-Canary-7d1") | change
    with pytest.raises(RotatorsError) as caught:
        RedisEngine().test(Secret(value))
    assert said in str(caught.value)
    assert "Canary" not in str(caught.value)


def test_the_systems_authorities_are_not_trusted_beside_the_bundle(
    redis_server: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from rotators.lab.certificates import Authority

    value = RedisTarget(redis_server).account(unique(), "a")
    monkeypatch.setenv("SSL_CERT_FILE", str(redis_server.ca_bundle))
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(Authority(tmp_path).bundle))
    with pytest.raises(RotatorsError, match="its certificate is not signed by a CA we trust"):
        RedisEngine().test(Secret(value))


def test_a_certificate_of_somebody_else(redis_server: Redis, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from rotators.lab.certificates import Authority

    value = RedisTarget(redis_server).account(unique(), "a")
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(Authority(tmp_path).bundle))
    with pytest.raises(RotatorsError, match="its certificate is not signed by a CA we trust"):
        RedisEngine().test(Secret(value))
