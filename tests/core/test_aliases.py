"""ROTATORS_HOST_ALIASES: two names of one server, by the operator's word."""

from __future__ import annotations

import pytest

from rotators import ConfigurationError
from rotators.aliases import EXAMPLE, known, same

DB, PROXY = ("db.example.com", 5432), ("proxy.example.com", 5432)


@pytest.mark.parametrize(
    "text, one, other, expected",
    [
        ("db.example.com=proxy.example.com", DB, PROXY, True),
        ("proxy.example.com=db.example.com", DB, PROXY, True),
        (" a=b , DB.Example.com. = c = proxy.example.com ", DB, PROXY, True),
        ("db.example.com=proxy.example.com", ("Db.example.com.", 5432), PROXY, True),
        ("db.example.com,proxy.example.com", DB, PROXY, False),
        ("db.example.com=a,a=proxy.example.com", DB, PROXY, False),
        ("db.example.com=proxy.example.com", DB, ("proxy.example.com", 6432), False),
        ("db.example.com=proxy.example.com:6432", DB, ("proxy.example.com", 6432), False),
        ("db.example.com:5432=proxy.example.com:6432", DB, ("proxy.example.com", 6432), True),
        ("db.example.com:5432=proxy.example.com:6432", DB, ("proxy.example.com", 6433), False),
        ("db.example.com:5433=proxy.example.com", DB, PROXY, False),
        ("h:1=h:2", ("h", 1), ("h", 2), True),
        ("h", ("h", 1), ("h", 2), False),
        ("::1=localhost", ("::1", 5432), ("localhost", 5432), True),
        ("[::1]:5432=[FE80::1]:5433", ("::1", 5432), ("[fe80::1]", 5433), True),
        ("db.example.com=proxy.example.com", ("evil-db.example.com", 5432), PROXY, False),
        ("", DB, PROXY, False),
        ("  ", DB, PROXY, False),
    ],
)
def test_two_names_of_one_server(
    monkeypatch: pytest.MonkeyPatch, text: str, one: tuple[str, int], other: tuple[str, int], expected: bool
) -> None:
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", text)
    assert same(one, other) is expected
    assert same(other, one) is expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("db.example.com", True),
        ("a=b, DB.example.com.=c", True),
        ("db.example.com:5432", True),
        ("db.example.com:5433", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_a_host_that_is_known(monkeypatch: pytest.MonkeyPatch, text: str, expected: bool) -> None:
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", text)
    assert known(*DB) is expected


@pytest.mark.parametrize(
    "text",
    [
        "a=",
        ",",
        "a,,b",
        "a=b,",
        "=",
        "a b",
        "a:b",
        "a:0",
        "a:65536",
        "a:-1",
        "postgres://a",
        "a/b",
        "me@a",
        "[::1",
        "::1:]",
    ],
)
def test_what_can_not_be_read(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", text)
    with pytest.raises(ConfigurationError, match="ROTATORS_HOST_ALIASES can't be read at ") as caught:
        known("nobody", 1)
    assert EXAMPLE in str(caught.value)
    with pytest.raises(ConfigurationError, match="ROTATORS_HOST_ALIASES"):
        same(("nobody", 1), ("none", 1))


def test_the_example_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATORS_HOST_ALIASES", EXAMPLE.strip('"'))
    assert same(("main.example.com", 5432), ("pool.example.com", 6432))
    assert same(DB, PROXY)
