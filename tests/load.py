"""An application under load: what it must survive is a real rotation."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from rotators.testing import rotate

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.world import World


class Load:
    """Threads that make requests all the time."""

    def __init__(self, request: Callable[[], Any], number: int = 4) -> None:
        self.answers, self.errors = list[Any](), list[str]()
        self._request, self._end = request, threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(number)]

    def _run(self) -> None:
        while not self._end.wait(0.005):
            try:
                self.answers.append(self._request())
            except Exception as error:
                self.errors.append(f"{type(error).__name__}: {error}")

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def more(self) -> None:
        """Wait until some more requests are through."""
        enough = len(self.answers) + 3 * len(self._threads)
        while len(self.answers) < enough and not self.errors:
            self._end.wait(0.02)


def survives(app: World, request: Callable[[], Any], rotations: int = 3) -> list[Any]:
    """
    Rotate under load; what the requests answered, none of which failed.

    The server must have refused some of their logins, or nothing was proven.
    """
    with app.log() as log, Load(request) as load:
        load.more()
        for _ in range(rotations):
            outcome = rotate(app.service, app.arn, app.handler)
            assert outcome.succeeded, outcome.error
            load.more()
    assert load.errors == []
    assert sum("password authentication failed" in line for line in log) >= rotations
    return load.answers
