"""What happens in the demo: three rotations, then one that is killed in the middle and healed by its retry."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from rotators.lab import LabError, promises
from rotators.lab.stall import Stall
from rotators.lab.story import Act, Step, Try
from rotators.lab.world import ROLE, SECRET, World
from rotators.testing import resume, rotate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from rotators.lab.login_client import LoginClient
    from rotators.lab.promises import Promise
    from rotators.lab.sandbox import Sandbox

ROTATIONS = 3
_LEAD = 0.05  # seconds of the client's ordinary life that are shown before and after a rotation


class Audience(Protocol):
    """Whoever watches: a terminal, a pipe, a test."""

    def waiting(self, text: str) -> AbstractContextManager[object]:
        """Show that something takes its time."""

    def scene(self, world: World) -> None:
        """Show what was set up."""

    def watching(self, act: Act) -> AbstractContextManager[object]:
        """Show an act, which is played within the block."""

    def verdict(self, acts: list[Act], kept: list[Promise]) -> None:
        """Show what came of it."""


class Scenario:
    """Plays the demo before an audience.

    `log` is the file that the handler's structured log is appended to; everything else it makes is gone at the end.

    >>> Scenario(stage, Path("handler.log")).play()         # were all promises kept?
    True
    """

    def __init__(self, audience: Audience, log: Path) -> None:
        self._audience = audience
        self._log = log
        self._acts: list[Act] = []

    def play(self) -> bool:
        """Play it. Raises `LabError` if the machine lacks what it needs."""
        with ExitStack() as things:
            with self._audience.waiting("starting PostgreSQL, a Secrets Manager and the handler"):
                world = things.enter_context(World(self._log))
                sandbox = things.enter_context(world.sandbox())
                sandbox.wait_until_booted()
            self._audience.scene(world)
            with world.client() as client:
                self._play_all(world, client, sandbox)
            kept = promises.check(world, self._acts, client.attempts)
        self._audience.verdict(self._acts, kept)
        return all(promise.kept for promise in kept)

    def _play_all(self, world: World, client: LoginClient, sandbox: Sandbox) -> None:
        for number in range(1, ROTATIONS + 1):
            title = f"Rotation {number}, {'warm' if number > 1 else 'after a cold start'}"
            if not self._rotation(title, world, client, sandbox):
                return  # the service would refuse the next one; the verdict says what is missing
        self._killed(f"Rotation {ROTATIONS + 1}, killed in the middle", world, client, sandbox)

    def _rotation(self, title: str, world: World, client: LoginClient, sandbox: Sandbox) -> bool:
        with self._act(title, world, client) as act:
            one = Try()
            act.tries.append(one)
            outcome = rotate(world.service, SECRET, self._function(world, sandbox, one))
            one.labels = world.labels()
        return outcome.succeeded

    def _killed(self, title: str, world: World, client: LoginClient, sandbox: Sandbox) -> None:
        with self._act(title, world, client) as act:
            first = Try()
            act.tries.append(first)
            with Stall(world.server, ROLE) as stall:
                killer = threading.Thread(target=_kill, args=(stall, sandbox), name="killer", daemon=True)
                killer.start()
                rotate(world.service, SECRET, self._function(world, sandbox, first))
                killer.join()
            first.labels = world.labels()
            begun = time.monotonic()
            with world.sandbox() as fresh:
                fresh.wait_until_booted()
                boot = time.monotonic() - begun
                second = Try(f"the retry, at once, by a new process that took {1000 * boot:.0f} ms to start")
                act.tries.append(second)
                resume(world.service, SECRET, self._function(world, fresh, second))
            second.labels = world.labels()

    @contextmanager
    def _act(self, title: str, world: World, client: LoginClient) -> Iterator[Act]:
        act = Act(title, world.labels(), client.between)
        written = self._log.stat().st_size
        with self._audience.watching(act):
            time.sleep(_LEAD)
            yield act
            time.sleep(_LEAD)
            act.ended = time.monotonic()
            act.measured = world.measured(written)
        self._acts.append(act)

    @staticmethod
    def _function(world: World, sandbox: Sandbox, one: Try) -> Callable[[dict[str, Any], Any], None]:
        """The sandbox as a Lambda function, with each of its steps looked at from outside."""

        def invoke(event: dict[str, Any], context: Any) -> None:
            world.note_token(event.get("RotationToken"))
            verifier, counted = world.verifier(), len(world.calls)
            step = Step(event["Step"], time.monotonic())
            one.steps.append(step)
            try:
                sandbox(event, context)
            except Exception as error:
                step.failure = str(error)
                raise
            finally:
                step.ended = time.monotonic()
                step.calls = world.calls[counted:]
                step.note = _note(step, changed=world.verifier() != verifier)

        return invoke


def _kill(stall: Stall, sandbox: Sandbox) -> None:
    try:
        stall.wait_until_changed()
    except LabError:
        return  # the rotation went on, and the promise about it is not kept
    sandbox.kill()


def _note(step: Step, *, changed: bool) -> str:
    """What a step did, as the service and the database saw it."""
    match step.name:
        case "createSecret":
            return "stored a new password" if "PutSecretValue" in step.calls else "one is stored: kept"
        case "setSecret":
            return "changed the role's password" if changed else "the role has it: left alone"
        case "finishSecret":
            return "moved AWSCURRENT" if "UpdateSecretVersionStage" in step.calls else ""
    return ""
