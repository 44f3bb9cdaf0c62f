"""What is wrong in a description is said with the file, the line and the key; and which description a secret gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from rotators import ConfigurationError, RotatorsError, Secret
from rotators.engines.api_key import Catalogue, described
from rotators.engines.api_key.pointer import Pointer
from rotators.engines.api_key.reading import read
from rotators.engines.api_key.template import BadTemplate, Template

COURIER = (Path(__file__).parents[2] / "examples/api-key/providers/courier.toml").read_text()

WRONG = [
    ("overlap =", "overlapp =", "courier.toml, line 3: 'overlapp' is not known here; did you mean 'overlap'?"),
    ('"manual"', '"none"', "courier.toml, line 3: 'overlap' is 'none'; expected manual or expiring or"),
    ("most = 3", "most = true", "courier.toml, line 4: 'most' is not a whole number"),
    ("most = 3", "most = 1", "courier.toml, line 4: 'most' is 1; expected 2 or more"),
    ("settles = 5 ", "settles = 601 ", "line 5: 'settles' is 601; expected 0 to 600"),
    ("{by.api_key}", "{bye.api_key}", "line 6: 'headers.Authorization' has {bye.api_key}; known here are by,"),
    ("{by.api_key}", "{by}", "line 6: 'headers.Authorization' has {by}; say which key, as in {by.key}"),
    ("{by.api_key}", "{by.api_key", "has a single {; write {{ for the character itself"),
    ("{by.api_key}", "{by.api_key|rot13}", "behind | may stand base64, sha256"),
    ("{by.api_key}", "{login.token}", "'login' is missing, and {login.…} stands somewhere"),
    ('key = "api_key"', 'kee = "api_key"', "line 9: [secret] 'kee' is not known here; did you mean 'key'?"),
    ('id = "key_id"', "", "line 8: [secret] 'id' is missing; say under which name"),
    (
        'path = "/keys"\njson',
        'pathe = "/keys"\njson',
        "line 17: [issue] 'pathe' is not known here; did you mean 'path'?",
    ),
    ('path = "/keys"\njson', "json", "line 16: [issue] 'path' is missing; expected a string"),
    ("works = [201]", "works = 201", "line 19: [issue] 'works' is not a list"),
    ("works = [201]", "works = [2010]", "line 19: [issue] 'works' is not a list of HTTP statuses, such as [200, 201]"),
    ("works = [201]", 'form = { a = "b" }', "line 19: [issue] 'form' stands beside 'json'"),
    ("works = [201]", 'basic = ["{by.x}"]', "line 19: [issue] 'basic' expects two strings"),
    ("works = [201]", 'method = "post"', "line 19: [issue] 'method' is 'post'; expected GET or POST"),
    ("{name}", "{id}", "[issue] 'json' has {id}; known here are"),
    ('"/key"', '"key"', "[issue] 'take.api_key' is 'key'; a place in the answer begins with /"),
    ('api_key = "/key", ', "", "[issue] 'take' does not say where 'api_key' is in the answer"),
    ('[test]\npath = "/parcels"', "", "'test' is missing; overlap = \"manual\" needs it, as a table [test]"),
    ("[test]", "[promote]\npath = '/'\n[test]", "'promote' has no use with overlap = \"manual\""),
    ('id = "/id"\nname', "name", "[list] 'id' is missing"),
    ('at = "/next", ', "", "[list.next] 'at' is missing"),
    (
        'url = "{secret.url}" ',
        'url = "http://api.example.com" ',
        "line 2: 'url' is not https: keys would be sent unencrypted",
    ),
    ('url = "{secret.url}" ', 'url = "api.example.com" ', "line 2: 'url' does not begin with https://"),
    ('url = "{secret.url}" ', 'url = "https://{by.host}" ', "line 2: 'url' has {by.host}; known here are secret"),
    ("[secret]", "untestable = 'no'\n[secret]", "'untestable' is for self-made keys"),
    ("[secret]", "slots = ['a', 'b']\n[secret]", "'slots' is for overlap = 'slots'"),
    ("[secret]", "secret", "courier.toml is not TOML"),
]


@pytest.mark.parametrize(("right", "wrong", "said"), WRONG)
def test_what_is_wrong(right: str, wrong: str, said: str) -> None:
    assert right in COURIER
    with pytest.raises(ConfigurationError) as caught:
        read("courier", "courier.toml", COURIER.replace(right, wrong, 1))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('overlap = "slots"\nurl = "https://x"\nslots = ["a"]', "'slots' needs two names"),
        ('overlap = "expiring"\nurl = "https://x"', "'grace' is missing"),
        ('overlap = "manual"\nurl = "https://x"\nmost = 2', "'list' is missing"),
        ('overlap = "self-made"\nurl = "https://x"', "'push' is missing"),
    ],
)
def test_what_an_overlap_needs(text: str, said: str) -> None:
    more = "[secret]\nkey = 'k'\n[issue]\npath = '/'\ntake = { k = '/k' }\n[test]\npath = '/'\n"
    if "self-made" in text:
        more = "[secret]\nkey = 'k'\n[test]\npath = '/'\n"
    with pytest.raises(ConfigurationError) as caught:
        read("x", "x.toml", f"{text}\n{more}")
    assert said in str(caught.value)


def test_templates() -> None:
    fill = {"by": Secret({"k": "a b", "n": 7, "t": True}), "name": "x"}
    known = {"by", "name"}
    assert Template("{{{by.k}}}-{name}", allowed=known).fill(fill) == "{a b}-x"
    assert Template("{by.n}", allowed=known).value(fill) == 7
    assert Template("n{by.n}", allowed=known).value(fill) == "n7"
    assert Template("{by.t}", allowed=known).fill(fill) == "true"
    assert Template("{by.k|url}/{by.k|base64}", allowed=known).fill(fill) == "a%20b/YSBi"
    assert Template("{by.k|base64|unbase64|text}", allowed=known).fill(fill) == str(b"a b")
    with pytest.raises(RotatorsError, match="'missing' is missing in the secret that authorises the call"):
        Template("{by.missing}", allowed=known).fill(fill)
    with pytest.raises(RotatorsError, match="'n' in the secret that authorises the call is not base64"):
        Template("{by.n|unbase64}", allowed=known).fill(fill)
    for wrong in ("{", "}", "{}", "{by.}", "{name.x}", "{by.k|}", "{By.k}"):
        with pytest.raises(BadTemplate):
            Template(wrong, allowed=known)


def test_pointers() -> None:
    answer = {"keys": [{"name": "a", "value": 1}, {"name": "b", "value": 2}], "0": "zero", "n": None}
    assert Pointer("").find(answer) is answer
    assert Pointer("/keys/1/value").find(answer) == 2
    assert Pointer("/keys[name=b]/value").find(answer) == 2
    assert Pointer("/keys[name={slot}]/value").find(answer, slot="a") == 1
    for nothing in ("/keys/2", "/keys/x", "/keys[name=c]/value", "/n/x", "/0/0", "/keys/-1"):
        assert Pointer(nothing).find(answer) is None
    assert Pointer("/n?").optional
    for wrong in ("keys", "/keys[name]", "/keys[a=b", "/a[b=c]d"):
        with pytest.raises(BadTemplate):
            Pointer(wrong)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A function's own folder, with a description of its own in it."""
    monkeypatch.delenv("ROTATORS_PROVIDER", raising=False)
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers/courier.toml").write_text(COURIER)
    (tmp_path / "outside.toml").write_text(COURIER)
    return tmp_path


