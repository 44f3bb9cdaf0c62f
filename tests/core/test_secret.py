"""A secret keeps what it was given and shows nothing of it."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import pprint
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotators import DatabaseSecret, Secret, SecretError
from rotators.errors import scrub

CANARY = "c4n4ry-0f-th3-m1ne"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=6), st.text())
def test_unknown_keys_their_order_and_their_types_survive(values: dict[str, Any], password: str) -> None:
    before = json.dumps(values)
    after = json.loads(Secret.read({"SecretString": before}, label="AWSCURRENT").replace(password=password).to_json())
    expected = {**json.loads(before), "password": password}
    assert list(after.items()) == list(expected.items())
    assert [type(v) for v in after.values()] == [type(v) for v in expected.values()]


@pytest.mark.parametrize(
    "channel",
    [
        str,
        repr,
        "{}".format,
        "{!r}".format,
        pprint.pformat,
        lambda s: json.dumps({"secret": s}, default=str),
        lambda s: "".join(traceback.format_exception(ValueError(s))),
        lambda s: logging.LogRecord("x", 20, "x", 1, "%s", (s,), None).getMessage(),
        lambda s: repr([s, {"k": s}]),
    ],
)
def test_no_channel_shows_a_value(channel: Any) -> None:
    secret = Secret({"host": "db", "password": CANARY})
    view = DatabaseSecret("postgres", "db", 5432, "app", CANARY, "postgres", True, None)
    assert CANARY not in channel(secret)
    assert CANARY not in channel(view)
    assert "password" in channel(secret)


def test_a_secret_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not to be pickled"):
        pickle.dumps(Secret({"password": CANARY}))


@pytest.mark.parametrize(
    "text, said",
    [
        (None, "is binary; expected a JSON object"),
        ("", "is not JSON"),
        (CANARY, "is not JSON"),
        ('{"password": "' + CANARY, "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        (f'["{CANARY}"]', "is a list"),
        (f'"{CANARY}"', "is a string"),
        ("null", "is null"),
        ("17", "is a number"),
        ("true", "is true or false"),
    ],
)
def test_anything_but_a_json_object_is_refused_without_quoting_it(text: str | None, said: str) -> None:
    answer = {"SecretBinary": CANARY.encode()} if text is None else {"SecretString": text}
    secret = Secret.read(answer, label="AWSCURRENT")
    with pytest.raises(SecretError, match=said) as caught:
        secret.get("password")
    for asked in (
        secret.keyed,
        secret.to_json,
        secret.replace,
        lambda: "x" in secret,
        lambda: dict(secret),
        lambda: len(secret),
    ):
        with pytest.raises(SecretError, match=said):
            asked()
    assert CANARY not in repr(secret)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


@pytest.mark.parametrize("value", [CANARY, CANARY.encode(), b"\x00\xff" + CANARY.encode(), f'["{CANARY}"]', ""])
def test_a_value_without_keys_is_stored_as_it_was_read(value: str | bytes) -> None:
    answer = {"SecretBinary": value} if isinstance(value, bytes) else {"SecretString": value}
    secret = Secret.read(answer, label="AWSCURRENT")
    assert secret.plain
    assert secret.stored() == answer
    assert secret == Secret(value) != Secret(value + value if value else "x")  # type: ignore[operator]
    assert (secret.data if isinstance(value, bytes) else secret.text) == value
    with pytest.raises(SecretError, match="expected"):
        _ = secret.text if isinstance(value, bytes) else secret.data


def test_with_keys_it_is_neither_text_nor_bytes() -> None:
    secret = Secret({"password": CANARY})
    assert not secret.plain
    assert secret.stored() == {"SecretString": json.dumps({"password": CANARY})}
    for asked in (lambda: secret.text, lambda: secret.data):
        with pytest.raises(SecretError, match="expected"):
            asked()


@pytest.mark.parametrize("value", [CANARY, f'["{CANARY}"]', CANARY.encode(), b"\xff" + CANARY.encode()])
def test_law_9_a_value_without_keys_is_scrubbed(value: str | bytes) -> None:
    data = value if isinstance(value, bytes) else value.encode()
    for text in (str(value), repr(value), base64.b64encode(data).decode(), data.decode(errors="ignore")):
        if isinstance(value, bytes) or text == str(value):
            left = scrub(f"refused: {text}", Secret(value).hidden())
            assert text not in left
            assert CANARY not in left


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_can_not_express_is_refused(value: float) -> None:
    with pytest.raises(SecretError, match="JSON can't express"):
        Secret({"x": value}).to_json()


def test_a_lone_surrogate_survives() -> None:
    assert json.loads(Secret({"x": "\ud800é"}).to_json()) == {"x": "\ud800é"}


GOOD = {"engine": "postgres", "host": "DB.example.com.", "username": "app", "password": CANARY}


def view(**changes: Any) -> DatabaseSecret:
    values = {k: v for k, v in {**GOOD, **changes}.items() if v is not ...}
    return DatabaseSecret.of(Secret(values), engines={"postgres"}, port=5432, dbname="postgres")


def test_the_defaults() -> None:
    found = view()
    assert (found.port, found.dbname, found.tls, found.admin_arn) == (5432, "postgres", True, None)
    assert view(port=None, dbname=None, ssl=None, masterarn=None) == found


@pytest.mark.parametrize("port", ["5433", 5433])
def test_a_port_may_be_a_string(port: Any) -> None:
    assert view(port=port).port == 5433


@pytest.mark.parametrize("ssl, tls", [(True, True), ("true", True), ("True", True), (False, False), ("false", False)])
def test_plaintext_only_by_the_secrets_own_word(ssl: Any, tls: bool) -> None:
    assert view(ssl=ssl).tls is tls


NO_TEXT: tuple[Any, ...] = (None, "", 7, [CANARY], {})
NO_PORT: tuple[Any, ...] = ("abc", "", "54 32", "-1", "0", 0, 65536, -5, 1.5, True, [], "9" * 9, "٥٤٣٢")
NO_FLAG: tuple[Any, ...] = ("maybe", "", 1, 0, [])
BAD: list[tuple[str, Any]] = [
    *[(key, bad) for key in ("engine", "host", "username", "password") for bad in (..., *NO_TEXT)],
    *[("port", bad) for bad in NO_PORT],
    *[("dbname", bad) for bad in (*NO_TEXT[1:], "a\0b")],
    *[("ssl", bad) for bad in NO_FLAG],
    ("masterarn", ""),
    ("masterarn", 7),
    *[("host", bad) for bad in ("a,b", "/tmp", "db:5432 ", "app@db", "a\0b")],
    ("engine", "mysql"),
    ("username", "a\0b"),
    ("password", "lone \ud800 surrogate"),
    ("dbname", "\udfff"),
]  # fmt: skip


@pytest.mark.parametrize("key, value", BAD)
def test_a_bad_key_is_named_and_its_value_is_not(key: str, value: Any) -> None:
    with pytest.raises(SecretError) as caught:
        view(**{key: value})
    said = str(caught.value)
    assert f"'{key}'" in said
    assert CANARY not in said
    assert (
        value in (..., None, "", "0")
        or str(value) not in said.replace("65535", "")
        or isinstance(value, (int, dict, list))
    )


@pytest.mark.parametrize("host, plain", [("db.example.com.", "db.example.com"), ("[::1]", "::1"), ("::1", "::1")])
def test_a_host_is_written_in_several_ways(host: str, plain: str) -> None:
    assert view(host=host).host == plain


def test_the_same_resource_is_the_same_whatever_the_case_of_its_host() -> None:
    assert view().resource() == view(host="db.EXAMPLE.com").resource()
    assert view().resource() != view(ssl=False).resource()
    assert CANARY not in str(view().resource())
