"""Asking AWS on an operator's behalf: only questions, and whoever may not ask learns which permission that takes."""

from __future__ import annotations

from typing import Any

from rotators.errors import ConfigurationError
from rotators.store import SecretStore

#: Beside Describe…, Get… and List…, these change nothing.
READS = ("describe_", "get_", "list_")
ABSENT = {"ResourceNotFoundException", "NoSuchEntity"}
DENIED = ("AccessDenied", "UnauthorizedOperation", "AuthFailure", "AuthorizationError")


class NotAsked(Exception):
    """Nothing is known, as the question could not be put; says why. No failure of the secret's."""


class NotThere(Exception):
    """AWS knows no such thing."""


def ask(client: Any, operation: str, **parameters: Any) -> Any:
    """
    Put one question.

    Args:
        client: boto3's.
        operation: its method.
        parameters: its arguments.

    Raises:
        NotAsked: it was denied, or nobody answered.
        NotThere: what it is about does not exist.

    Example:
        >>> ask(client, "get_policy", FunctionName="rotate")["Policy"]
        '{"Version": "2012-10-17", …'
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - loaded with the client

    _only_reads(operation)
    model = client.meta.service_model
    action = f"{model.signing_name}:{client.meta.method_to_api_mapping[operation]}"
    problem: Exception
    try:
        return getattr(client, operation)(**parameters)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in ABSENT:
            problem = NotThere(str(error.response["Error"].get("Message", code)))
        elif code.startswith(DENIED):
            problem = NotAsked(f"it needs {action}")
        else:
            problem = NotAsked(f"{action} was answered with {code}")
    except BotoCoreError as error:
        problem = NotAsked(f"{action} could not be asked ({type(error).__name__})")
    raise problem


class AskingStore(SecretStore):
    """
    Secrets Manager, of which only questions are asked.

    Attributes:
        denied: what the last denied question would have needed; empty where none was.
    """

    denied = ""

    def _call(self, operation: str, secret_id: str, *, missing: bool = False, **parameters: Any) -> Any:
        _only_reads(operation)
        denied: ConfigurationError | None = None
        try:
            return super()._call(operation, secret_id, missing=missing, **parameters)
        except ConfigurationError as error:  # its words are for a function's role
            text = str(error).replace("the function's role may not do", "you may not do")
            self.denied = text if "may not do" in text else ""
            denied = ConfigurationError(text)
        raise denied


def _only_reads(operation: str) -> None:
    if not operation.startswith(READS):
        raise RuntimeError(f"{operation} is no question")
