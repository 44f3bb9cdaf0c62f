"""Which rotator a secret is for, and what is said where none is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rotators import ConfigurationError, Secret, SecretError, SecretStore
from rotators.diagnosis.rotator_for import rotator_for
from rotators.testing import SecretsManager

if TYPE_CHECKING:
    from pathlib import Path

STORE = SecretStore(SecretsManager().client())


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"engine": "mariadb", "password": "p"}, "EngineRotator"),
        ({"user_arn": "arn:aws:elasticache:eu-central-1:123456789012:user:app"}, "EngineRotator"),
        ({"provider": "sendgrid", "key": "k"}, "KeyRotator"),
        ({"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "s"}, "AccessKeyRotator"),
    ],
)
def test_by_the_value(value: dict[str, Any], kind: str) -> None:
    found = rotator_for(Secret(value), STORE)

    assert type(found).__name__ == kind
    assert found._store is STORE


def test_the_handlers_own_calls_stay_what_they_were() -> None:
    from rotators.handlers.database import handler

    assert rotator_for(Secret({"engine": "postgres"}), STORE) is not handler
    assert handler._store is not STORE


@pytest.mark.parametrize("value", ["canary-5317", {"password": "canary-5317"}])
def test_a_value_that_says_nothing(value: Any) -> None:
    with pytest.raises(SecretError, match="--handler package.module.attribute") as caught:
        rotator_for(Secret(value), STORE)
    assert "canary" not in str(caught.value)


def test_ones_own_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_rotator_of_test.py").write_text(
        "from rotators import Rotator\n\n\nclass Own(Rotator):\n    def set(self, rotation): ...\n\n    def test(self, secret): ...\n\n\n"
        "handler = Own()\nother = 1\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["", *__import__("sys").path])

    assert type(rotator_for(Secret("plain"), STORE, handler="own_rotator_of_test.handler")).__name__ == "Own"
    for wrong in ("own_rotator_of_test.other", "own_rotator_of_test.none", "no_such_module.handler", "handler"):
        with pytest.raises(ConfigurationError, match="handler"):
            rotator_for(Secret("plain"), STORE, handler=wrong)
    with pytest.raises(ConfigurationError, match="'handler' is not of the form package.module.attribute"):
        rotator_for(Secret("plain"), STORE, handler="handler")
