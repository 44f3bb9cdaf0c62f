"""A `rotators lab` in a process of its own, started as its user starts it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


class Lab:
    """One that runs: what it has printed, and a client for it."""

    def __init__(self, process: subprocess.Popen[str], directory: Path) -> None:
        assert process.stdout is not None
        self.process, self.output, self.directory = process, process.stdout, directory
        self.said = ""
        while not self.said.endswith("Ctrl+C ends it.\n"):
            line = self.output.readline()
            assert line, f"it ended: {self.said}"
            self.said += line
        (exported,) = re.findall(r"^  export (.*)$", self.said, re.MULTILINE)
        self.environment = dict(pair.split("=", 1) for pair in exported.split())

    def client(self) -> Any:
        return boto3.client(
            "secretsmanager",
            endpoint_url=self.environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"],
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )

    def steps(self) -> list[tuple[str, str]]:
        """Wait for the lines of one rotation."""
        found: list[tuple[str, str]] = []
        while (
            not found or found[-1] == ("createSecret", "done") or (found[-1][1] == "done" and found[-1][0] != STEPS[-1])
        ):
            found.append(self.step())
        return found

    def step(self) -> tuple[str, str]:
        """Wait for the line of one step."""
        line = self.output.readline().rstrip("\n")
        match = re.fullmatch(r"shop/app  (\w+) *  [0-9]+\.[0-9]{2} s  (.+)", line)
        assert match, line
        return match[1], match[2]


@contextmanager
def lab(directory: Path, *arguments: str, ends: str = "removed") -> Iterator[Lab]:
    with subprocess.Popen(
        [sys.executable, "-m", "rotators", "lab", *arguments],
        cwd=directory,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            running = Lab(process, directory)
            yield running
            process.send_signal(signal.SIGTERM)
            assert running.output.read().endswith(f"ended; everything was stopped and {ends}\n")
            assert process.wait(20) == 0
        finally:
            process.kill()
