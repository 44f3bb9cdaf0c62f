"""The commands of docs/operating.md say what stands there: run against the states that it shows."""

from __future__ import annotations

import json
import re
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rotators.cli import main
from rotators.testing import Endpoint, SecretsManager

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.world import World

PAGE = (Path(__file__).parents[2] / "docs/operating.md").read_text()
BLOCKS = dict(re.findall(r"^```text\n\$ (rotators \w+[^\n]*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
DAY = 86400.0


def shown(command: str) -> tuple[list[str], str]:
    """A block's command line, without the program's name, and its output."""
    ((line, output),) = [(line, text) for line, text in BLOCKS.items() if line.startswith(f"rotators {command}")]
    return shlex.split(line)[1:], output


def plain(text: str) -> str:
    """Without what another day or another server would write differently."""
    text = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "DATE", text)
    return re.sub(r"[ \n]+", " ", text).strip()


def run(service: SecretsManager, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    with Endpoint(service) as url:
        code = main([*arguments, "--endpoint-url", url, "--region", "eu-central-1"])
    return code, capsys.readouterr().out


def test_status(service: SecretsManager, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, output = shown("status")
    now = time.time()
    # name, days since it was rotated, days since its last change, whether a version waits
    states = [
        ("mail", 88, 3, True),
        ("wiki", 31, 0.1, True),
        ("api", 45, 45, False),
        ("new", None, 2, False),
        ("app", 8, 8, False),
    ]
    for name, rotated, changed, waits in states:
        record = service.account.create(f"shop/{name}")
        if waits:
            service.put_placeholder(record.arn, "1" * 32)
        record.rotation_enabled, record.rotation_rules = True, {"AutomaticallyAfterDays": 30}
        record.created, record.changed = now - 100 * DAY if rotated else now - 2 * DAY, now - changed * DAY
        record.last_rotated = None if rotated is None else now - rotated * DAY
        record.next_rotation = now + (30 - (rotated or 0)) * DAY
    service.account.create("wiki/app")
    code, out = run(service, arguments, capsys)
    assert code == 1
    assert plain(out) == plain(output)


def test_check(world: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    arguments, output = shown("check")
    app = world()
    admin, password = f"Adm {app.username}", "admin-Canary-9"
    app.execute(f"CREATE ROLE \"{admin}\" LOGIN PASSWORD '{password}'")
    client = app.service.client()
    arn = client.create_secret(Name="admin", SecretString=json.dumps(app.server.secret(admin, password)))["ARN"]
    value = {key: text for key, text in app.value().items() if key != "ssl"}
    client.create_secret(Name="shop/app", SecretString=json.dumps({**value, "masterarn": arn}))
    code, out = run(app.service, arguments, capsys)
    assert code == 1
    out = out.replace(app.server.host, "db.example.com").replace(admin, "admin").replace(app.username, "app")
    if int(app.server.version.split(".")[0]) >= 16:
        out = re.sub(r"failed +rights [^\n]*\n[^\n]* → GRANT[^\n]*\n", "", out).replace("2 failed", "1 failed")
    assert plain(out) == plain(output)


def test_every_check_is_in_the_table() -> None:
    from rotators.diagnosis.beforehand import CHECKS

    table = PAGE[PAGE.index("| line | asks | with |") : PAGE.index("`--function ARN` names")]
    named = {name.strip() for row in table.splitlines()[2:] if row for name in row.split("|")[1].split(",")}
    assert named == {check.name for check in CHECKS}
