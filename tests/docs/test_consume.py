"""The code of docs/consume.md, as it stands there, against a real PostgreSQL."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing import Endpoint, SecretsManager
from tests.deploy.sam import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.world import World

CODE = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/consume.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def shop(world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    app, service = world(), SecretsManager()
    service.client().create_secret(Name="shop/app", SecretString=json.dumps(app.value()))
    with Endpoint(service) as url:
        for name in ("SECRETS_MANAGER_ENDPOINT", "AWS_ENDPOINT_URL_SECRETS_MANAGER"):
            monkeypatch.setenv(name, url)
        yield app


def test_it_runs(shop: World, capsys: pytest.CaptureFixture[str]) -> None:
    logged_in: list[Any] = []

    def log_in(username: str, password: str) -> None:
        logged_in.append((username, password))

    for code in CODE:
        exec(compile(code, "docs/consume.md", "exec"), {"log_in": log_in})

    assert len(CODE) == 3
    assert logged_in == [(shop.username, shop.value()["password"])]
    assert capsys.readouterr().out.split()[1:] == [shop.username]


def test_every_name_of_ours_in_it_is_there() -> None:
    from rotators import consumer

    text = (ROOT / "docs/consume.md").read_text()
    errors = re.findall(r"`((?:Secret|Access|Key|Throttled|Service)[A-Za-z]*)`", text)
    assert len(set(errors)) >= 7
    assert [name for name in errors if not hasattr(consumer, name) and name != "SecretChangedTopicArn"] == []
