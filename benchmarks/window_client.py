"""An application that logs in with AWSCURRENT all the while, lightly enough to leave the machine to what is measured."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from rotators.lab.login_client import Attempt, Login, log_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rotators.lab.postgres import Postgres
    from rotators.testing import SecretsManager

    Secret = dict[str, Any]

_GET = "secretsmanager.GetSecretValue"


class WindowClient:
    """
    Reads AWSCURRENT and logs in, from a thread, one attempt about every `milliseconds`.

    read:   how it reads AWSCURRENT: `reader`, which asks the service without a socket
    log_in: how it logs in: over the server's local socket, without TLS. The password is checked in the same way, at half
            the cost

    The pauses are random, so that a gap is no multiple of them.
    """

    def __init__(
        self, read: Callable[[], Secret], log_in: Callable[[Secret], tuple[Login, str]], milliseconds: float
    ) -> None:
        self.attempts: list[Attempt] = []
        self._read, self._log_in = read, log_in
        self._pause = milliseconds / 1000
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="client", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def seen(self, since: float = 0.0) -> list[Attempt]:
        """Return the logins that began after a moment, when one is over that begins now: the last tells how it is now."""
        end = time.monotonic()
        while not self.attempts or self.attempts[-1].began < end:
            if not self._thread.is_alive():
                raise SystemExit("the client died")
            time.sleep(self._pause / 4)
        seen = [attempt for attempt in self.attempts if attempt.began >= since]
        failed = [attempt.text for attempt in seen if attempt.result is Login.FAILED]
        if failed:
            raise SystemExit(f"the client's login failed: {failed[0]}")
        if seen[-1].result is Login.REFUSED:
            raise SystemExit("AWSCURRENT is refused for good")
        return seen

    def _run(self) -> None:
        following = time.monotonic()
        while not self._over.wait(max(0.0, following - time.monotonic())):
            began = time.monotonic()
            result, text = self._log_in(self._read())
            self.attempts.append(Attempt(began, time.monotonic(), result, text))
            following = began + self._pause * random.uniform(0.5, 1.5)


def gap(seen: Sequence[Attempt]) -> float:
    """
    How long AWSCURRENT did not open, in milliseconds: from the start of the first login that was refused to the start of
    the next that was let in, after which none may be refused. 0 if none was refused.
    """
    refused = [attempt.began for attempt in seen if attempt.result is Login.REFUSED]
    if not refused:
        return 0.0
    opened = min(a.began for a in seen if a.result is Login.OPENED and a.began > refused[0])
    if refused[-1] > opened:
        raise SystemExit("AWSCURRENT was refused more than once in one rotation")
    return (opened - refused[0]) * 1000


def reader(service: SecretsManager, secret_id: str) -> Callable[[], Secret]:
    """Return what reads AWSCURRENT."""
    ask = json.dumps({"SecretId": secret_id, "VersionStage": "AWSCURRENT"}).encode()

    def read() -> Secret:
        _, answer = service.respond(_GET, ask)
        value: Secret = json.loads(json.loads(answer)["SecretString"])
        return value

    return read


def over_the_socket(server: Postgres) -> Callable[[Secret], tuple[Login, str]]:
    """Return what logs in to a PostgreSQL."""
    ((socket,),) = server.execute("SHOW unix_socket_directories")
    return lambda secret: log_in({**secret, "host": socket}, None)