def test_the_secret_names_it(folder: Path) -> None:
    catalogue = Catalogue()
    for key in ("provider", "engine"):
        assert catalogue.provider_of(Secret({key: "courier"})).name == "courier"
        assert catalogue.provider_of(Secret({key: "sendgrid"})).name == "sendgrid"
    (folder / "providers/sendgrid.toml").write_text(COURIER)
    assert (
        catalogue.provider_of(Secret({"provider": "sendgrid"})).document.url.text == "{secret.url}"
    )  # one's own comes first


@pytest.mark.parametrize(
    "name", ["nobody", "../outside", "outside", "", 7, "COURIER", "courier.toml", "/etc/passwd", None]
)
def test_it_names_none(folder: Path, name: object) -> None:
    with pytest.raises(RotatorsError) as caught:
        Catalogue().provider_of(Secret({"provider": name}))
    assert "courier, datadog" in str(caught.value)
    assert "ROTATORS_PROVIDER" in str(caught.value)


def test_the_variable_names_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue()
    for value in ("courier", "providers/courier.toml", str(folder / "providers/courier.toml")):
        monkeypatch.setenv("ROTATORS_PROVIDER", value)
        assert catalogue.provider_of(Secret({})).name == "courier"
        assert catalogue.provider_of(Secret({"provider": "courier"})).name == "courier"
        with pytest.raises(RotatorsError, match="for another provider than courier"):
            catalogue.provider_of(Secret({"provider": "sendgrid"}))
    for value in ("nobody", "providers/nobody.toml"):
        monkeypatch.setenv("ROTATORS_PROVIDER", value)
        with pytest.raises(ConfigurationError, match=f"ROTATORS_PROVIDER is '{value}', which is no file"):
            catalogue.provider_of(Secret({}))


def test_a_description_that_was_changed_is_read_again(folder: Path) -> None:
    path = folder / "providers/courier.toml"
    assert described(path).settles == 5
    path.write_text(COURIER.replace("settles = 5 ", "settles = 7 "))
    assert described(path).settles == 7
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="courier.toml can't be read"):
        described(path)
