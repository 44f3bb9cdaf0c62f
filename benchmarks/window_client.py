"""An application that logs in with AWSCURRENT all the while, lightly enough to leave the machine to what is measured."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from rotators.lab.login_client import Attempt, Login, log_in
from rotators.lab.world import SECRET

if TYPE_CHECKING:
    from rotators.lab.world import World

_GET = "secretsmanager.GetSecretValue"
_ASK = json.dumps({"SecretId": SECRET, "VersionStage": "AWSCURRENT"}).encode()


class WindowClient:
    """
    Reads AWSCURRENT and logs in, from a thread, one attempt about every `milliseconds`.

    It asks the service without a socket and the server over its local one, without TLS: the password is checked in the
    same way, at half the cost. The pauses are random, so that a gap is no multiple of them.
    """

    def __init__(self, world: World, milliseconds: float) -> None:
        self.attempts: list[Attempt] = []
        self._service = world.service
        ((self._socket,),) = world.server.execute("SHOW unix_socket_directories")
        self._pause = milliseconds / 1000
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="client", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def gap(self, since: float) -> float:
        """
        How long AWSCURRENT did not open after `since`, in milliseconds: from the start of the first login that was
        refused to the start of the next that was let in. 0 if none was refused. It waits for the login that ends it.
        """
        end = time.monotonic()
        while not self.attempts or self.attempts[-1].began < end:
            time.sleep(self._pause / 4)
        seen = [attempt for attempt in self.attempts if attempt.began >= since]
        failed = [attempt.text for attempt in seen if attempt.result is Login.FAILED]
        if failed:
            raise SystemExit(f"the client's login failed: {failed[0]}")
        refused = [attempt.began for attempt in seen if attempt.result is Login.REFUSED]
        if not refused:
            return 0.0
        opened = [attempt.began for attempt in seen if attempt.result is Login.OPENED and attempt.began > refused[0]]
        if not opened or refused[-1] > opened[0]:
            raise SystemExit("AWSCURRENT was refused more than once in one rotation, or for good")
        return (opened[0] - refused[0]) * 1000

    def _run(self) -> None:
        following = time.monotonic()
        while not self._over.wait(max(0.0, following - time.monotonic())):
            began = time.monotonic()
            result, text = log_in(self._current(), None)
            self.attempts.append(Attempt(began, time.monotonic(), result, text))
            following = began + self._pause * random.uniform(0.5, 1.5)

    def _current(self) -> dict[str, Any]:
        _, answer = self._service.respond(_GET, _ASK)
        value: dict[str, Any] = json.loads(json.loads(answer)["SecretString"])
        return {**value, "host": self._socket}
