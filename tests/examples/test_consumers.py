"""examples/consumers: each that is a program logs in to a real PostgreSQL all the time, through real rotations, and never fails."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from rotators.testing import Endpoint
from tests.deploy.sam import ROOT
from tests.load import survives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from tests.node import Node
    from tests.world import World

CONSUMERS = ROOT / "examples/consumers"


@pytest.fixture
def shop(world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A secret and its role; boto3's own variables name the service."""
    app = world()
    with Endpoint(app.service) as url:
        for name in ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "SECRETS_MANAGER_ENDPOINT"):
            monkeypatch.setenv(name, url)
        monkeypatch.setenv("SECRET_ID", app.arn)
        yield app


@pytest.fixture
def tls(shop: World) -> dict[str, Any]:
    """What else psycopg needs to know of the test's server."""
    return {"sslrootcert": str(shop.server.ca_bundle)} if shop.server.tls else {"sslmode": "disable"}


def loaded(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"consumer_{path.replace('/', '_')[:-3]}", CONSUMERS / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_python_with_boto3_alone(shop: World, tls: dict[str, Any]) -> None:
    module = loaded("with_boto3.py")
    secret = module.CachedValue(shop.arn)
    shop.service.calls.clear()

    def request() -> Any:
        with module.connect(secret, **tls) as connection:
            return connection.execute("SELECT current_user").fetchone()

    assert set(survives(shop, request)) == {(shop.username,)}


def test_it_reports_a_password_that_stays_wrong(shop: World, tls: dict[str, Any]) -> None:
    module = loaded("with_boto3.py")
    secret = module.CachedValue(shop.arn, patience=0.6)
    shop.set_password("another-Canary-3")
    shop.service.calls.clear()
    with pytest.raises(module.psycopg.OperationalError, match="password authentication failed"):
        module.connect(secret, **tls)
    assert 2 <= shop.service.count("GetSecretValue") <= 5  # at most one each 0.25 s


def test_python_with_aws_secretsmanager_caching(shop: World, tls: dict[str, Any]) -> None:
    login = loaded("with_aws_caching.py").Login(shop.arn, **tls)

    def request() -> Any:
        with login.connect() as connection:
            return connection.execute("SELECT current_user").fetchone()

    assert set(survives(shop, request, rotations=1)) == {(shop.username,)}


def test_lambda(shop: World) -> None:
    shop.service.calls.clear()
    module = loaded("lambda/app.py")
    assert shop.service.calls == []  # nothing is read at the start
    assert module.handler({}, None) == {"user": shop.username}
    assert [answer["user"] for answer in survives(shop, lambda: module.handler({}, None))].count(shop.username) > 12


def test_nodejs(shop: World, node: Node) -> None:
    environment = {
        "SECRET_ID": shop.arn,
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": os.environ["AWS_ENDPOINT_URL_SECRETS_MANAGER"],
        "NODE_EXTRA_CA_CERTS": str(shop.server.ca_bundle or ""),
    }
    with node.start(CONSUMERS / "app.mjs", environment=environment) as process, urllib3.PoolManager() as http:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            port = process.stdout.readline().strip()
            assert port, process.stderr.read()

            def request() -> tuple[int, bytes]:
                answer = http.request("GET", f"http://127.0.0.1:{port}/", timeout=30, retries=False)
                return answer.status, answer.data

            assert set(survives(shop, request)) == {(200, shop.username.encode())}
            http.clear()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_every_one_is_in_the_readme() -> None:
    said = set(re.findall(r"\]\(([\w./-]+)\)", (CONSUMERS / "README.md").read_text()))
    files = {
        str(path.relative_to(CONSUMERS)) for path in CONSUMERS.rglob("*.*") if path.suffix in {".py", ".mjs", ".yaml"}
    }
    assert files <= said
