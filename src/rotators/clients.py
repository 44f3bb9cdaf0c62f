"""
The boto3 clients: made late, once, with time-outs cut from the invocation's time (law 13).

botocore's own retries are off: they know nothing of the time left. ``rotators.calls`` asks again itself.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from rotators.errors import ConfigurationError
from rotators.loading import uncollected

if TYPE_CHECKING:
    from collections.abc import Hashable

    from rotators.deadline import Deadline

#: Seconds a silent connection is waited for. A client's time-outs are fixed when it is made, so there is one for each.
TIMEOUTS = (5.0, 2.0, 1.0)

SDK = ("boto3", "botocore", "urllib3")
#: What decides where a client talks to; a client is made anew when one of these changes.
SETTINGS = (
    "SECRETS_MANAGER_ENDPOINT",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_RDS",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
)


def quieten() -> None:
    """
    Law 9: at DEBUG the AWS SDK logs whole requests and answers, SecretString included. It shall not.

    Called at every step: somebody may have turned the level up since, for the SDK or for a part of it.
    """
    below = tuple(f"{name}." for name in SDK)
    for name in (*SDK, *(name for name in list(logging.root.manager.loggerDict) if name.startswith(below))):
        log = logging.getLogger(name)
        if log.level < logging.INFO and (log.level != logging.NOTSET or name in SDK):
            log.setLevel(logging.INFO)


@functools.cache
def _loader(path: str | None) -> Any:
    """What reads botocore's models: one for all sessions, as each of its own would read megabytes of endpoints anew."""
    from botocore.loaders import create_loader  # noqa: PLC0415 - loaded by then

    return create_loader(path)


def session() -> Any:
    """
    Return a new boto3 session, of the function's own credentials. One after the first costs a tenth of its time.

    Raises:
        ImportError: boto3 is missing.

    Example:
        >>> session().client("sts")
    """
    import boto3  # noqa: PLC0415 - the Lambda runtime carries it; `import rotators` must not load it
    from botocore.session import get_session  # noqa: PLC0415

    core = get_session()
    core.register_component("data_loader", _loader(core.get_config_variable("data_path")))
    return boto3.session.Session(botocore_session=core)


class Clients:
    """
    Makes and keeps the clients of one service. Making the first costs about 0.2 s, a further one a few milliseconds.

    Args:
        service: boto3's name of it.
        title: what errors call it.
        endpoint: the variable of ours that names its URL, beside boto3's own.
    """

    def __init__(
        self,
        service: str = "secretsmanager",
        title: str = "Secrets Manager",
        endpoint: str = "SECRETS_MANAGER_ENDPOINT",
    ) -> None:
        self._service, self._title, self._endpoint = service, title, endpoint
        self._lock = threading.Lock()
        self._made: dict[Hashable, Any] = {}
        self._session: Any = None

    def get(self, deadline: Deadline) -> Any:
        """
        Return a client whose time-outs fit into the time left.

        Raises:
            ConfigurationError: boto3 is missing, or region or credentials are.
        """
        seconds = next((t for t in TIMEOUTS if t <= deadline.left() / 2), TIMEOUTS[-1])
        key = (seconds, *(os.environ.get(name) for name in SETTINGS))
        with self._lock:
            client = self._made.get(key)
            if client is None:
                with uncollected():
                    client = self._made[key] = self._make(seconds)
            return client

    def _make(self, seconds: float) -> Any:
        try:
            import boto3  # noqa: F401, PLC0415 - as in `session`
            from botocore.config import Config  # noqa: PLC0415
            from botocore.exceptions import BotoCoreError  # noqa: PLC0415
        except ImportError:
            raise ConfigurationError("boto3 is missing: run in a Lambda runtime, or pip install boto3") from None
        # No keep-alive of a dead connection is worth a failed step, but a new TCP and TLS handshake a call is not either.
        config = Config(
            connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": 1}, tcp_keepalive=True
        )
        endpoint = os.environ.get(self._endpoint) or None
        region = os.environ.get("AWS_REGION") or None  # Lambda's variable; boto3 itself reads AWS_DEFAULT_REGION alone
        problem = ""
        try:
            if self._session is None:
                self._session = session()
            return self._session.client(self._service, region_name=region, endpoint_url=endpoint, config=config)
        except (BotoCoreError, ValueError) as error:
            problem = type(error).__name__
        raise ConfigurationError(
            f"no {self._title} client ({problem}): check AWS_REGION, AWS_PROFILE and {self._endpoint}"
        )
