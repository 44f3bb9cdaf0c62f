"""Each promise broken on purpose is caught by the contract. A contract that can't fail proves nothing."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing import EngineContract
from tests.engines import wrong_engines as wrong
from tests.engines.mysql_target import MysqldTarget
from tests.engines.postgres_target import PostgresTarget

if TYPE_CHECKING:
    from rotators.lab.mariadb import MariaDB
    from rotators.lab.postgres import Postgres

CASES = [(kind, test, said) for kind, tests in wrong.WRONG.items() for test, said in tests.items()]
MARIADB = [case for case in CASES if issubclass(case[0], wrong.RealMySQL)]
POSTGRES = [case for case in CASES if case not in MARIADB]


def ids(case: Any) -> str:
    return getattr(case, "__name__", str(case))


def rejects(request: pytest.FixtureRequest, target: Any, kind: type[wrong.Real], test: str, said: str) -> None:
    abilities = {"alternates": True, "keeps_two_passwords": ("admin",), "engine": kind()}
    contract = type("Contract", (EngineContract,), abilities)()
    name, _, case = test.removesuffix("]").partition("[")
    method = getattr(contract, name)
    wanted = set(inspect.signature(method).parameters) - {"target"}
    more = {
        fixture: case if fixture in {"authority", "keeping"} else request.getfixturevalue(fixture) for fixture in wanted
    }
    arguments = [target] if "target" in inspect.signature(method).parameters else []
    with pytest.raises(Exception, match=said):
        method(*arguments, **more)


@pytest.mark.parametrize(("kind", "test", "said"), POSTGRES, ids=ids)
def test_the_contract_rejects(
    kind: type[wrong.Real],
    test: str,
    said: str,
    postgres_server: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(postgres_server.ca_bundle))
    rejects(request, PostgresTarget(postgres_server), kind, test, said)


@pytest.mark.parametrize(("kind", "test", "said"), MARIADB, ids=ids)
def test_the_contract_rejects_on_mariadb(
    kind: type[wrong.Real],
    test: str,
    said: str,
    mariadb: MariaDB,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(mariadb.ca_bundle))
    rejects(request, MysqldTarget(mariadb), kind, test, said)
