"""Redis under the engine contract and under the rotator contract."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from rotators import EngineRotator, SecretStore
from rotators.engines.redis import Redis as RedisEngine
from rotators.testing import EngineContract, RotatorContract
from rotators.testing.proxy import Proxy
from rotators.testing.two_passwords_contract import TwoPasswords
from tests.redis.target import RIGHTS, RedisTarget, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.lab.redis import Redis
    from rotators.testing import SecretsManager


class TestEngine(EngineContract):
    """By an admin; the user itself may change nobody."""

    engine = RedisEngine()
    cuts = 6
    authorities = ("admin",)
    keeps_two_passwords = ("admin",)
    malformed: ClassVar[dict[str, tuple[Any, ...]]] = {
        **{key: values for key, values in EngineContract.malformed.items() if key != "dbname"},
        "username": EngineContract.malformed["username"][1:],  # without one it is the user `default`
        "nodes": ("CANARY", 7, ["CANARY"], [7], ["CANARY:0"]),
    }
    elsewhere: ClassVar[dict[str, Any]] = {
        **{key: value for key, value in EngineContract.elsewhere.items() if key != "dbname"},
        "nodes": ["elsewhere.example.com:6379"],
    }
    names = ("o'b", 'a"b', "a\\b", "a%s", "a`b", "A;b--", "a@b", "größe", "密", "SELECT", ">a", "#x", "&*")
    longest_name = 200

    @pytest.fixture
    def target(self, redis_server: Redis) -> RedisTarget:
        return RedisTarget(redis_server, rights=())


class TestItselfToo(TwoPasswords):
    """By a user that may change passwords, its own as others'."""

    engine = RedisEngine()
    cuts = 6
    keeps_two_passwords = ("itself",)

    @pytest.fixture
    def target(self, redis_server: Redis) -> RedisTarget:
        return RedisTarget(redis_server)


class RedisSubject:
    """A user behind a proxy that can fail."""

    def __init__(self, server: Redis, service: SecretsManager, *, admin: bool) -> None:
        self.server, self.service = server, service
        self.target = RedisTarget(server, rights=() if admin else RIGHTS)
        self.proxy = Proxy(server.host, server.port).__enter__()
        value = self.target.account(unique(), f"first-{uuid.uuid4().hex}") | {"port": self.proxy.port, "note": 1}
        client = service.client()
        if admin:
            named = json.dumps(self.target.admin() | {"port": self.proxy.port})
            value["masterarn"] = client.create_secret(Name=unique("admin"), SecretString=named)["ARN"]
        self.arn: str = client.create_secret(Name=unique("redis"), SecretString=json.dumps(value))["ARN"]
        self.handler: Any = None
        self.new_sandbox()
        client.rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=service.add_function(unique("redis"), self.handle),
            RotationRules={"AutomaticallyAfterDays": 9},
            RotateImmediately=False,
        )
        service.wait(self.arn, 20)

    def handle(self, event: Any, context: Any) -> None:
        self.handler(event, context)

    def new_sandbox(self) -> None:
        self.handler = EngineRotator(RedisEngine(), store=SecretStore(self.service.client()))

    def opens(self, value: dict[str, Any]) -> bool:
        return self.target.opens({**value, "port": self.server.port})

    def elsewhere(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "port": self.server.port}

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.proxy.cut_after, before = 0, self.proxy.cut_after
        yield
        self.proxy.cut_after = before

    def rejections(self) -> int:
        return self.target.rejections()


class TestItself(RotatorContract):
    """No login fails at any moment of a rotation."""

    gapless = True
    admin = False

    @pytest.fixture
    def subject(self, redis_server: Redis, service: SecretsManager) -> Iterator[RedisSubject]:
        made = RedisSubject(redis_server, service, admin=self.admin)
        yield made
        made.proxy.__exit__()


class TestAdmin(TestItself):
    admin = True
