"""`rotators lab` as somebody types it, at an address that containers reach."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import boto3

from tests.deploy.sam import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Running:
    """
    Attributes:
        variables: the file for `sam local … --env-vars`.
        client: of its Secrets Manager.
        said: what it has printed, as far as it was read.
    """

    variables: Path
    client: Any
    output: IO[str]
    said: list[str] = field(default_factory=list)

    def read_until(self, end: str) -> str:
        """Read lines until one contains `end`."""
        while not self.said or end not in self.said[-1]:
            line = self.output.readline()
            assert line, f"the lab ended: {''.join(self.said)}"
            self.said.append(line)
        return self.said[-1]

    def value(self, secret: str, stage: str = "AWSCURRENT") -> dict[str, Any]:
        answer = self.client.get_secret_value(SecretId=secret, VersionStage=stage)
        return dict(json.loads(answer["SecretString"]))


@contextmanager
def laboratory(directory: Path, address: str, *arguments: str) -> Iterator[Running]:
    variables = directory / "lab.json"
    command = ["--listen", address, "--env-vars", str(variables), "--log", str(directory / "log"), *arguments]
    with subprocess.Popen(
        [sys.executable, "-m", "rotators", "lab", *command], stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        try:
            running = Running(variables, None, process.stdout)
            running.read_until("Ctrl+C ends it")
            told = re.search(r"AWS_ENDPOINT_URL_SECRETS_MANAGER=(\S+)", "".join(running.said))
            assert told
            running.client = boto3.client(
                "secretsmanager",
                region_name="us-east-1",
                aws_access_key_id="local",
                aws_secret_access_key="local",
                endpoint_url=told[1],
            )
            yield running
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()
