"""A port nobody else is about to be given."""

from __future__ import annotations

import random
import socket

_OURS = range(15_000, 32_000)
_ATTEMPTS = 200


def free_port(host: str) -> int:
    """A TCP port on `host` that is free now.

    It lies below the system's ephemeral range (Linux: 32768 and up), so no outgoing connection takes it while a server
    restarts. Two processes may still choose the same one: whoever binds second must ask again.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in random.SystemRandom().sample(_OURS, _ATTEMPTS):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port on {host}: {_ATTEMPTS} between {_OURS.start} and {_OURS.stop} tried")
