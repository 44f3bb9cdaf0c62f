"""A Redis of the tests' own. Where servers are demanded, its absence is a failure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from rotators.lab import LabError
from rotators.lab.redis import Redis

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """Over TLS only, with an ACL file, and a slow log of every command."""
    try:
        Redis.find()
    except LabError as error:
        if os.environ.get("ROTATORS_REQUIRE_SERVERS"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with Redis.start(settings={"slowlog-log-slower-than": "0", "slowlog-max-len": "100000"}) as server:
        yield server


@pytest.fixture(autouse=True)
def trusting(redis_server: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(redis_server.ca_bundle))
    # redis-py reads all of the system's authorities at each login of a test: 24 ms, for certificates that no server here has.
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    monkeypatch.setenv("SSL_CERT_DIR", os.devnull)
