"""A Lambda sandbox on this machine: a process of its own that runs a handler, stays warm, and can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

from rotators.lab import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_BOOT_SECONDS = 60
_INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
_AWS = {
    "AWS_LAMBDA_FUNCTION_NAME": "rotation",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,  # nothing of the user's own AWS settings gets in
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class StepFailed(Exception):
    """The handler raised. `kind` is its exception's class, and the text its text."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class SandboxDied(Exception):
    """The process ended in the middle of a step, as when Lambda kills it."""


class Sandbox:
    """Runs `handler` (``package.module.name``) in a new process, with an environment like Lambda's and `environment`.

    What the handler writes, its structured log, is appended to the file `log`. The caller's own environment stays
    outside, so that no setting of the user's reaches the handler.

    >>> with Sandbox("rotators.handlers.postgres.handler", {"SECRETS_MANAGER_ENDPOINT": url}, log) as sandbox:
    ...     sandbox(event, context)        # a handler itself, for whoever invokes one
    """

    def __init__(self, handler: str, environment: Mapping[str, str], log: Path) -> None:
        kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        answers, write_end = os.pipe()
        try:
            with log.open("ab") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "rotators.lab.sandbox_main", handler, str(write_end)],
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    env={**kept, **_AWS, **environment},
                    pass_fds=(write_end,),
                    start_new_session=True,  # Ctrl-C is for us
                )
        except BaseException:
            os.close(answers)
            raise
        finally:
            os.close(write_end)
        self._answers = os.fdopen(answers, encoding="utf-8")
        self._booted = False
        self._handler = handler
        self.log = log
        self.pid = self._process.pid

    def wait_until_booted(self) -> None:
        """Wait until the handler's module is imported: Lambda's init phase. The first step does so by itself."""
        if self._booted:
            return
        try:
            self._answer(_BOOT_SECONDS)
            self._booted = True
        except (SandboxDied, TimeoutError):
            raise LabError(f"the handler {self._handler} does not start; {self.log} says why") from None

    def __call__(self, event: dict[str, Any], context: Any) -> None:
        """Run one step.

        Raises `StepFailed` if the handler raised, `SandboxDied` if it was killed, TimeoutError if it was too slow.
        """
        self.wait_until_booted()
        milliseconds = context.get_remaining_time_in_millis()
        pipe = self._process.stdin
        try:
            if pipe is not None:
                pipe.write(json.dumps({"event": event, "milliseconds": milliseconds}).encode() + b"\n")
                pipe.flush()
        except BrokenPipeError:
            raise SandboxDied(self._end()) from None
        try:
            answer = self._answer(milliseconds / 1000)
        except TimeoutError:
            self.kill()  # as Lambda does: a sandbox that was too slow serves nobody else
            raise
        if answer:
            raise StepFailed(answer["kind"], answer["text"])

    def kill(self) -> None:
        """SIGKILL: nothing in it gets to tidy up."""
        self._process.kill()

    def stop(self) -> None:
        """End it and wait until it is gone. May be called twice."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._answers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answer(self, seconds: float) -> dict[str, str]:
        if not select.select([self._answers], [], [], seconds)[0]:
            raise TimeoutError(f"no answer within {seconds:.1f} s")
        line = self._answers.readline()
        if not line:
            raise SandboxDied(self._end())
        answer: dict[str, str] = json.loads(line)
        return answer

    def _end(self) -> str:
        code = self._process.wait()
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"the process ended with code {code}"
