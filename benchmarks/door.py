"""Secrets Manager as the rotators reach it: their calls are counted apart from everybody else's, and may take longer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rotators.testing import SecretsManager


class Door:
    """
    What an `Endpoint` is given in place of the service.

    latency: seconds by which every call is slower
    """

    def __init__(self, service: SecretsManager, latency: float = 0.0) -> None:
        self.calls: list[str] = []
        self._service = service
        self._latency = latency

    def respond(self, target: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Count the call, wait, and pass it on."""
        self.calls.append(target.rpartition(".")[2])
        time.sleep(self._latency)
        return self._service.respond(target, body, headers)
