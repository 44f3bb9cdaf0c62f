"""Random steps, stale tokens, outages, deaths and hand-made changes; after each, what opens is what the laws say."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from rotators import RotatorsError
from rotators.testing import LambdaContext, SecretsManager, rotation_event
from rotators.testing.contract import stored
from rotators.testing.faults import Crash, Fault, Faults
from tests.laws.wrong_rotators import Trusting
from tests.subjects import PostgresSubject, single_user

if TYPE_CHECKING:
    from rotators.lab.postgres import Postgres

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class Steps(RuleBasedStateMachine):
    """One secret, and the steps of its rotations in any order."""

    server: ClassVar[Any]
    rotator: ClassVar[Any] = staticmethod(single_user)

    def __init__(self) -> None:
        super().__init__()
        self.service = SecretsManager()
        self.subject = PostgresSubject(self.server, self.service, type(self).rotator)
        self.tokens: list[str] = []
        self.out = False

    def teardown(self) -> None:
        self.subject.proxy.__exit__()
        self.service.close()

    def pending(self) -> str | None:
        labels = self.service.labels(self.subject.arn)
        return next((v for v, found in labels.items() if "AWSPENDING" in found and "AWSCURRENT" not in found), None)

    @precondition(lambda self: self.pending() is None)
    @rule()
    def begin(self) -> None:
        """RotateSecret."""
        token = str(uuid.uuid4())
        for version, found in self.service.labels(self.subject.arn).items():
            if "AWSPENDING" in found:
                self.service.client().update_secret_version_stage(
                    SecretId=self.subject.arn, VersionStage="AWSPENDING", RemoveFromVersionId=version
                )
        self.service.put_placeholder(self.subject.arn, token)
        self.tokens.append(token)

    @precondition(lambda self: self.tokens)
    @rule(step=st.sampled_from(STEPS))
    def step(self, step: str) -> None:
        """The step of the rotation that runs, well."""
        self.run(step, self.tokens[-1])

    @precondition(lambda self: self.tokens)
    @rule(step=st.sampled_from(STEPS), which=st.integers(0, 5))
    def stale(self, step: str, which: int) -> None:
        """A step of any rotation there ever was."""
        self.run(step, self.tokens[which % len(self.tokens)])

    def run(self, step: str, token: str, *, faults: Faults | None = None) -> None:
        before = self.subject.opens()
        holder = self.current()
        crashed = False
        try:
            with suppress(RotatorsError), (faults or Faults()).installed():
                self.subject.handler(rotation_event(step, self.subject.arn, token), LambdaContext())
        except Crash:
            assert faults
            crashed = True
        if self.current() != holder:
            assert step == "finishSecret"
            assert self.subject.opens(), "AWSCURRENT moved to what does not open"
        elif before and not crashed and not faults and not self.subject.opens():
            assert step == "setSecret"
            assert self.subject.opens("AWSPENDING"), "a step that ended by itself left neither current nor pending open"

    def current(self) -> str:
        return next(v for v, found in self.service.labels(self.subject.arn).items() if "AWSCURRENT" in found)

    @invariant()
    def what_opens_is_stored(self) -> None:
        """Law 2: whatever happened, the live password is in some version of the secret."""
        assert any(self.subject.opens(value) for value in stored(self.subject))


class Rotations(Steps):
    """The same, whatever may happen to it meanwhile."""

    @precondition(lambda self: self.tokens)
    @rule(step=st.sampled_from(STEPS), at=st.integers(0, 8), fault=st.sampled_from(Fault))
    def die(self, step: str, at: int, fault: Fault) -> None:
        """The process dies, or an answer is lost."""
        self.run(step, self.tokens[-1], faults=Faults(at, fault))
        self.subject.new_sandbox()

    @rule()
    def restart(self) -> None:
        """A new sandbox."""
        self.subject.new_sandbox()

    @rule()
    def outage(self) -> None:
        """The database goes away, or comes back."""
        self.out = not self.out
        self.subject.proxy.cut_after = 0 if self.out else None

    @precondition(lambda self: self.pending() is not None)
    @rule()
    def abandon(self) -> None:
        """Somebody takes the label off."""
        self.service.client().update_secret_version_stage(
            SecretId=self.subject.arn, VersionStage="AWSPENDING", RemoveFromVersionId=self.pending() or ""
        )


@pytest.fixture
def machine(postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> type[Rotations]:
    """The machine, on this worker's server. Nothing lags here, so nothing waits for late labels (law 14)."""
    monkeypatch.setattr("rotators.waiting.SETTLE", 0.0)
    monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(postgres_server.ca_bundle))

    class Here(Rotations):
        server = postgres_server

    return Here


QUICK = settings(
    max_examples=int(os.environ.get("ROTATORS_EXAMPLES", "15")),
    stateful_step_count=20,
    deadline=None,
    derandomize=not os.environ.get("ROTATORS_EXAMPLES"),
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


def test_whatever_happens(machine: type[Rotations]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)


def test_the_machine_finds_a_wrong_rotator(machine: type[Rotations]) -> None:
    """createSecret and then finishSecret: the label on a value that was stored and never set."""

    class Wrong(Steps):
        server = machine.server
        rotator = staticmethod(Trusting)

    quick = settings(QUICK, stateful_step_count=8, max_examples=100, phases=[Phase.generate])
    with pytest.raises(AssertionError, match="moved to what does not open"):
        run_state_machine_as_test(Wrong, settings=quick)
