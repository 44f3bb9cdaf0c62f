"""Several sandboxes at once: five processes at each step, two secrets for one role, somebody else's ALTER ROLE."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from rotators import ChangeRefused, Secret
from rotators.engines.postgres import _view
from rotators.engines.postgres.login import login
from rotators.lab.sandbox import Sandbox, SandboxDied, StepFailed
from rotators.testing import Endpoint, LambdaContext, SecretsManager, resume, rotate, rotation_event
from rotators.testing.contract import together
from tests.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rotators.lab.postgres import Postgres

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
HANDLER = "rotators.handlers.postgres.handler"


@pytest.fixture
def environment(service: SecretsManager, postgres_server: Postgres) -> Iterator[dict[str, str]]:
    """What a function's environment says: where Secrets Manager is, and whom to trust."""
    with Endpoint(service) as url:
        yield {"SECRETS_MANAGER_ENDPOINT": url, "ROTATORS_CA_BUNDLE": str(postgres_server.ca_bundle)}


def test_each_step_by_five_processes_at_once(
    world: Callable[..., World], environment: dict[str, str], tmp_path: Path
) -> None:
    app = world()
    with ExitStack() as stack:
        sandboxes = [stack.enter_context(Sandbox(HANDLER, environment, tmp_path / f"{n}.log")) for n in range(5)]
        for sandbox in sandboxes:
            sandbox.wait_until_booted()
        for _ in range(3):
            token = app.pending()
            for step in STEPS:
                event = rotation_event(step, app.arn, token)
                raised = together([partial(sandbox, event, LambdaContext()) for sandbox in sandboxes])
                assert raised == []
            assert "AWSCURRENT" in app.service.labels(app.arn)[token]
            assert app.opens()
            current = app.service.labels(app.arn)
            if "AWSPENDING" in current[token]:
                app.service.client().update_secret_version_stage(
                    SecretId=app.arn, VersionStage="AWSPENDING", RemoveFromVersionId=token
                )


def test_a_process_is_killed_at_any_moment(
    world: Callable[..., World], environment: dict[str, str], tmp_path: Path
) -> None:
    """SIGKILL, at random moments of a rotation; the retry is a new process."""
    app = world()
    rng = random.Random(20261123)
    log = tmp_path / "log"
    for _ in range(12):
        with Sandbox(HANDLER, environment, log) as sandbox:
            sandbox.wait_until_booted()
            timer = threading.Timer(rng.uniform(0.0, 0.45), sandbox.kill)
            timer.start()
            app.handler, app.context = sandbox, None
            with suppress(SandboxDied, StepFailed):
                rotate(app.service, app.arn)
            timer.cancel()
        live = {label: app.opens(label) for label in ("AWSCURRENT", "AWSPENDING") if has(app, label)}
        assert any(live.values()), live
        with Sandbox(HANDLER, environment, log) as sandbox:
            sandbox.wait_until_booted()
            app.handler = sandbox
            outcome = resume(app.service, app.arn) if stuck(app) else rotate(app.service, app.arn)
            assert outcome.succeeded, outcome.error
        assert app.opens()


def has(app: World, label: str) -> bool:
    return any(label in labels for labels in app.service.labels(app.arn).values()) and not empty(app, label)


def empty(app: World, label: str) -> bool:
    try:
        app.value(label)
    except Exception:
        return True
    return False


def stuck(app: World) -> bool:
    labels = app.service.labels(app.arn).values()
    return any("AWSPENDING" in found and "AWSCURRENT" not in found for found in labels)


def test_two_secrets_for_one_role(world: Callable[..., World]) -> None:
    """A mistake, but one that must not end in a role nobody can open: each ends well or says what happened."""
    one = world()
    two = World.__new__(World)
    two.__dict__.update(one.__dict__)
    two.arn = one.service.client().create_secret(Name=f"second/{one.username}", SecretString=json.dumps(one.value()))[
        "ARN"
    ]
    for _ in range(6):
        tokens = {id(app): app.pending() for app in (one, two)}
        for app in (one, two):
            app.step("createSecret", tokens[id(app)])
        raised = together([partial(app.step, "setSecret", tokens[id(app)]) for app in (one, two)])
        assert all(isinstance(error, ChangeRefused) and error.retryable for error in raised) or len(raised) < 2
        live = [app for app in (one, two) if app.opens("AWSPENDING")]
        assert len(live) == 1
        for app in (one, two):
            if app in live:
                app.step("testSecret", tokens[id(app)])
                app.step("finishSecret", tokens[id(app)])
                assert app.opens()
        for app in (one, two):
            app.put_current(live[0].value())


def test_the_role_is_altered_by_somebody_else_all_the_while(world: Callable[..., World]) -> None:
    """ "tuple concurrently updated": advisory locks are per database, and other people take none."""
    app = world()
    stop = threading.Event()

    def alter(number: int) -> None:
        with app.server.connect() as connection:
            while not stop.is_set():
                with suppress(psycopg.errors.InternalError_):
                    connection.execute(f"ALTER ROLE {app.username} CONNECTION LIMIT {number + 50}".encode())
                time.sleep(
                    0.012
                )  # the server takes some 5 ms to look at a verifier, between reading the role and writing it

    somebody = threading.Thread(target=alter, args=(1,))
    somebody.start()
    try:
        with app.log() as lines:
            for _ in range(15):
                outcome = rotate(app.service, app.arn)
                assert outcome.succeeded, outcome.error
    finally:
        stop.set()
        somebody.join()
    assert any("tuple concurrently updated" in line for line in lines)
    assert app.opens()


def test_a_lock_that_was_waited_for(world: Callable[..., World]) -> None:
    """Another rotation of the role is at work in this database: ours waits, then finds out what it did (law 4)."""
    app = world()
    token = app.pending()
    app.step("createSecret", token)
    holder = login(_view(Secret(app.value())))
    key = int.from_bytes(hashlib.blake2b(app.username.encode(), digest_size=8).digest(), signed=True)
    holder.rows(f"SELECT pg_advisory_lock({key})")
    raised: list[Any] = []

    def wait() -> None:
        raised.extend(together([lambda: app.step("setSecret", token)]))

    waiter = threading.Thread(target=wait)
    waiter.start()
    time.sleep(0.5)
    app.set_password(app.value("AWSPENDING")["password"])
    with app.log() as lines:
        holder.close()
        waiter.join()
    assert raised == []
    assert not any("ALTER ROLE" in line for line in lines)
    assert app.opens("AWSPENDING")
