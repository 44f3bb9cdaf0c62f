"""``Subject``: the secret that is asked about, and what was found out about it, each once."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rotators.description import Description
from rotators.diagnosis.beforehand.asking import AskingStore, NotAsked, NotThere, ask
from rotators.diagnosis.rotator_for import rotator_for
from rotators.machine import Step
from rotators.rotation import Rotation
from rotators.telemetry import StepReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rotators.abc import Obstacle
    from rotators.errors import RotatorsError
    from rotators.rotator import Rotator

#: What a function's variables may decide of a rotation. Its CA bundle is a path there, and says nothing here.
VARIABLES = (
    *("ROTATORS_STRATEGY", "ROTATORS_DISCARD_OLD", "ROTATORS_REASSIGN_OWNED", "ROTATORS_HOST_ALIASES"),
    *("ROTATORS_IAM_AUTHORITY", "ROTATORS_IAM_UNUSED_DAYS", "USERNAME_CHARACTER_LIMIT"),
    *("PASSWORD_LENGTH", "EXCLUDE_CHARACTERS", "EXCLUDE_NUMBERS", "EXCLUDE_PUNCTUATION", "EXCLUDE_UPPERCASE"),
    *("EXCLUDE_LOWERCASE", "REQUIRE_EACH_INCLUDED_TYPE"),
)


class Heard(StepReport):
    """Keeps the warnings that a step would have written to its log."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        """Keep it."""
        self.warnings.append(text)

    def take(self) -> list[str]:
        """Return what was heard since the last time."""
        found, self.warnings = self.warnings, []
        return found


class Subject:
    """
    The secret that is asked about.

    Args:
        clients: makes boto3 clients by the service's name.
        secret_id: its name or ARN.
        region: where it is.
        handler: of a rotator of one's own: ``package.module.attribute``.
        function: the function's ARN or name; empty for the one that the secret names.
        schedule: RotationRules that are thought of; None for those that the secret has.

    Raises:
        NotAsked: DescribeSecret was denied.
        NotThere: there is no such secret.

    Example:
        >>> for line in checked(Subject(boto3.client, "shop/app", region="eu-central-1")): ...
    """

    def __init__(  # noqa: PLR0913 - what the command line may say
        self,
        clients: Callable[[str], Any],
        secret_id: str,
        *,
        region: str,
        handler: str = "",
        function: str = "",
        schedule: Mapping[str, Any] | None = None,
    ) -> None:
        self.client = clients
        self.region = region
        self.schedule = schedule
        self._handler = handler
        self._function = function
        secrets_manager = clients("secretsmanager")
        #: What DescribeSecret answered.
        self.told: dict[str, Any] = ask(secrets_manager, "describe_secret", SecretId=secret_id)
        self.arn = str(self.told["ARN"])
        self.store = AskingStore(secrets_manager)
        self.heard = Heard()
        #: What one check leaves to the next: why AWSCURRENT does not open, what an engine foresees by whom, whose key it is.
        self.refused: RotatorsError | None = None
        self.foreseen: dict[int, list[Obstacle]] = {}
        self.iam_user = ""
        #: What a rotation would see in createSecret, had it begun.
        self.rotation = Rotation(
            self.store, secret_id=self.arn, version="", step=Step.CREATE, about=Description.of(self.told, self.arn)
        )

    @cached_property
    def rotator(self) -> Rotator:
        """
        The rotator that AWSCURRENT's value is for.

        Raises:
            SecretError, ConfigurationError, RotationRefused: as `rotator_for`; or there is no value.
        """
        return rotator_for(self.rotation.current, self.store, handler=self._handler)

    @property
    def account(self) -> str:
        """The number of the secret's account."""
        return self.arn.split(":")[4]

    @property
    def function(self) -> str:
        """ARN or name of the function, empty where neither the command nor the secret names one."""
        return self._function or str(self.told.get("RotationLambdaARN", ""))

    @property
    def configuration(self) -> dict[str, Any]:
        """
        What Lambda says of the function.

        Raises:
            NotAsked: there is none to ask about, or it was denied.
            NotThere: there is no such function.
        """
        found = self._configuration
        if isinstance(found, Exception):
            raise found
        return found

    def known_configuration(self) -> dict[str, Any]:
        """Return the same; nothing where it is not known."""
        return {} if isinstance(self._configuration, Exception) else self._configuration

    @cached_property
    def _configuration(self) -> dict[str, Any] | NotAsked | NotThere:
        if not self.function:
            return NotAsked("the secret has no function yet: name one with --function ARN")
        try:
            found: dict[str, Any] = ask(self.client("lambda"), "get_function_configuration", FunctionName=self.function)
        except (NotAsked, NotThere) as error:
            return error
        return found

    @contextmanager
    def as_function(self) -> Iterator[None]:
        """Read the variables that decide of a rotation as the function has them, where that is known."""
        theirs = self.known_configuration()
        variables = (theirs.get("Environment") or {}).get("Variables") or {}
        before = {name: os.environ.get(name) for name in VARIABLES}
        try:
            if theirs:
                _set({name: variables.get(name) for name in VARIABLES})
            yield
        finally:
            _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
