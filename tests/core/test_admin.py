"""The admin's secret: for which servers it may be used, and who says so (law 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rotators import ConfigurationError, Secret, SecretError
from rotators.admin import at, authority
from rotators.database_secret import DatabaseSecret
from tests.rds import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.rds import RDSEndpoint

ENGINES = {"postgres"}
APP = {"engine": "postgres", "host": "db.example.com", "port": 5432, "username": "app", "password": "app-Canary"}
ADMIN = {"username": "admin", "password": "admin-Canary"}
NOT_USED = "'masterarn' names.*it was not used"


def ask(admin: Mapping[str, Any], **target: Any) -> DatabaseSecret:
    view = DatabaseSecret.of(Secret({**APP, **target}), engines=ENGINES, port=5432, dbname="postgres")
    return authority(Secret(admin), view, engines=ENGINES)


@pytest.mark.parametrize("name", ["db.example.com", "DB.example.com", "db.example.com.", "[db.example.com]"])
def test_the_same_host_asks_nobody(rds: RDSEndpoint, name: str) -> None:
    view = ask({**ADMIN, "host": name, "port": "5432"}, dbname="shop")
    assert (view.username, view.port, view.dbname, view.tls) == ("admin", 5432, "shop", True)
    assert rds.asked == []


@pytest.mark.parametrize(
    "admin, target",
    [
        ({"host": "other.example.com"}, {}),
        ({"host": "db.example.com", "port": 5433}, {}),
        ({"host": f"main.abc.{SUFFIX}"}, {}),
        ({"host": "db.example.com"}, {"host": f"main.abc.{SUFFIX}"}),
    ],
)
def test_another_server_is_refused_with_the_way_out(
    rds: RDSEndpoint, admin: dict[str, Any], target: dict[str, Any]
) -> None:
    rds.instance("main")
    with pytest.raises(SecretError, match=f"{NOT_USED}.*ROTATORS_HOST_ALIASES") as caught:
        ask({**ADMIN, **admin}, **target)
    assert rds.asked == [], "only where both have RDS's names"
    assert "Canary" not in str(caught.value)


def test_an_alias_passes_and_the_admin_keeps_its_own_host(monkeypatch: pytest.MonkeyPatch, rds: RDSEndpoint) -> None:
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", "db.example.com=main.example.com")
    view = ask({**ADMIN, "host": "main.example.com"})
    assert view.host == "main.example.com"
    assert rds.asked == []


def test_an_alias_does_not_make_it_less_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", "db.example.com=main.example.com")
    with pytest.raises(SecretError, match=NOT_USED):
        ask({**ADMIN, "host": "main.example.com", "ssl": False})
    assert not ask({**ADMIN, "host": "main.example.com", "ssl": False}, ssl=False).tls


def test_rds_says_who_follows_whom(rds: RDSEndpoint) -> None:
    main = rds.instance("main", port=5433)
    replica = rds.instance("replica", ReadReplicaSourceDBInstanceIdentifier="main")
    view = ask({**ADMIN, "host": main, "port": 5433}, host=replica)
    assert (view.host, view.port) == (main, 5433)
    with pytest.raises(SecretError, match=NOT_USED):
        ask({**ADMIN, "host": replica}, host=main, port=5433)


def test_a_role_that_may_not_ask_rds(rds: RDSEndpoint) -> None:
    rds.faults = [(403, "AccessDenied")]
    with pytest.raises(ConfigurationError, match="rds:DescribeDBInstances on main.*or name the.*ROTATORS_HOST_ALIASES"):
        ask({**ADMIN, "host": f"main.abc.{SUFFIX}"}, host=f"replica.abc.{SUFFIX}")


def test_an_admin_without_a_host_is_used_for_hosts_we_know_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes the secret could else have the admin log in at a host of theirs."""
    with pytest.raises(SecretError, match="has no 'host'.*it was not used.*ROTATORS_HOST_ALIASES") as caught:
        ask(ADMIN)
    assert "Canary" not in str(caught.value)
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", "other.example.com")
    with pytest.raises(SecretError, match=NOT_USED):
        ask(ADMIN)
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", "other.example.com, db.example.com")
    assert ask(ADMIN).host == "db.example.com"
    with pytest.raises(SecretError, match=NOT_USED):
        ask({**ADMIN, "port": 5433})


def test_a_proof_is_at_the_server_that_was_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", "db.example.com:5432=main.example.com:6432")
    target = DatabaseSecret.of(Secret(APP), engines=ENGINES, port=5432, dbname="postgres")
    view = authority(Secret({**ADMIN, "host": "main.example.com", "port": 6432}), target, engines=ENGINES)
    there = at(view, target)
    assert (there.host, there.port, there.username, there.password) == ("main.example.com", 6432, "app", "app-Canary")
