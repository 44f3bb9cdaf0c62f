"""What the services do not say: denied, throttled, silent, nobody there."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from rotators import ChangeRefused, ConfigurationError, SecretError, TargetUnreachable
from rotators.testing import rotate
from tests.elasticache.test_elasticache import created, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.elasticache.held import Held

ACTIONS = {
    "elasticache": ("DescribeUsers", "ModifyUser", "ListTagsForResource", "AddTagsToResource"),
    "memorydb": ("DescribeUsers", "UpdateUser", "ListTags", "TagResource"),
}
EACH = [(kind, action) for kind, actions in ACTIONS.items() for action in actions]
NEEDED = [(kind, action) for kind, actions in ACTIONS.items() for action in actions[:2]]


@pytest.mark.parametrize("kind, action", NEEDED)
def test_who_may_not_is_told_what_to_allow(held: Callable[..., Held], kind: str, action: str) -> None:
    app = held(kind)
    token, app.cache.denied = created(app), {action}
    with pytest.raises(ConfigurationError, match=f"role may not do {kind}:{action} on the user {app.user.id}"):
        step(app, "setSecret", token)


@pytest.mark.parametrize("kind, action", EACH)
def test_a_passing_failure_passes(held: Callable[..., Held], kind: str, action: str) -> None:
    """The second comes after the work is done: the change that is tried again is going on already."""
    app = held(kind, host=False)
    app.cache.faults = [(action, 400, "Throttling", False), (action, 503, "ServiceUnavailable", True)]
    assert rotate(app.service, app.arn).succeeded
    assert not app.cache.faults
    assert app.opens(app.value())


def test_one_that_stays_is_retryable(held: Callable[..., Held]) -> None:
    app = held()
    token, app.cache.faults = created(app), [("DescribeUsers", 400, "Throttling", False)] * 9
    with pytest.raises(TargetUnreachable, match="ElastiCache answered DescribeUsers with Throttling") as caught:
        step(app, "setSecret", token)
    assert (caught.value.retryable, caught.value.cause) == (True, "busy")


@pytest.mark.parametrize(
    "fault, kind, said",
    [
        ((404, "UserNotFound"), SecretError, "has no user .* in this account and region"),
        ((403, "InvalidClientTokenId"), ConfigurationError, "does not accept the function's own credentials"),
        ((400, "ServiceLinkedRoleNotFoundFault"), ChangeRefused, "refused DescribeUsers of the user"),
    ],
)
def test_refusals(held: Callable[..., Held], fault: tuple[int, str], kind: type[Exception], said: str) -> None:
    app = held()
    token, app.cache.faults = created(app), [("DescribeUsers", *fault, False)]
    with pytest.raises(kind, match=said):
        step(app, "setSecret", token)


@pytest.mark.parametrize("kind, vpc", [("elasticache", "elasticache"), ("memorydb", "memory-db")])
def test_nobody_answers(held: Callable[..., Held], kind: str, vpc: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = held(kind)
    token = created(app)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{kind.upper()}", url)
        with pytest.raises(TargetUnreachable, match=f"needs an interface endpoint for {vpc} or a NAT") as caught:
            step(app, "setSecret", token)
    assert caught.value.cause == "network"


@pytest.mark.parametrize("kind, action", [*EACH[:2], *EACH[-2:]])
def test_law_13_silence_is_bounded(held: Callable[..., Held], kind: str, action: str) -> None:
    app = held(kind, host=False)
    token, app.cache.faults = created(app), [(action, 0, "", False)] * 9
    begun = time.monotonic()
    with pytest.raises(TargetUnreachable) as caught:
        step(app, "setSecret", token, seconds=5)
    assert time.monotonic() - begun < 5.5
    assert caught.value.retryable
    assert app.opens(app.value())


def test_law_13_no_change_without_the_time_to_prove_it(held: Callable[..., Held]) -> None:
    app = held()
    with pytest.raises(TargetUnreachable, match="too little time is left to change the credential"):
        step(app, "setSecret", created(app), seconds=3)
    assert "ModifyUser" not in app.cache.actions()
