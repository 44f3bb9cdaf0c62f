"""SAM's other ways to build than this repository: its own builder for Python, and `make` where src is all there is.

The second is what `sam build --use-container` comes to, which needs an image of AWS's that a test does not fetch.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.deploy.runtime import provide
from tests.deploy.sam import PYTHON, ROOT, TEMPLATE, environment
from tests.deploy.sample import Sample
from tests.deploy.test_invocation import made, opens

if TYPE_CHECKING:
    from pathlib import Path

    from rotators.lab.server import Server
    from tests.deploy.cloudformation import Stack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a Lambda artifact holds Linux libraries")

FUNCTION = "PostgresRotation"
_IMPORT = """
import importlib, json, pathlib, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
files = [module.__file__ for name, module in sys.modules.items() if name.split(".")[0] in ("rotators", "aws_lambda_powertools")]
json.dump(files, sys.stdout)
"""


@pytest.fixture(params=["make, in a copy", "SAM's own"])
def built(request: pytest.FixtureRequest, sam: Path, tmp_path: Path) -> Path:
    """Build from outside the repository, so that samconfig.toml says nothing, with this machine's Python."""
    text = re.sub(r"Runtime: python\S+", f"Runtime: python{PYTHON}", TEMPLATE.read_text())
    text = text.replace("CodeUri: src/", f"CodeUri: {ROOT / 'src'}")
    if request.param == "SAM's own":
        (edit,) = re.findall(r"^\$ (sed .*) template.yaml >", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE)
        text = subprocess.run(shlex.split(edit), input=text, check=True, capture_output=True, text=True).stdout
    assert ("BuildMethod" in text) == (request.param != "SAM's own")
    (tmp_path / "template.yaml").write_text(text)
    # The SAM CLI's own environment has a python with pip, of the version that is needed.
    path = f"{sam.parent}{os.pathsep}{os.environ['PATH']}"
    told = subprocess.run(
        [sam, "build", FUNCTION, "-t", "template.yaml", "-b", tmp_path / "build"],
        check=False, capture_output=True, text=True, cwd=tmp_path, env=environment(PATH=path),
    )  # fmt: skip
    assert told.returncode == 0, told.stdout + told.stderr
    builder = "CustomMakeBuilder:MakeBuild" if "BuildMethod" in text else "PythonPipBuilder:ResolveDependencies"
    assert builder in told.stderr
    return tmp_path / "build" / FUNCTION


def test_what_it_makes_is_whole_and_rotates(
    built: Path, sam: Path, stack: Stack, postgres_server: Server, tmp_path: Path
) -> None:
    names = {path.name for path in built.iterdir()}
    assert names >= {"rotators", "psycopg", "psycopg_binary", "pymysql", "nacl", "redis", "aws_lambda_powertools"}
    assert not names & {"boto3", "botocore", "pytest", "tests", "src", "template.yaml"}

    provided = tmp_path / "provided"
    provided.mkdir()
    handlers = [
        function["Handler"].removesuffix(".handler") for function in stack.of_type("AWS::Lambda::Function").values()
    ]
    told = subprocess.run(
        [sys.executable, "-S", "-c", _IMPORT, json.dumps(handlers)],
        check=True, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": f"{built}:{provide(provided)}"},
    )  # fmt: skip
    files = json.loads(told.stdout)
    assert len(files) > 20
    assert [file for file in files if not file.startswith(f"{built}/")] == []

    secret = made(postgres_server, "")
    sample = Sample(secret)
    bundle = str(postgres_server.ca_bundle or "")
    sample.rotate(sam, built, stack, FUNCTION, tmp_path, {"ROTATORS_CA_BUNDLE": bundle})
    assert opens(postgres_server, sample.new)
    assert not opens(postgres_server, secret)
