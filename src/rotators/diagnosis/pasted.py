"""``Paste``: command lines that can be pasted into a shell, with the options that the operator gave."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paste:
    """
    Writes commands about one secret.

    Attributes:
        secret_id: the secret's ARN.
        account: the options of the AWS CLI that were given: ``--region``, ``--profile``, ``--endpoint-url``.
        handler: of ``--handler``; empty for none.

    Example:
        >>> Paste("arn:…").aws("rotate-secret")
        'aws secretsmanager rotate-secret --secret-id arn:…'
    """

    secret_id: str
    account: tuple[str, ...] = ()
    handler: str = ""

    def aws(self, operation: str, *words: str, secret_id: str = "") -> str:
        """Return a command of the AWS CLI about the secret, or another."""
        return shlex.join(
            ["aws", "secretsmanager", operation, "--secret-id", secret_id or self.secret_id, *words, *self.account]
        )

    def ours(self, command: str, *words: str) -> str:
        """Return a command of ours about it."""
        handler = ("--handler", self.handler) if self.handler else ()
        return shlex.join(["rotators", command, self.secret_id, *words, *handler, *self.account])
