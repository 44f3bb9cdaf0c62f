"""What both benchmarks run on: the demo's world, our handler in a sandbox, and the rotator it is compared with in another."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rotators.lab.sandbox import Sandbox
from rotators.lab.world import SECRET, World
from rotators.testing import rotate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.testing.functions import Handler

OURS = World.handler
THEIRS = "single_user_template.handler"


@dataclass(frozen=True)
class Stage:
    """A PostgreSQL, a Secrets Manager, one secret, and room for logs."""

    world: World
    directory: Path

    @contextmanager
    def sandbox(self, handler: str) -> Iterator[Sandbox]:
        """Start a process for a handler and wait until it has imported it."""
        world = self.world
        here = str(Path(__file__).parent)
        path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
        environment = {"SECRETS_MANAGER_ENDPOINT": world.url, "PYTHONPATH": path}
        if world.server.ca_bundle:
            environment["ROTATORS_CA_BUNDLE"] = str(world.server.ca_bundle)
        with Sandbox(handler, environment, self.directory / f"{handler}.log") as sandbox:
            sandbox.wait_until_booted()
            yield sandbox

    def rotate(self, handler: Handler) -> None:
        """Rotate the secret; a rotation that fails ends the benchmark."""
        outcome = rotate(self.world.service, SECRET, handler)
        if not outcome.succeeded:
            raise SystemExit(f"the rotation failed: {outcome.error}; steps: {[run.step for run in outcome.steps]}")


@contextmanager
def stage() -> Iterator[Stage]:
    """Set everything up; all of it is gone afterwards."""
    with ExitStack() as things:
        directory = Path(things.enter_context(tempfile.TemporaryDirectory(prefix="rotators-benchmark-")))
        yield Stage(things.enter_context(World(directory / "world.log")), directory)
