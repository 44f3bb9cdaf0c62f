"""The rotation of the files in events/, by a function as built, in a Secrets Manager where what they name exists."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rotators.testing import Endpoint, SecretsManager
from tests.deploy.runtime import Function, provide
from tests.deploy.sam import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.deploy.cloudformation import Stack

STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]
DRIVERS = {"psycopg", "pymysql", "nacl", "redis"}
SDK = {"boto3", "botocore"}


def runtime(directory: Path) -> Path:
    """Make what Lambda's runtime brings, and the witness."""
    provided = directory / "runtime"
    provided.mkdir()
    shutil.copy(Path(__file__).with_name("witness.py"), provided)
    return provide(provided)


class Sample:
    """
    One secret, rotated by the four events.

    Attributes:
        events: the four of events/, by their steps.
        output: what the function printed.
        loaded: which drivers it has loaded.
        new: AWSCURRENT's value after it.
    """

    def __init__(self, secret: dict[str, Any]) -> None:
        self.events = {path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")}
        arn, token = (self.events["createSecret"][name] for name in ("SecretId", "ClientRequestToken"))
        # The service finds a secret by its ARN without the last hyphen and six characters, which it made up itself.
        self.service = SecretsManager(region="us-east-1")
        self.service.client().create_secret(Name=arn.split(":secret:")[1], SecretString=json.dumps(secret))
        self.service.put_placeholder(arn, token)
        self._arn, self._token = arn, token
        self.output = ""
        self.loaded: set[str] = set()
        self.new: dict[str, Any] = {}

    def rotate(
        self, sam: Path, artifact: Path, stack: Stack, function: str, directory: Path, given: Mapping[str, str]
    ) -> None:
        """Invoke `function` of the artifact four times, with the template's variables and what is given; it must succeed."""
        properties = stack.of_type("AWS::Lambda::Function")[function]
        variables = properties["Environment"]["Variables"] | given | {"WITNESSED": properties["Handler"]}
        with (
            Endpoint(self.service) as url,
            Function(
                sam,
                artifact,
                provided=runtime(directory),
                handler="witness.handler",
                variables=variables | {"SECRETS_MANAGER_ENDPOINT": url},
                log=directory / "log",
            ) as running,
        ):
            before = set(running.invoke("modules"))
            answers = {step: running.invoke(self.events[step]) for step in STEPS}
            self.loaded = set(running.invoke("modules")) & DRIVERS
        self.output = (directory / "log").read_text()
        assert answers == dict.fromkeys(STEPS), self.output
        assert not before & (DRIVERS | SDK)
        assert self.service.labels(self._arn)[self._token] == ["AWSCURRENT", "AWSPENDING"]
        lines = [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]
        assert [line["step"] for line in lines if str(line.get("message", "")).endswith("succeeded")] == STEPS
        self.new = self.current()

    def current(self) -> dict[str, Any]:
        """Read AWSCURRENT's value."""
        value = self.service.client().get_secret_value(SecretId=self._arn, VersionStage="AWSCURRENT")
        current: dict[str, Any] = json.loads(value["SecretString"])
        return current
