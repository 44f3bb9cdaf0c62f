"""
Deliberately wrong rotators, one law broken in each. The contract must reject them all.

Each is what somebody has really shipped; see the comment for who, or for what it would look like in review.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rotators import (
    CredentialRejected,
    EngineRotator,
    Rotation,
    Rotator,
    Secret,
    SecretStore,
    TargetUnreachable,
)
from rotators.engines.postgres import Postgres
from rotators.engines.postgres.change import Change
from rotators.machine import Standing
from rotators.passwords import PasswordPolicy

if TYPE_CHECKING:
    import pytest


class Plain(Rotator):
    """A right rotator in twenty lines, for the wrong ones to be wrong in one place. It has no undo and one authority."""

    def __init__(self, store: SecretStore) -> None:
        super().__init__(store=store)
        self.engine = Postgres()
        self.right = EngineRotator(self.engine, store=store)

    def create(self, rotation: Rotation) -> Secret:
        return rotation.current.replace(password=rotation.draw_password(PasswordPolicy()))

    def check(self, rotation: Rotation) -> None:
        self.right.check(rotation)

    def set(self, rotation: Rotation) -> None:
        self.right.set(rotation)

    def test(self, secret: Secret) -> None:
        self.engine.test(secret)


class Unguarded(Plain):
    """Law 1: a wrong token is taken for a pending one (PrinterLogic's handler returns success for it)."""

    def _guard(self, call: Any) -> Any:
        return self._store.describe(call.secret_id), Standing.PENDING


class ChangesBeforeStoring(Plain):
    """Law 2: the target is changed in createSecret, before the value is stored (kislerdm's Neon plugin)."""

    def create(self, rotation: Rotation) -> Secret:
        fresh = super().create(rotation)
        with suppress(CredentialRejected):
            self.engine.set(fresh, by=rotation.current, like=rotation.current)
        return fresh


class Forgetful(Plain):
    """Law 3: whoever set the password remembers it in memory (square's rollback state), so a new process does not know."""

    def __init__(self, store: SecretStore) -> None:
        super().__init__(store)
        self.done: list[str] = []

    def _set(self, rotation: Rotation, _: Any) -> None:
        self.check(rotation)
        if rotation.version not in self.done:
            self.engine.set(rotation.pending, by=rotation.current, like=rotation.current)
            self.done.append(rotation.version)


class AsksPendingFirst(Plain):
    """Law 4: pending is tried before current, as AWS's templates do: a failed login at every rotation."""

    def set(self, rotation: Rotation) -> None:
        try:
            self.engine.test(rotation.pending)
        except CredentialRejected:
            super().set(rotation)


class Gullible(Plain):
    """Law 5: nobody looks where pending leads to."""

    def check(self, rotation: Rotation) -> None:
        """Believe it."""


class Trusting(Plain):
    """Law 6: finishSecret moves the label without asking (all of AWS's templates)."""

    def _finish(self, rotation: Rotation, report: Any) -> None:
        self.check(rotation)
        rotation.promote()


class Hasty(Plain):
    """Law 6: a proof made by testSecret is believed for ever."""

    def __init__(self, store: SecretStore) -> None:
        super().__init__(store)
        self.proven: list[str] = []

    def test(self, secret: Secret) -> None:
        if secret["password"] not in self.proven:
            super().test(secret)
            self.proven.append(secret["password"])


class OneAnswer(Plain):
    """Law 8: "could not ask" reads as "no" (AWS's templates return None for both)."""

    def set(self, rotation: Rotation) -> None:
        try:
            super().set(rotation)
        except TargetUnreachable:
            raise CredentialRejected("unable to log into database with previous, current, or pending secret") from None

    def test(self, secret: Secret) -> None:
        try:
            super().test(secret)
        except TargetUnreachable:
            raise CredentialRejected("unable to log into database with pending secret") from None


class Chatty(Plain):
    """Law 9: somebody was debugging."""

    def set(self, rotation: Rotation) -> None:
        logging.getLogger("debug").info("setting %s", dict(rotation.pending))
        super().set(rotation)


class Telltale(Plain):
    """Law 9: the error quotes what it was about; only where the scrubber does not see it."""

    def test(self, secret: Secret) -> None:
        try:
            super().test(secret)
        except TargetUnreachable as error:
            logging.getLogger("debug").error("could not test %s", secret["password"])
            raise error from None


class Impatient(Plain):
    """Law 14: the first answer is believed."""

    def _guard(self, call: Any) -> Any:
        about = self._store.describe(call.secret_id)
        from rotators.machine import standing

        return about, standing(about.labels.get(call.version))


#: Rotator, and the tests of the contract that must reject it.
WRONG: dict[type[Rotator], list[str]] = {
    Unguarded: ["test_law_1_refuse_before_touching"],
    ChangesBeforeStoring: ["test_law_2_pending_is_the_write_ahead_log"],
    Forgetful: ["test_law_3_every_step_may_run_twice", "test_law_3_a_crash_at_every_call"],
    AsksPendingFirst: ["test_law_4_know_before_you_set"],
    Gullible: ["test_law_5_same_resource"],
    Trusting: ["test_law_6_never_promote_what_does_not_open", "test_law_6_proven_at_the_last_moment"],
    Hasty: ["test_law_6_proven_at_the_last_moment"],
    OneAnswer: ["test_law_8_unreachable_is_not_rejected"],
    Chatty: ["test_law_9_no_secret_in_text"],
    Telltale: ["test_law_9_no_secret_in_text"],
    Impatient: ["test_law_14_secrets_manager_may_answer_late"],
}


# -- what the contract can't see, because only this engine has it: broken in place, and an ordinary test must notice ------


def no_undo(patch: pytest.MonkeyPatch) -> None:
    """Law 10: a change that did not take is left as it is."""
    patch.setattr(Change, "_put_back", lambda self: "well")


def no_proof(patch: pytest.MonkeyPatch) -> None:
    """Law 10: the success of the statement is believed (Vault's static roles)."""
    patch.setattr(Change, "_prove", lambda self, broken: None)


def takes_over(patch: pytest.MonkeyPatch) -> None:
    """Law 11: the admin sets any role's password."""
    patch.setattr("rotators.engines.postgres.change.inspect", lambda session, target: None)


def timeless(patch: pytest.MonkeyPatch) -> None:
    """Law 13: the function's remaining time is nobody's business."""
    patch.setattr("rotators.deadline.Deadline.left", lambda self: 30.0)


def begins_too_late(patch: pytest.MonkeyPatch) -> None:
    """Law 13: a change is begun without the time to prove it."""
    patch.setattr("rotators.deadline.PROOF", 0.0)


def unscrubbed(patch: pytest.MonkeyPatch) -> None:
    """Law 9: texts go out as they came."""
    patch.setattr("rotators.telemetry.scrub", lambda text, secrets: text)
    patch.setattr("rotators.errors.scrub", lambda text, secrets: text)


def plaintext_statement(patch: pytest.MonkeyPatch) -> None:
    """Law 9: the password itself is sent (AWS's templates; Vault by default)."""
    patch.setattr("rotators.engines.postgres.libpq.Session.verifier", lambda self, user, password, algorithm: password)


def conflicts_are_fatal(patch: pytest.MonkeyPatch) -> None:
    """Law 3: "tuple concurrently updated" ends the step."""
    patch.setattr("rotators.engines.postgres.change.CONFLICTS", 1)


def no_abandoned(patch: pytest.MonkeyPatch) -> None:
    """Law 2, its other half: a value whose labels are gone is forgotten (AWS's templates)."""
    patch.setattr(Rotation, "abandoned", lambda self: iter(()))


def deaf(patch: pytest.MonkeyPatch) -> None:
    """Law 14: a value that is not visible yet is not there."""
    patch.setattr("rotators.waiting.pauses", lambda: iter((None,)))
