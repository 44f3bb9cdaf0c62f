"""The commands at work on one secret: what they print, what they call, and that nothing secret is in any of it."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from rotators import telemetry
from rotators.cli import main
from rotators.testing import Endpoint, rotate

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from rotators.testing import SecretsManager

READS = {"DescribeSecret", "GetSecretValue", "ListSecretVersionIds"}
DAY = 86400.0


@dataclass
class Told:
    """What a command said."""

    code: int
    out: str
    err: str
    operations: list[str] = field(default_factory=list)

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


class Clinic:
    """
    One secret, and the commands.

    Args:
        app: what stands for the secret: has `service`, `arn`, `handler`, and maybe `log`.
        options: further arguments of each command.
    """

    def __init__(self, app: Any, capsys: pytest.CaptureFixture[str], url: str, *options: str) -> None:
        self.app, self.service, self.options = app, app.service, options
        self._capsys, self._url = capsys, url
        self.heard: list[str] = []
        handler = app.handler

        def silent(event: Any, context: Any) -> Any:  # the function's own lines are not what the command prints
            with telemetry.noting() as notes:
                try:
                    return handler(event, context)
                finally:
                    self.heard += notes

        app.handler = silent

    def main(self, *arguments: str) -> Told:
        """Run a command as the shell would."""
        self._capsys.readouterr()
        before = len(self.service.calls)
        log = self.app.log() if hasattr(self.app, "log") else nullcontext([])
        with log as lines:
            code = main([*arguments])
        told = self._capsys.readouterr()
        self.heard += [told.out, told.err, *lines]
        self.nothing_leaked()
        return Told(code, told.out, told.err, [call.operation for call in self.service.calls[before:]])

    def diagnose(self, *more: str) -> Told:
        return self.main("diagnose", self.app.arn, "--endpoint-url", self._url, *self.options, *more)

    def repair(self, *more: str) -> Told:
        return self.main("repair", self.app.arn, "--endpoint-url", self._url, "--wait", "5", *self.options, *more)

    def paste(self, command: str, value: dict[str, Any] | None = None) -> Told | None:
        """Run the command that was named, as it stands: ours, or the AWS CLI's by the operation it means."""
        words = shlex.split(command)
        if words[0] == "rotators":
            return self.main(*words[1:])
        assert words[:2] == ["aws", "secretsmanager"]
        pairs: dict[str, Any] = {}
        flags = words[3:]
        while flags:
            name = flags.pop(0).removeprefix("--")
            if name == "no-rotate-immediately":
                pairs["RotateImmediately"] = False
            elif name not in {"endpoint-url", "region", "profile"}:
                pairs["".join(part.capitalize() for part in name.split("-"))] = flags.pop(0)
            else:
                flags.pop(0)
        if "SecretString" in pairs:
            assert re.fullmatch(r"file://\w+\.json", pairs["SecretString"])
            pairs["SecretString"] = json.dumps(value)
        try:
            getattr(self.service.client(), words[2].replace("-", "_"))(**pairs)
        except ClientError as error:  # the answer by which Secrets Manager says that it goes on with the pending one
            if "That rotation will be reattempted" not in str(error):
                raise
        self.service.wait(self.app.arn, 30)
        return None

    def nothing_leaked(self) -> None:
        """Law 9: of no version's value anything that opens stands in what was printed, raised or logged."""
        text = "\n".join(self.heard)
        secrets = {found for record in self.service.account.records() for found in _secrets(record)}
        assert secrets
        assert [found for found in secrets if found in text] == []

    def age(self, days: float = 2.0) -> None:
        """Let what is pending have been so for long."""
        record = self.service.account.find(self.app.arn)
        record.changed -= days * DAY
        for version in record.versions:
            version.created -= days * DAY

    def labels(self) -> dict[str, list[str]]:
        return self.service.labels(self.app.arn)  # type: ignore[no-any-return]

    def rotates(self) -> bool:
        """Say whether it rotates again, and opens."""
        outcome = rotate(self.service, self.app.arn)
        return outcome.succeeded and bool(
            self.app.opens(self.app.value()) if _takes_values(self.app) else self.app.opens()
        )


def _takes_values(app: Any) -> bool:
    return type(app).__name__ in {"Held", "Keys"}


def _secrets(record: Any) -> Iterator[str]:
    for version in record.versions:
        if isinstance(version.value, str):
            found = re.findall(r'"(?:password|key|secret_access_key)": ?"([^"]{6,})"', version.value)
            yield from found


@contextmanager
def clinic(app: Any, capsys: pytest.CaptureFixture[str], *options: str) -> Iterator[Clinic]:
    """Serve the secret's Secrets Manager, and run commands against it."""
    service: SecretsManager = app.service
    with Endpoint(service) as url:
        yield Clinic(app, capsys, url, *options)
