"""
The Secrets Manager calls we make, and what their answers mean. Nothing else talks to it.

A version's value never changes once it is stored, so one that was read is kept in memory for a short while: the four
steps of a rotation usually meet in one sandbox. A value is kept by secret, the secret's creation date and version, so
that a secret made anew under the same name finds nothing of the old one.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from rotators import deadline, waiting
from rotators.calls import call
from rotators.clients import Clients, quieten
from rotators.description import Description
from rotators.errors import RotationRefused
from rotators.machine import AWSCURRENT, AWSPENDING, AWSPREVIOUS
from rotators.refusals import LabelMoved, translate
from rotators.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.event import RotationToken
    from rotators.passwords import PasswordPolicy

#: Seconds a read value is kept: the four steps of one rotation, no longer.
KEEP = 120.0

_calls: ContextVar[list[str] | None] = ContextVar("rotators_calls", default=None)


@contextmanager
def counting() -> Iterator[list[str]]:
    """Collect the names of the calls made inside."""
    calls: list[str] = []
    token = _calls.set(calls)
    try:
        yield calls
    finally:
        _calls.reset(token)


class SecretStore:
    """
    Secrets Manager, as a rotation sees it.

    Args:
        client: a boto3 ``secretsmanager`` client; by default one made late from the environment
            (``SECRETS_MANAGER_ENDPOINT``, else whatever boto3 finds).

    Example:
        >>> SecretStore().describe("arn:aws:secretsmanager:…").holder("AWSCURRENT")
        '6f3c…'
    """

    def __init__(self, client: Any = None) -> None:
        self._client = client
        self._clients = Clients()
        self._kept: dict[tuple[str, str, str], tuple[float, Secret]] = {}

    def describe(self, secret_id: str) -> Description:
        """
        Call DescribeSecret.

        Raises:
            RotationRefused: there is no such secret.
            StoreUnavailable, ConfigurationError: it could not be asked, or may not be.
        """
        quieten()
        self._forget()
        return Description.of(self._call("describe_secret", secret_id, SecretId=secret_id), secret_id)

    def labelled(self, about: Description, label: str, *, fresh: bool = False, wait: bool = True) -> Secret | None:
        """
        Read the value of the version that carries a label, None where there is none.

        Args:
            about: the secret; says which version carries the label, so the read can't be of another one.
            label: ``AWSCURRENT``, ``AWSPENDING`` or ``AWSPREVIOUS``.
            fresh: don't believe memory.
            wait: an absent value may be one that is not visible yet: ask again for a while (law 14).
        """
        version = about.holder(label)
        if version is None:
            return None
        return self.version(about, version, label=label, fresh=fresh, wait=wait)

    def version(
        self, about: Description, version: str, *, label: str = "", fresh: bool = False, wait: bool = False
    ) -> Secret | None:
        """Read the value of one version, None where it has none."""
        key = (about.arn, about.created, version)
        until, value = self._kept.get(key, (0.0, None))
        if value is not None and not fresh and time.monotonic() < until:
            return value
        query = {"SecretId": about.arn, "VersionId": version, **({"VersionStage": label} if label else {})}
        moved: LabelMoved | None = None
        for pause in waiting.pauses():
            answer = None
            try:
                answer = self._call("get_secret_value", about.arn, missing=True, **query)
                moved = None
            except LabelMoved as error:
                moved = error  # or this reader is behind: either way, ask again
            if answer is not None and ("SecretString" in answer or "SecretBinary" in answer):
                secret = Secret.read(answer, label=label or f"version {version[:8]}")
                self._kept[key] = (time.monotonic() + KEEP, secret)
                return secret
            if pause is not None and (wait or moved is not None):
                time.sleep(pause)
            else:
                break
        if moved is not None:
            raise moved
        return None

    def put_pending(self, about: Description, version: str, secret: Secret, token: RotationToken | None) -> None:
        """
        Store the pending value. A value stored meanwhile by somebody with the same version wins (law 2).

        Raises:
            SecretError: the value does not fit into a secret.
        """
        value = secret.stored()
        more: dict[str, Any] = {"RotationToken": token.reveal()} if token else {}
        self._call(
            "put_secret_value",
            about.arn,
            missing=True,
            SecretId=about.arn,
            ClientRequestToken=version,
            VersionStages=[AWSPENDING],
            **value,
            **more,
        )

    def move_current(self, about: Description, version: str) -> None:
        """
        Move AWSCURRENT to a version; AWSPREVIOUS follows by itself.

        A refusal may only mean that the answer to an earlier try was lost, and its effect may show late (law 14): the labels
        are read until the version is current. If it is not to be, somebody else has moved a label meanwhile.

        Raises:
            RotationRefused: AWSCURRENT or AWSPENDING was moved by somebody else; retryable.
        """
        old = about.holder(AWSCURRENT)
        more: dict[str, Any] = {"RemoveFromVersionId": old} if old else {}
        move = {"SecretId": about.arn, "VersionStage": AWSCURRENT, "MoveToVersionId": version, **more}
        refusal: RotationRefused | None = None
        try:
            self._call("update_secret_version_stage", about.arn, **move)
        except RotationRefused as error:
            refusal = error
        if refusal is None:
            return
        for pause in waiting.pauses():
            about = self.describe(about.arn)
            if about.holder(AWSCURRENT) == version:
                return
            if about.holder(AWSCURRENT) != old or about.holder(AWSPENDING) != version:
                raise RotationRefused(
                    f"the labels of {about.arn} were moved by somebody else while finishSecret ran; nothing was overruled",
                    retryable=True,
                )
            if pause is not None:
                time.sleep(pause)
        raise refusal

    def unlabelled(self, about: Description, most: int) -> Iterator[tuple[str, Secret]]:
        """
        Yield (version id, value) of versions that carry no label of Secrets Manager's own, newest first.

        What an abandoned rotation stored before it changed the target (law 2) is still here for a day at least.
        """
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {"SecretId": about.arn, "IncludeDeprecated": True, "MaxResults": 100}
        while True:
            answer = self._call("list_secret_version_ids", about.arn, **query)
            found += answer.get("Versions", [])
            if not answer.get("NextToken"):
                break
            query["NextToken"] = answer["NextToken"]
        ours = {AWSCURRENT, AWSPENDING, AWSPREVIOUS}
        loose = [v for v in found if not ours.intersection(v.get("VersionStages") or ())]
        loose.sort(key=lambda v: str(v.get("CreatedDate", "")), reverse=True)
        for entry in loose[:most]:
            secret = self.version(about, entry["VersionId"])
            if secret is not None:
                yield entry["VersionId"], secret

    def another(self, secret_id: str) -> Secret:
        """
        Read AWSCURRENT of another secret: the admin's. Never from memory, as it is rotated too.

        Raises:
            RotationRefused: there is no such secret or it has no value.
        """
        answer = self._call("get_secret_value", secret_id, SecretId=secret_id, VersionStage=AWSCURRENT)
        return Secret.read(answer, label="admin secret's AWSCURRENT")

    def random_password(self, policy: PasswordPolicy) -> str:
        """Call GetRandomPassword."""
        answer = self._call("get_random_password", "", **policy.parameters())
        return str(answer["RandomPassword"])

    def _call(self, operation: str, secret_id: str, *, missing: bool = False, **parameters: Any) -> Any:
        """
        Make one call, again while its failure is a passing one and there is time (law 13).

        `missing`: an absent value (or, for a put, one that is there already) is None instead of an error.
        """

        def client() -> Any:
            made = _calls.get()
            if made is not None:
                made.append(operation)
            return self._client or self._clients.get(deadline.current())

        return call(client, operation, parameters, lambda e: translate(e, operation, secret_id, missing=missing))

    def _forget(self) -> None:
        now = time.monotonic()
        for key, (until, _) in list(self._kept.items()):
            if until < now:
                self._kept.pop(key, None)
