"""What IAM and STS do not say: denied, throttled, silent, nobody there. And what we never say (law 9)."""

from __future__ import annotations

import json
import logging
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from rotators import ChangeRefused, ConfigurationError, CredentialRejected, TargetUnreachable
from rotators.engines.iam.access_key import AccessKey
from rotators.engines.iam.authority import Authority
from rotators.testing import rotate
from tests.iam.held import STEPS
from tests.iam.subjects import admin_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.iam.held import Held
    from tests.iam.stand_in import IAM

#: Each call of a rotation to IAM, and the step that makes it.
ACTIONS = {
    "ListAccessKeys": "createSecret",
    "ListUserTags": "createSecret",
    "GetAccessKeyLastUsed": "createSecret",
    "UpdateAccessKey": "createSecret",
    "DeleteAccessKey": "createSecret",
    "TagUser": "createSecret",
    "CreateAccessKey": "createSecret",
    "UntagUser": "finishSecret",
}
WHO = {"role": "the function's role", "admin": "the admin's key", "self": "the key of AWSCURRENT"}


@pytest.fixture
def app(held: Callable[..., Held], iam: IAM) -> Held:
    """A secret whose next rotation makes every call there is."""
    made = held(days=1)
    assert rotate(made.service, made.arn).succeeded
    iam.ahead += 30 * 86400.0
    iam.asked.clear()
    return made


def up_to(app: Held, step: str) -> str:
    token = app.begin()
    for name in STEPS[: STEPS.index(step)]:
        app.step(name, token)
    return token


@pytest.mark.parametrize("action, step", ACTIONS.items())
@pytest.mark.parametrize("who", WHO)
def test_who_may_not_is_told_what_to_allow(
    held: Callable[..., Held], iam: IAM, action: str, step: str, who: str
) -> None:
    iam.user("relay", manages_itself=True)
    more = {"masterarn": admin_of(iam, held)} if who == "admin" else {}
    app = held(days=1, authority=who, **more)
    assert rotate(app.service, app.arn).succeeded
    iam.ahead += 30 * 86400.0
    token = up_to(app, step)
    iam.denied = {action}
    with pytest.raises(
        ConfigurationError, match=f"{WHO[who]} may not do iam:{action} on the user relay: allow it"
    ) as caught:
        app.step(step, token)
    assert not caught.value.retryable
    iam.denied = set()
    app.steps(token)


@pytest.mark.parametrize("fault", [(400, "Throttling"), (409, "ConcurrentModification"), (503, "ServiceUnavailable")])
@pytest.mark.parametrize("action, step", [*ACTIONS.items(), ("GetCallerIdentity", "createSecret")])
def test_a_passing_failure_passes(app: Held, iam: IAM, action: str, step: str, fault: tuple[int, str]) -> None:
    token = up_to(app, step)
    iam.faults = [(action, *fault, False)] * (1 if action == "CreateAccessKey" and fault[0] == 503 else 2)
    if action == "CreateAccessKey" and fault[0] == 503:  # it may have been issued
        with pytest.raises(TargetUnreachable, match="IAM answered CreateAccessKey with ServiceUnavailable"):
            app.step(step, token)
    app.step(step, token)
    assert not iam.faults


def test_a_throttling_that_stays_is_retryable(app: Held, iam: IAM) -> None:
    iam.faults = [("ListAccessKeys", 400, "Throttling", False)] * 9
    with pytest.raises(
        TargetUnreachable, match="IAM answered ListAccessKeys with Throttling, again and again"
    ) as caught:
        app.step("createSecret", app.begin())
    assert caught.value.retryable
    assert caught.value.cause == "busy"


def test_another_refusal(app: Held, iam: IAM) -> None:
    iam.faults = [("CreateAccessKey", 400, "Surprise", False)]
    with pytest.raises(ChangeRefused, match="IAM refused CreateAccessKey .Surprise"):
        app.step("createSecret", app.begin())


def test_a_user_with_all_the_tags_it_may_have(app: Held) -> None:
    app.user.tags |= {str(number): "" for number in range(50)}
    with pytest.raises(ChangeRefused, match="has all the tags it may have") as caught:
        app.step("createSecret", app.begin())
    assert not caught.value.retryable


@pytest.mark.parametrize("step", ["createSecret", "testSecret"])
def test_a_wrong_clock_is_not_a_wrong_key(app: Held, iam: IAM, step: str) -> None:
    token = up_to(app, step)
    iam.skewed = True
    with pytest.raises(TargetUnreachable, match="STS finds the time wrong"):
        app.step(step, token)


