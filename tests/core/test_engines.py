"""Which engine a secret names: ours, and those that other packages register as entry points."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from rotators import ConfigurationError, Secret, SecretError, engines
from rotators.abc import Engine
from rotators.engines.database import Database
from rotators.engines.mysql import MySQL
from rotators.engines.postgres import Postgres
from rotators.testing import rotate
from tests.world import Stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rotators.testing import SecretsManager

    Install = Callable[..., Path]

#: A door that is a file: whoever knows what is in it may write it.
SOURCE = """
from pathlib import Path
from rotators.errors import CredentialRejected

class Acme:
    name = "acme"

    def resource(self, secret):
        return {"file": secret["file"], "username": secret["username"]}

    def test(self, secret):
        if Path(secret["file"]).read_text() != secret["password"]:
            raise CredentialRejected("not what the file holds")

    def set(self, secret, *, by, like):
        self.test(by)
        Path(secret["file"]).write_text(secret["password"])
"""
FORGOTTEN = "the database's password is Canary"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package as pip does, to be found before those that are there: `install("acme_db", SOURCE, acme="Acme")`."""
    monkeypatch.setattr(engines, "_made", {})

    def make(package: str, source: str, **points: str) -> Path:
        site = tmp_path / package
        metadata = site / f"{package}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (site / f"{package}.py").write_text(source)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {package}:{attribute}" for name, attribute in points.items()]
        (metadata / "entry_points.txt").write_text("\n".join(["[rotators.engines]", *lines]))
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, package, raising=False)
        return site

    return make


@pytest.mark.parametrize(
    "name, kind",
    [
        ("postgres", Postgres),
        ("aurora-postgresql", Postgres),
        ("mysql", MySQL),
        ("aurora-mysql", MySQL),
        ("mariadb", MySQL),
    ],
)
def test_ours_by_the_names_that_secrets_manager_has_for_them(name: str, kind: type) -> None:
    assert type(engines.engine(name)) is kind
    assert isinstance(engines.engine(name), Engine)


def test_every_name_of_ours_is_one_that_its_engine_takes() -> None:
    value = {"host": "db", "username": "app", "password": "x"}
    for name in engines.ENGINES:
        part = "user/app" if name == "memorydb" else "user:app"
        arn = {"user_arn": f"arn:aws:{name}:eu-central-1:123456789012:{part}"}
        assert engines.engine(name).resource(Secret({**value, **arn, "engine": name}))["host"] == "db"


def test_an_engine_is_made_once() -> None:
    assert engines.engine("postgres") is engines.engine("postgres")


@pytest.mark.parametrize("name", [None, 5, ["postgres"], {}])
def test_a_secret_without_an_engine_is_told_which_there_are(name: Any) -> None:
    with pytest.raises(SecretError, match='\'engine\' is missing in the secret.*"mariadb" or "memorydb" or "mysql"'):
        engines.engine(name)


@pytest.mark.parametrize("name", ["", "oracle", "Postgres", "postgres ", FORGOTTEN])
def test_an_engine_nobody_knows_is_not_named(name: str) -> None:
    """A value that somebody pasted into the wrong place is not to be read in a log (law 9)."""
    with pytest.raises(SecretError, match='is none that this function knows; expected.*"postgres"') as caught:
        engines.engine(name)
    assert "Canary" not in str(caught.value)
    assert "oracle" not in str(caught.value)


def test_another_packages_engine_rotates(install: Install, service: SecretsManager, tmp_path: Path) -> None:
    install("acme_db", SOURCE, acme="Acme")
    door = tmp_path / "door"
    door.write_text("first")
    value = {"engine": "acme", "file": str(door), "username": "app", "password": "first"}
    app = Stored(service, Database(), value, {})

    for _ in range(2):
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error

    assert app.value()["password"] == door.read_text()
    assert app.value("AWSPREVIOUS")["password"] != "first"


def test_another_package_can_t_stand_in_for_ours(install: Install) -> None:
    install("acme_db", SOURCE, postgres="Acme", mysql="Acme")
    assert type(engines.engine("postgres")) is Postgres
    assert type(engines.engine("mysql")) is MySQL


