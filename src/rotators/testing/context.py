"""What Lambda hands to a handler beside the event, and the event itself."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any


@dataclass
class LambdaContext:
    """The context object of one invocation; its remaining time really runs down.

    timeout: the function's time limit in seconds, counted from when this object is made
    """

    timeout: float = 30.0
    function_name: str = "rotation"
    region: str = "eu-central-1"
    account: str = "123456789012"
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "256"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    log_stream_name: str = "2026/01/01/[$LATEST]00000000000000000000000000000000"
    identity: None = None
    client_context: None = None
    _started: float = field(default_factory=time.monotonic, repr=False)

    @property
    def invoked_function_arn(self) -> str:
        """The ARN the function was invoked by."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """The function's log group."""
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would end the process."""
        left = self.timeout - (time.monotonic() - self._started)
        return max(0, int(left * 1000))

    def log(self, message: object) -> None:
        """Write to standard output, as Lambda's own context does."""
        print(message, end="")  # noqa: T201 - what Lambda's own context does


def rotation_event(step: str, secret_id: str, token: str, rotation_token: str | None = None) -> dict[str, Any]:
    """The event Secrets Manager sends for one step (User Guide, "Rotation by Lambda function").

    step:           createSecret, setSecret, testSecret or finishSecret
    secret_id:      the secret's ARN; the service never sends the name
    token:          the ClientRequestToken, which becomes the new version's id
    rotation_token: newer than the other fields, so optional here

    >>> sorted(rotation_event("testSecret", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a-AbCdEf", "t" * 32))
    ['ClientRequestToken', 'SecretId', 'Step']
    """
    event = {"Step": step, "SecretId": secret_id, "ClientRequestToken": token}
    return event | ({"RotationToken": rotation_token} if rotation_token is not None else {})
