"""The contract of any rotator, crash at every call included, on each authority."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rotators import Step
from rotators.engines.iam import room
from rotators.testing.contract import RotatorContract
from tests.iam.subjects import admin_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.iam.held import Held
    from tests.iam.stand_in import IAM


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost key is in the way until nobody can be about to store it: here for no time at all."""
    monkeypatch.setattr(room, "ABANDONED", 0.0)


class AccessKeyContract(RotatorContract):
    asking = (Step.TEST, Step.FINISH)
    gapless = True
    most_keys = 2

    def die_and_heal(self, subject: Any, *args: Any) -> None:
        """Whatever call a rotation dies at, after its retry only held keys are left, and no mark."""
        super().die_and_heal(subject, *args)
        assert set(subject.user.keys) == subject.held(), args
        assert not subject.user.tags, args
        assert subject.iam.most_ever == 2


class TestByTheRole(AccessKeyContract):
    @pytest.fixture
    def subject(self, held: Callable[..., Held]) -> Held:
        return held()


class TestByTheKeyItself(AccessKeyContract):
    @pytest.fixture
    def subject(self, held: Callable[..., Held], iam: IAM) -> Held:
        iam.user("relay", manages_itself=True)
        return held(authority="self")


class TestByAnAdmin(AccessKeyContract):
    """And with an SMTP password."""

    @pytest.fixture
    def subject(self, held: Callable[..., Held], iam: IAM) -> Held:
        return held(masterarn=admin_of(iam, held), smtp_username="", smtp_password="", region="us-west-2")
