"""Whose secrets an operator's command is about: the options of the AWS CLI, and the clients they make."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from rotators.errors import StoreUnavailable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

#: The least status of an answer that is an error.
_REFUSAL = 300
_NO_CREDENTIALS = (
    "no credentials: give --profile, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (of a lab: paste its "
    "`export` line)"
)
_NOBODY = ("EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError")


class CommandRefused(Exception):
    """What a command can't do, in one sentence with the way out; the command prints it and exits with 2."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add ``--region``, ``--profile`` and ``--endpoint-url``, which mean what they mean to the AWS CLI, and ``--json``."""
    group = parser.add_argument_group("account")
    group.add_argument(
        "--region", action="append", metavar="REGION", help="as in the AWS CLI (default: AWS_REGION or the profile's)"
    )
    group.add_argument("--profile", metavar="NAME", help="as in the AWS CLI (default: AWS_PROFILE)")
    group.add_argument("--endpoint-url", metavar="URL", help="as in the AWS CLI, such as the lab's")
    parser.add_argument("--json", action="store_true", help="print JSON for programs instead of a table for people")


class NobodyAnswers(CommandRefused, StoreUnavailable):
    """A client's first call reached nobody; of both trees, so that no layer between takes it for a failure of its own."""


class _Patience:
    """Has a client say soon that nobody is there. Once it was answered, it asks as often as it is told: the network may blip."""

    def __init__(self, client: Any, attempts: int) -> None:
        self._url, self._attempts = client.meta.endpoint_url, attempts
        client.meta.events.register_first("needs-retry", self._judge)

    def _judge(self, attempts: int, response: Any, caught_exception: Exception | None, **_: Any) -> None:
        if response is not None:
            self._attempts = 1000  # more than botocore makes
        elif attempts >= self._attempts and type(caught_exception).__name__ in _NOBODY:
            raise NobodyAnswers(
                f"nobody answers at {self._url}: see --region and --endpoint-url (of a lab: whether it runs, and where), and the "
                "network from here"
            )


class Account:
    """
    Makes boto3 clients of what the options say, or the environment where they say nothing.

    Args:
        arguments: what argparse made of `options`.

    Example:
        >>> Account(arguments).client("secretsmanager", region="eu-central-1")
        <botocore.client.SecretsManager object at 0x…>
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._profile: str | None = arguments.profile
        self._endpoint: str | None = arguments.endpoint_url or os.environ.get("SECRETS_MANAGER_ENDPOINT") or None
        self._regions: list[str] = arguments.region or []
        self._session: Any = None

    @property
    def regions(self) -> list[str]:
        """
        Return the regions asked for; the profile's or the environment's where none was.

        Raises:
            CommandRefused: there is none anywhere, or no such profile.
        """
        if self._regions:
            return self._regions
        region = os.environ.get("AWS_REGION") or self._made().region_name
        if not region:
            raise CommandRefused("no region: give --region, or set AWS_REGION or the profile's")
        return [region]

    def region_of(self, secret: str) -> str:
        """
        Return the Region of one secret: the one that its ARN names, else the one asked for.

        Raises:
            CommandRefused: several were asked for, or there is none anywhere.
        """
        parts = secret.split(":")
        if parts[0] == "arn" and len(parts) > 3 and parts[3]:  # noqa: PLR2004 - arn, partition, service, Region
            return parts[3]
        if len(self.regions) > 1:
            raise CommandRefused("a secret is in one Region: give --region once")
        return self.regions[0]

    def client(self, service: str, *, region: str | None = None, hurried: bool = False) -> Any:
        """
        Return a client, which asks again where AWS throttles (botocore's adaptive mode).

        Args:
            service: boto3's name of it.
            region: its region; by default the first one asked for.
            hurried: whether somebody waits for the answer and can do without it.

        Raises:
            CommandRefused: boto3 is missing; there is no such profile, no region, no credentials; a Region or URL is none.
                Its calls raise it, too: where nobody ever answered.
        """
        region = region or self.regions[0]
        session = self._made()
        from botocore.config import Config  # noqa: PLC0415 - after boto3's own absence was said
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        config = Config(retries={"mode": "adaptive", "max_attempts": 10}, user_agent_extra="rotators")
        if hurried:
            config = config.merge(Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2}))
        endpoint = self._endpoint if service == "secretsmanager" else None
        try:
            if session.get_credentials() is None:
                raise CommandRefused(_NO_CREDENTIALS)
            client = session.client(service, region_name=region, endpoint_url=endpoint, config=config)
        except (BotoCoreError, ValueError) as error:  # of boto3's sentences, none quotes a credential
            raise CommandRefused(f"{str(error).rstrip('.')}: see --region, --profile and --endpoint-url") from None
        if service == "secretsmanager":
            client.meta.events.register("before-parse.secrets-manager", _must_be_json)
            _Patience(client, 2 if hurried else 3)
        return client

    def _made(self) -> Any:
        if self._session is None:
            try:
                import boto3  # noqa: PLC0415 - a command that needs no account runs without
                from botocore.exceptions import ProfileNotFound  # noqa: PLC0415
            except ImportError:
                raise CommandRefused("boto3 is missing: pip install 'rotators[cli]'") from None
            try:
                self._session = boto3.session.Session(profile_name=self._profile)
            except ProfileNotFound:
                raise CommandRefused(
                    f"there is no profile {self._profile}: see `aws configure list-profiles`"
                ) from None
        return self._session


def _must_be_json(response_dict: Mapping[str, Any], **_: Any) -> None:
    """
    Refuse an answer that is no JSON object, such as a proxy's page: botocore takes some for an empty one, and trips over others.

    Raises:
        HTTPClientError: it is none; whoever asked may ask again.
    """
    from botocore.exceptions import HTTPClientError  # noqa: PLC0415 - there is a client, so there is botocore

    body: Any = None
    try:
        body = json.loads(response_dict["body"])
    except ValueError:
        if response_dict["status_code"] >= _REFUSAL:  # then the status says enough
            return
    if not isinstance(body, dict):
        raise HTTPClientError(error="the answer is not AWS's: is a proxy in between?")