def test_an_endpoints_policy_forbids_sts(app: Held, iam: IAM) -> None:
    iam.denied = {"GetCallerIdentity"}
    with pytest.raises(TargetUnreachable, match="allow sts:GetCallerIdentity in the policy of the VPC's") as caught:
        app.step("createSecret", app.begin())
    assert caught.value.cause == "denied"


@pytest.mark.parametrize("harm", ["inactive", "deleted", "another secret"])
def test_a_current_key_that_opens_nothing(app: Held, iam: IAM, harm: str) -> None:
    value = app.value()
    if harm == "inactive":
        app.user.keys[value["access_key_id"]].active = False
    elif harm == "deleted":
        del app.user.keys[value["access_key_id"]]
    else:
        app.user.keys[value["access_key_id"]].secret = "another"
    with pytest.raises(
        CredentialRejected, match="STS does not accept the key of AWSCURRENT .*wrong, inactive or deleted"
    ):
        app.step("createSecret", app.begin())
    assert not iam.calls()


def test_the_functions_own_credentials(app: Held, iam: IAM) -> None:
    iam.role = ("test", "another")
    with pytest.raises(ConfigurationError, match="IAM does not accept the function's own credentials"):
        app.step("createSecret", app.begin())


def test_nobody_answers(app: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(
            TargetUnreachable, match="STS did not answer GetCallerIdentity .EndpointConn.* VPC"
        ) as caught:
            app.step("createSecret", app.begin())
    assert caught.value.cause == "network"


@pytest.mark.parametrize("action", ["GetCallerIdentity", "ListAccessKeys", "CreateAccessKey"])
def test_law_13_silence_is_bounded(app: Held, iam: IAM, action: str) -> None:
    token = app.begin()
    iam.faults = [(action, 0, "", False)] * 9
    begun = time.monotonic()
    with pytest.raises(TargetUnreachable) as caught:
        app.step("createSecret", token, seconds=6)
    assert time.monotonic() - begun < 6.5
    assert caught.value.retryable
    assert caught.value.cause == "timeout"


def test_law_13_no_change_without_the_time_to_store_the_key(app: Held, iam: IAM) -> None:
    before = set(app.user.keys)
    with pytest.raises(TargetUnreachable, match="too little time is left"):
        app.step("createSecret", app.begin(), seconds=4)
    assert set(app.user.keys) == before
    assert not app.user.tags


def test_law_9_a_key_is_silent() -> None:
    key = AccessKey("AKIAIOSFODNN7EXAMPLE", "canary-4f9c")
    assert "canary" not in f"{key!r} {key} {Authority('the admin', key)!r}"


def test_law_9_nothing_secret_is_said(
    held: Callable[..., Held], iam: IAM, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """At the chattiest level of everybody, at each call that fails in each way."""
    admin = admin_of(iam, held)
    app = held(masterarn=admin, smtp_password="", region="us-west-2", days=1)
    for name in ("", "boto3", "botocore", "urllib3", "botocore.parsers", "botocore.auth"):
        caplog.set_level(logging.DEBUG, logger=name)
    assert rotate(app.service, app.arn).succeeded
    iam.ahead += 30 * 86400.0
    said: list[str] = []
    secrets = {value["smtp_password"] for value in (app.value(),)}

    def attempt(step: str, token: str) -> None:
        try:
            app.step(step, token)
        except Exception as error:
            said.extend([str(error), repr(error), repr(vars(error)), repr(error.__context__), repr(error.__cause__)])
        secrets.update(key.secret for user in iam.users.values() for key in user.keys.values())

    for action, step in [*ACTIONS.items(), ("GetCallerIdentity", "testSecret")]:
        for fault in ((403, "AccessDenied"), (403, "InvalidClientTokenId"), (400, "Surprise"), (503, "ServiceFailure")):
            token = up_to(app, "createSecret" if step == "createSecret" else "finishSecret")
            iam.faults = [(action, *fault, True)] * 4
            attempt(step, token)
            iam.faults = []
            iam.ahead += 30 * 86400.0
            app.steps(token)
            iam.ahead += 30 * 86400.0
    assert said
    said += [*capfd.readouterr(), *(f"{record.getMessage()} {record.__dict__!r}" for record in caplog.records)]
    assert len(secrets) > 20
    assert [secret for secret in secrets if any(secret in text for text in said)] == []


def test_law_9_an_error_names_keys_of_others_alone(app: Held, iam: IAM) -> None:
    """The id of a key is no secret; one that the secret holds is named by its end all the same."""
    value: Any = json.dumps(app.value("AWSPREVIOUS"))
    (old,) = app.held("AWSPREVIOUS")
    app.user.keys[old].uses.append((iam.now(), "s3"))
    with pytest.raises(ChangeRefused, match=f"ending in {old[-4:]}") as caught:
        app.step("createSecret", app.begin())
    assert old in value
    assert old not in str(caught.value)
