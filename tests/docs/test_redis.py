"""docs/redis.md: its secret and its command, on a real server."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rotators import Secret
from rotators.engines.redis import Redis as RedisEngine
from rotators.lab.redis import Redis
from rotators.testing import rotate
from tests.redis.conftest import redis_server, trusting
from tests.redis.target import RedisTarget, unique
from tests.world import Stored

if TYPE_CHECKING:
    from rotators.testing import SecretsManager

__all__ = ["redis_server", "trusting"]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/redis.md").read_text()
(SECRET,) = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
(COMMAND,) = [block.split() for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)]
FIRST = "first-Canary-7d1"


def told(service: SecretsManager, server: Redis, *left_out: str) -> Stored:
    """The page's user, under a name of this test's, after the page's command; and the page's secret."""
    name = unique()
    server.execute("ACL", "SETUSER", name, "on", f">{FIRST}")
    command = [name if word == SECRET["username"] else word for word in COMMAND if word not in left_out]
    server.execute(*command)
    here = {"host": server.host, "port": server.port, "username": name, "password": FIRST}
    return Stored(service, RedisEngine(), {**SECRET, **here}, {})


def opens(server: Redis, app: Stored) -> bool:
    return RedisTarget(server).opens(app.value())


def test_the_command_is_enough(service: SecretsManager, caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    """Nothing is warned of, and the new password outlives a restart."""
    with Redis.start() as server:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(server.ca_bundle))
        app = told(service, server)
        caplog.clear()
        for _ in range(2):
            assert rotate(app.service, app.arn).succeeded
        assert "WARNING" not in {record.levelname for record in caplog.records}
        server.restart()
        assert opens(server, app)


@pytest.mark.parametrize("word", [word for word in COMMAND if word.startswith("+")])
def test_each_word_of_it_is_needed(service: SecretsManager, redis_server: Redis, word: str, caplog: Any) -> None:
    """ACL SAVE does where there is an ACL file, as here: CONFIG REWRITE is for servers without one."""
    app = told(service, redis_server, word)
    outcome = rotate(app.service, app.arn)
    if word in {"+acl|save", "+config|rewrite"}:
        assert outcome.succeeded
        assert ("again after a restart" in caplog.text) == (word == "+acl|save")
    else:
        assert word in str(outcome.error)


def test_without_acl_save_it_does_not_outlive_a_restart(
    service: SecretsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the warning is true: CONFIG REWRITE succeeds, and writes no users where there is an ACL file."""
    with Redis.start() as server:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(server.ca_bundle))
        app = told(service, server, "+acl|save")
        server.execute("ACL", "SAVE")
        assert rotate(app.service, app.arn).succeeded
        server.restart()
        assert not opens(server, app)


def test_config_rewrite_is_for_servers_without_an_acl_file(
    service: SecretsManager, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Redis.start(aclfile=False) as server:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(server.ca_bundle))
        app = told(service, server, "+config|rewrite")
        assert rotate(app.service, app.arn).succeeded
        assert "has the old one again after a restart" in caplog.text


def test_without_a_username_it_is_the_user_default(redis_server: Redis) -> None:
    value = {key: each for key, each in redis_server.secret("app", FIRST).items() if key != "username"}
    assert RedisEngine().resource(Secret(value))["username"] == "default"


def test_what_the_page_names_is_there() -> None:
    (named,) = re.findall(r"`(rotators\.handlers\.\w+)\.handler`", PAGE)
    assert import_module(named).handler.facts()["engine"] == "redis"
    nodes = re.findall(r'`("nodes": \[[^`]*\])`', PAGE)
    assert nodes
    for each in nodes:
        assert json.loads(f"{{{each}}}")["nodes"] == ["redis-2.example.com:6379"]
