"""``rotators.handlers.database.handler``: one function for every database secret, on real servers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rotators import RotatorsError
from rotators.handlers.database import handler
from rotators.testing import Endpoint, SecretsManager, rotate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rotators.lab.mariadb import MariaDB
    from rotators.lab.postgres import Postgres
    from tests.mysql_world import MySQLWorld
    from tests.world import World

    Pair = tuple[World, MySQLWorld]


@pytest.fixture
def pair(
    service: SecretsManager,
    world: Callable[..., World],
    mysql_world: Callable[..., MySQLWorld],
    postgres_server: Postgres,
    mariadb: MariaDB,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Pair]:
    """Two secrets of two kinds, rotated by one function, which gets nothing but its environment."""
    found: Pair = (world(), mysql_world(mariadb))
    for app in found:
        app.handler = handler
    bundle = tmp_path / "ca.pem"
    bundle.write_text(
        "".join(server.ca_bundle.read_text() for server in (postgres_server, mariadb) if server.ca_bundle)
    )
    if bundle.stat().st_size:
        monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(bundle))
    with Endpoint(service) as url:
        monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", url)
        yield found


def test_one_function_rotates_both_kinds_in_turn(pair: Pair) -> None:
    for _ in range(2):
        for app in pair:
            before = app.value()
            outcome = rotate(app.service, app.arn)
            assert outcome.succeeded, outcome.error
            assert app.opens()
            assert app.value() == before | {"password": app.value()["password"]}
            assert not app.admits(before["password"])


def test_a_password_is_made_as_the_engine_of_its_secret_has_it(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[dict[str, Any]] = []
    respond = SecretsManager.respond

    def noting(service: SecretsManager, target: str, body: bytes, headers: Any = None) -> tuple[int, bytes]:
        if target.endswith(".GetRandomPassword"):
            drawn.append(json.loads(body))
        return respond(service, target, body, headers)

    monkeypatch.setattr(SecretsManager, "respond", noting)
    for app in pair:
        assert rotate(app.service, app.arn).succeeded
    assert [request["ExcludeCharacters"] for request in drawn] == [":/@\"'\\", "/@\"'\\"]


@pytest.mark.parametrize("step", ["setSecret", "testSecret", "finishSecret"])
def test_a_pending_value_of_the_other_kind_is_refused(pair: Pair, step: str) -> None:
    """Law 5: it is current's engine that says whether pending is for the same resource."""
    for app, other in (pair, pair[::-1]):
        token = app.pending(**other.value())
        with pytest.raises(RotatorsError, match="'engine' in the secret is not one"):
            app.step(step, token)
        assert app.opens()
        assert other.opens()


@pytest.mark.parametrize("changed", [{"engine": "oracle"}, {"engine": None}])
def test_a_secret_of_no_kind_that_we_know_is_refused_before_anything_is_stored(
    pair: Pair, changed: dict[str, Any]
) -> None:
    app = pair[0]
    value = {**app.value(), **changed}
    app.service.client().put_secret_value(SecretId=app.arn, SecretString=json.dumps(value))
    app.service.calls.clear()

    outcome = rotate(app.service, app.arn)

    assert '"mariadb" or "memorydb" or "mysql" or "postgres"' in str(outcome.error)
    assert not [call for call in app.service.calls if call.operation == "PutSecretValue"]
