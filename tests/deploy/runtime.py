"""Lambda's runtime on this machine: the interface emulator that SAM carries, around AWS's own runtime client."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rotators.lab.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROVIDED = ("awslambdaric", "boto3")


def provide(directory: Path) -> Path:
    """Fill `directory` with what Lambda's runtime brings, and nothing else that happens to be installed here."""
    names, seen = list(_PROVIDED), set()
    while names:
        name = names.pop()
        if name in seen:
            continue
        seen.add(name)
        distribution = importlib.metadata.distribution(name)
        names += [re.split(r"[^\w.-]", need)[0] for need in distribution.requires or () if "extra ==" not in need]
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            (directory / top).symlink_to(Path(str(distribution.locate_file(top))))
    return directory


def emulator(sam: Path) -> Path:
    """SAM's aws-lambda-rie for this machine."""
    architecture = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
    return next(sam.parents[1].glob(f"lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{architecture}"))


class Function:
    """One sandbox of a built function, started by its first invocation.

    artifact:  what `sam build` made
    provided:  what the runtime brings, from `provide`
    variables: the function's environment; nothing of ours is in it
    log:       where its output goes

    Only the artifact, the runtime and the standard library can be imported: -S leaves site-packages out.
    """

    def __init__(
        self, sam: Path, artifact: Path, *, provided: Path, handler: str, variables: Mapping[str, str], log: Path
    ) -> None:
        self._port = free_port("127.0.0.1")
        lambdas = {
            "PATH": os.defpath,
            "PYTHONPATH": f"{artifact}:{provided}",
            "LAMBDA_TASK_ROOT": str(artifact),
            "_HANDLER": handler,
            "AWS_LAMBDA_FUNCTION_NAME": "rotators-postgres",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
            "AWS_LAMBDA_LOG_FORMAT": "JSON",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        addresses = [
            *("--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"),
            *("--runtime-api-address", f"127.0.0.1:{free_port('127.0.0.1')}"),
        ]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    emulator(sam),
                    "--log-level",
                    "error",
                    *addresses,
                    sys.executable,
                    "-S",
                    "-m",
                    "awslambdaric",
                    handler,
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=artifact,
                env=lambdas | dict(variables),
                start_new_session=True,  # the emulator's children end with it
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    @property
    def url(self) -> str:
        """Where Lambda's Invoke API is; the function's name there is ``function``."""
        self._wait()
        return f"http://127.0.0.1:{self._port}"

    def invoke(self, event: object) -> Any:
        """The handler's answer, or a mapping with errorType and errorMessage."""
        url = f"{self.url}/2015-03-31/functions/function/invocations"
        request = urllib.request.Request(url, json.dumps(event).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read())

    def _wait(self) -> None:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.02)
            else:
                return
