"""What is built for template.yaml's own runtime, run under that Python: this machine's own is most often older."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from rotators.testing import Endpoint
from tests.deploy.runtime import provide
from tests.deploy.sam import ROOT, TEMPLATE, environment
from tests.deploy.sample import STEPS, Sample
from tests.deploy.test_invocation import OLD, made, opens

if TYPE_CHECKING:
    from pathlib import Path

    from rotators.lab.server import Server
    from tests.deploy.cloudformation import Stack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a Lambda artifact holds Linux libraries")

VERSION = re.findall(r"^ *Runtime: python(.*)$", TEMPLATE.read_text(), re.MULTILINE)[0]
_RUN = """
import importlib, json, sys
handlers, name, events = json.loads(sys.argv[1])
loaded = {each: importlib.import_module(each) for each in handlers}
answers = [loaded[name].handler(event) for event in events]
print(json.dumps({"version": sys.version_info[:2], "answers": answers}))
"""


@pytest.fixture(scope="module")
def newest() -> tuple[list[str], dict[str, str]]:
    """The command that is that Python, and the variables it needs."""
    unpacked = ROOT / f".tools/python{VERSION}"
    if (unpacked / "run").exists():
        return [str(unpacked / "run"), f"/usr/bin/python{VERSION}"], {"PYTHONHOME": str(unpacked / "usr")}
    found = shutil.which(f"python{VERSION}")
    if found and subprocess.run([found, "-V"], check=False, capture_output=True).returncode == 0:
        return [found], {}
    pytest.skip(f"NO python{VERSION} HERE, for which template.yaml is built: `.ci/setup runtime` says why")


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("newest") / "built"
    told = subprocess.run(
        ["make", "--silent", "artifact"], check=False, capture_output=True, text=True, cwd=ROOT,
        env=environment(ARTIFACTS_DIR=str(place), MAKEFLAGS=""),
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert f"python{VERSION}, " in told.stdout
    return place


@pytest.mark.parametrize(
    "function, database, plugin", [("PostgresRotation", "postgres_server", ""), ("MySQLRotation", "mariadb", "ed25519")]
)
def test_it_rotates_a_real_password(
    newest: tuple[list[str], dict[str, str]],
    artifact: Path,
    stack: Stack,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    function: str,
    database: str,
    plugin: str,
) -> None:
    """With every handler imported, so that nothing which any of them needs is missing there."""
    server: Server = request.getfixturevalue(database)
    secret = made(server, plugin)
    sample = Sample(secret)
    functions = stack.of_type("AWS::Lambda::Function")
    handlers = {name: each["Handler"].removesuffix(".handler") for name, each in functions.items()}
    given = json.dumps([list(handlers.values()), handlers[function], [sample.events[step] for step in STEPS]])
    command, variables = newest
    with Endpoint(sample.service) as url:
        told = subprocess.run(
            [*command, "-S", "-c", _RUN, given], check=False, capture_output=True, text=True, cwd=tmp_path,
            env=functions[function]["Environment"]["Variables"] | variables | {
                "SECRETS_MANAGER_ENDPOINT": url, "ROTATORS_CA_BUNDLE": str(server.ca_bundle or ""),
                "AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y",
                "PYTHONPATH": f"{artifact}:{provide(tmp_path)}", "PYTHONDONTWRITEBYTECODE": "1",
            },
        )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    said = json.loads(told.stdout.splitlines()[-1])

    assert said == {"version": [int(part) for part in VERSION.split(".")], "answers": [None] * len(STEPS)}
    new = sample.current()
    assert opens(server, new)
    assert not opens(server, secret)
    assert OLD not in told.stdout + told.stderr
    assert new["password"] not in told.stdout + told.stderr
