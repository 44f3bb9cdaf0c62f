"""What both benchmarks run on: the demo's world, our handler in a sandbox, and the rotator it is compared with in another."""

from __future__ import annotations

import os
import ssl
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from door import Door

from rotators.lab.sandbox import Sandbox
from rotators.lab.world import SECRET, World
from rotators.testing import Endpoint, rotate
from rotators.tls import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rotators.testing.functions import Handler

OURS = World.handler
THEIRS = "single_user_template.handler"


@dataclass(frozen=True)
class Stage:
    """A PostgreSQL, a Secrets Manager at a URL, one secret, the CA bundle of the handlers, and room for their logs."""

    world: World
    url: str
    bundle: Path | None
    directory: Path

    @contextmanager
    def sandbox(self, handler: str) -> Iterator[Sandbox]:
        """Start a process for a handler and wait until it has imported it."""
        path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
        environment = {"SECRETS_MANAGER_ENDPOINT": self.url, "PYTHONPATH": path}
        if self.bundle:
            environment["ROTATORS_CA_BUNDLE"] = str(self.bundle)
        with Sandbox(handler, environment, self.directory / f"{handler}.log") as sandbox:
            sandbox.wait_until_booted()
            yield sandbox

    def rotate(self, handler: Handler) -> None:
        """Rotate the secret; a rotation that fails ends the benchmark."""
        outcome = rotate(self.world.service, SECRET, handler)
        if not outcome.succeeded:
            raise SystemExit(f"the rotation failed: {outcome.error}; steps: {[run.step for run in outcome.steps]}")


@contextmanager
def stage(*, latency: float = 0.0, large_bundle: bool = False) -> Iterator[Stage]:
    """
    Set everything up; all of it is gone afterwards.

    latency:      seconds by which every Secrets Manager call of a handler is slower
    large_bundle: the handlers trust this machine's authorities too, which libpq then reads at every login
    """
    with ExitStack() as things:
        directory = Path(things.enter_context(tempfile.TemporaryDirectory(prefix="rotators-benchmark-")))
        world = things.enter_context(World(directory / "world.log"))
        url = things.enter_context(Endpoint(Door(world.service, latency))) if latency else world.url
        bundle = world.server.ca_bundle
        if bundle and large_bundle:
            larger = directory / "bundle.pem"
            larger.write_bytes(_of_the_system().read_bytes() + bundle.read_bytes())
            bundle = larger
        yield Stage(world, url, bundle, directory)


def _of_the_system() -> Path:
    for candidate in (ssl.get_default_verify_paths().cafile, *SYSTEM):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    raise SystemExit("this machine has no CA bundle: run without --large-bundle")
