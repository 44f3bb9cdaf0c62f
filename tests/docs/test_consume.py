"""The code of docs/consume.md, as it stands there, against a real PostgreSQL."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from rotators.testing import Endpoint
from tests.deploy.sam import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.world import World

CODE = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/consume.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture
def shop(world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    app = world()
    for name, value in (("shop/app", app.value()), ("shop/courier", {"key": "parcel-1"})):
        app.service.client().create_secret(Name=name, SecretString=json.dumps(value))
    with Endpoint(app.service) as url:
        for name in ("SECRETS_MANAGER_ENDPOINT", "AWS_ENDPOINT_URL_SECRETS_MANAGER"):
            monkeypatch.setenv(name, url)
        yield app


@pytest.fixture
def courier() -> Iterator[str]:
    """A site that wants a key."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.headers["X-Api-Key"] == "parcel-1" else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_it_runs(shop: World, courier: str, capsys: pytest.CaptureFixture[str]) -> None:
    logged_in: list[Any] = []
    names: dict[str, Any] = {
        "url": courier,
        "log_in": lambda username, password: logged_in.append((username, password)),
    }
    for code in CODE:
        exec(compile(code, "docs/consume.md", "exec"), names)

    assert len(CODE) == 6
    assert logged_in == [(shop.username, shop.value()["password"])]
    assert capsys.readouterr().out.split()[1:] == [shop.username]
    assert names["answer"].status_code == 200
    with names["pool"] as pool, pool.connection(10) as pooled:
        assert pooled.execute("SELECT current_user").fetchone() == (shop.username,)
    with names["engine"].connect() as opened:
        assert opened.exec_driver_sql("SELECT current_user").scalar() == shop.username
    names["engine"].dispose()


def test_the_readmes_code_is_the_first_of_it() -> None:
    readme = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)

    assert CODE[0] in readme


def test_every_name_of_ours_in_it_is_there() -> None:
    from rotators import consumer

    text = (ROOT / "docs/consume.md").read_text()
    errors = re.findall(r"`((?:Secret|Access|Key|Throttled|Service)[A-Za-z]*)`", text)
    assert len(set(errors)) >= 7
    assert [name for name in errors if not hasattr(consumer, name) and name != "SecretChangedTopicArn"] == []