@pytest.mark.parametrize(
    "source, attribute, what",
    [
        (f"raise RuntimeError({FORGOTTEN!r})", "Acme", "RuntimeError"),
        ("from json import no_such_thing", "Acme", "ImportError"),
        ("", "Acme", "AttributeError"),
        ("class Acme:\n    def __init__(self, host): ...", "Acme", "TypeError"),
    ],
)
def test_one_that_can_t_be_loaded_is_named(install: Install, source: str, attribute: str, what: str) -> None:
    install("acme_db", source, acme=attribute)
    with pytest.raises(ConfigurationError) as caught:
        engines.engine("acme")
    assert str(caught.value) == f"the engine 'acme' can't be loaded: {what} while loading acme_db:{attribute}"
    assert caught.value.__context__ is None, "a foreign error's text may hold anything"


@pytest.mark.parametrize(
    "requires, told",
    [
        ("", "pip install 'no_such_driver'"),
        ("Requires-Dist: no-such-driver>=2", "pip install 'no-such-driver>=2'"),
        (
            'Provides-Extra: door\nRequires-Dist: No_Such.Driver[fast]<3,>=2 ; extra == "door"',
            "pip install 'acme_db[door]'",
        ),
        (
            "Provides-Extra: door\nProvides-Extra: wall",
            "pip install 'no_such_driver', or acme_db with its extra: door, wall",
        ),
    ],
)
def test_one_whose_driver_is_missing_says_what_to_install(
    install: Install, service: SecretsManager, requires: str, told: str
) -> None:
    """One error, and what it advises is by the metadata of the engine's package."""
    site = install("acme_db", f"import no_such_driver.wire\n{SOURCE}", acme="Acme")
    metadata = site / "acme_db-1.0.dist-info" / "METADATA"
    metadata.write_text(f"{metadata.read_text()}{requires}\n")
    app = Stored(service, Database(), {"engine": "acme", "file": "/", "username": "app", "password": "first"}, {})
    outcome = rotate(app.service, app.arn)
    assert type(outcome.error) is ConfigurationError
    assert str(outcome.error) == f"the engine 'acme' of acme_db needs no_such_driver, which is not installed: {told}"
    assert not outcome.error.retryable


def test_one_that_loads_its_driver_late_says_it_too(install: Install, service: SecretsManager, tmp_path: Path) -> None:
    """As ours do: the step that first needs it imports it."""
    install(
        "acme_db", SOURCE.replace("        if Path", "        import no_such_driver.wire\n        if Path"), acme="Acme"
    )
    value = {"engine": "acme", "file": str(tmp_path), "username": "app", "password": "first"}
    app = Stored(service, Database(), value, {})
    outcome = rotate(app.service, app.arn)
    assert type(outcome.error) is ConfigurationError
    assert str(outcome.error).endswith(
        "no_such_driver is not installed, pip install 'no_such_driver' or what else brings it"
    )


def test_a_forged_name_of_a_module_is_not_repeated(install: Install) -> None:
    install("acme_db", f"raise ModuleNotFoundError(name={FORGOTTEN!r})", acme="Acme")
    with pytest.raises(ConfigurationError, match="can't be loaded: ModuleNotFoundError while loading acme_db:Acme"):
        engines.engine("acme")


def test_one_that_can_be_loaded_does_where_another_can_t(install: Install) -> None:
    install("acme_db", SOURCE, acme="Acme")
    install("acme_broken", "import no_such_driver", acme="Acme")
    assert engines.engine("acme").name == "acme"


def test_one_that_was_mended_is_found(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure is not remembered: a sandbox may live for hours."""
    site = install("acme_db", "import no_such_driver", acme="Acme")
    with pytest.raises(ConfigurationError):
        engines.engine("acme")
    (site / "acme_db.py").write_text("class Acme:\n    name = 'acme'")
    assert engines.engine("acme").name == "acme"
