"""`rotators check` with a user of a real Redis: what opens it is asked; its engine has no question about rights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rotators.cli import main
from rotators.testing import Endpoint
from tests.redis.target import RedisTarget, unique

if TYPE_CHECKING:
    import pytest

    from rotators.lab.redis import Redis
    from rotators.testing import SecretsManager


def test_check(redis_server: Redis, service: SecretsManager, capsys: pytest.CaptureFixture[str]) -> None:
    target = RedisTarget(redis_server)
    admin = service.client().create_secret(Name="admin", SecretString=json.dumps(target.admin()))["ARN"]
    user = {**target.account(unique(), "first-Canary"), "masterarn": admin}
    service.client().create_secret(Name="good", SecretString=json.dumps(user))
    service.client().create_secret(Name="bad", SecretString=json.dumps({**user, "password": "wrong-Canary"}))
    said = {}
    with Endpoint(service) as url:
        for name in ("good", "bad"):
            code = main(["check", name, "--endpoint-url", url, "--region", "eu-central-1", "--json"])
            out = capsys.readouterr().out
            assert "Canary" not in out
            said[name] = {line["check"]: line["answer"] for line in json.loads(out)["checks"]}
            assert code == (name == "bad")
    asked = ("server", "current", "admin", "rights")
    assert [said["good"][name] for name in asked] == ["passed", "passed", "passed", "not asked"]
    assert [said["bad"][name] for name in asked] == ["passed", "failed", "not asked", "not asked"]
