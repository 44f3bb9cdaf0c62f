"""The AWS CLI itself, many commands in one process: it takes a second to start."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

PYTHON = Path(__file__).parents[2] / ".tools/aws/bin/python"
# Run by the Python of the CLI's own environment. The first line it writes is what the CLI can ask of Secrets Manager.
_DRIVER = """
import contextlib, io, json, sys
from awscli.clidriver import create_clidriver

driver = create_clidriver()
model = driver.session.get_service_model("secretsmanager")
print(json.dumps(sorted(model.operation_names)), flush=True)
for line in sys.stdin:
    command = json.loads(line)
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            code = driver.main(command)
        except SystemExit as end:
            code = end.code
    print(json.dumps([code, out.getvalue(), errors.getvalue()]), flush=True)
    if command[0] != "secretsmanager":  # an option such as --region, which a driver would remember
        driver = create_clidriver()
"""


class Answer(NamedTuple):
    code: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.errors
        return json.loads(self.output) if self.output else None


class AwsCli:
    """``aws``, as somebody types it who has the `environment`."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [PYTHON, "-c", _DRIVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "AWS_CONFIG_FILE": os.devnull, **environment},
        )
        self.operations: list[str] = json.loads(self._line())

    def __call__(self, *arguments: str) -> Answer:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return Answer(*json.loads(self._line()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def require() -> None:
    """Skip where the CLI is missing, and fail where it is demanded."""
    if not PYTHON.exists():
        reason = "the AWS CLI is missing: `make test` installs it, and so does `.ci/setup aws`"
        if os.environ.get("ROTATORS_REQUIRE_SERVERS"):
            pytest.fail(reason)
        pytest.skip(reason)
