"""What holds of the two commands whatever they find: nothing secret, no change without a reason, no more logins than needed."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators import CredentialRejected, Rotation, Rotator, Secret, TargetUnreachable
from rotators.cli import main
from rotators.testing import Endpoint, SecretsManager, rotate
from tests.diagnosis.clinic import READS, clinic
from tests.diagnosis.own import Keys
from tests.diagnosis.states import (
    CREATED,
    SET,
    SINGLE,
    abandoned,
    begun,
    changed,
    redirected,
    switched_off,
    with_admin,
    without_function,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.iam.held import Held
    from tests.iam.stand_in import IAM
    from tests.postgres.pair import PairWorld
    from tests.world import World

CANARY = "leak-c4n4ry-Pa55"


class Meddling:
    """A Secrets Manager in which somebody does something just before the n-th call of an operation is answered."""

    def __init__(
        self, service: SecretsManager, deed: Callable[[], Any], *, at: int, operation: str = "DescribeSecret"
    ) -> None:
        self._service, self._deed, self._left, self._operation = service, deed, at, operation

    def respond(self, target: str, body: bytes, headers: Any = None) -> tuple[int, bytes]:
        if target.endswith(f".{self._operation}"):
            self._left -= 1
            if self._left == 0:
                self._deed()
        return self._service.respond(target, body, headers)


STATES: dict[str, Callable[[Any], Any]] = {
    "rotate": lambda app: begun(app, *SET),
    "finish": lambda app: switched_off(begun(app, *SET)),
    "drop": lambda app: without_function(begun(app)),
    "put back": lambda app: changed(with_admin(app)),
    "move": lambda app: without_function(abandoned(begun(app, *SET))),
}


@pytest.mark.parametrize("act", STATES)
def test_what_changed_since_is_not_touched(
    act: str, world: Callable[..., World], capsys: pytest.CaptureFixture[str], impatient: None
) -> None:
    """Labels that were moved between the diagnosis and the act: nothing is done, at Secrets Manager or at the server."""
    app: Any = STATES[act](world(tags=SINGLE))
    good = app.value()

    def deed() -> None:  # another repairs it by hand
        app.put_current({**good, "password": "by-another-Canary-1"})
        app.set_password("by-another-Canary-1")
        app.service.calls.clear()

    with clinic(app, capsys) as here, Endpoint(Meddling(app.service, deed, at=2)) as url:
        plan = json.loads(here.diagnose("--json").out)["plan"]
        assert plan[0]["act"] == act
        code = main(["repair", app.arn, "--endpoint-url", url, "--yes", "--wait", "1"])
        told = capsys.readouterr()
        assert "somebody else is at work on it, and nothing more was done" in told.out
        assert {call.operation for call in app.service.calls} <= READS
        assert app.admits("by-another-Canary-1")
        assert app.value()["password"] == "by-another-Canary-1"
        assert code == 0
        here.heard += [told.out, told.err]
        here.nothing_leaked()


def test_a_label_is_not_moved_to_what_opens_no_more(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 6: the labels are the same, and the password was changed since the diagnosis."""
    app: Any = STATES["move"](world())
    before = app.service.labels(app.arn)
    with clinic(app, capsys) as here, Endpoint(Meddling(app.service, lambda: changed(app), at=2)) as url:
        assert here.diagnose("--json").json["plan"][0]["act"] == "move"
        assert main(["repair", app.arn, "--endpoint-url", url, "--yes"]) == 1
    assert "does not open any more" in capsys.readouterr().out
    assert app.service.labels(app.arn) == before


@pytest.mark.parametrize("ran", [(), CREATED])
def test_pending_that_was_set_since_is_not_given_up(
    ran: tuple[str, ...], world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody resumed a rotation that was thought dead: no label has moved, and AWSPENDING is the password in use."""
    app: Any = begun(world(), *ran)

    def deed() -> None:
        for step in SET[len(ran) :]:
            app.step(step, app.token)

    with clinic(app, capsys) as here, Endpoint(Meddling(app.service, deed, at=2)) as url:
        here.age()
        assert here.diagnose("--json").json["plan"][0]["act"] == "drop"
        main(["repair", app.arn, "--endpoint-url", url, "--yes", "--wait", "0"])
        told = capsys.readouterr().out
        assert "somebody else is at work on it, and nothing more was done" in told
        assert here.labels()[app.token] == ["AWSPENDING"]
        assert app.opens("AWSPENDING")
        assert here.repair("--yes").code == 0
        assert app.opens()


def test_nothing_is_given_up_where_nobody_could_be_asked_again(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 8: what is not known is not touched."""
    app: Any = begun(world(), *CREATED)

    with clinic(app, capsys) as here:

        def deed() -> None:
            app.alter("CONNECTION LIMIT 0")

        here.age()
        with Endpoint(Meddling(app.service, deed, at=2)) as url:
            main(["repair", app.arn, "--endpoint-url", url, "--yes", "--wait", "0"])
        assert "AWSCURRENT could not be asked once more" in capsys.readouterr().out
        assert here.labels()[app.token] == ["AWSPENDING"]


def test_no_password_is_put_back_over_one_that_was_set_since(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    """Another's repair has begun a rotation: its password is the one in use, and AWSCURRENT about to move to it."""
    app: Any = changed(begun(with_admin(world(tags=SINGLE)), *CREATED))
    pending = app.value("AWSPENDING")["password"]

    def deed() -> None:
        app.step("setSecret", app.token)

    with clinic(app, capsys) as here, Endpoint(Meddling(app.service, deed, at=2)) as url:
        here.age()
        assert here.diagnose("--json").json["plan"][0]["act"] == "put back"
        main(["repair", app.arn, "--endpoint-url", url, "--yes", "--wait", "0"])
        assert "somebody else is at work on it, and nothing more was done" in capsys.readouterr().out
        assert app.admits(pending)


def test_what_was_set_at_the_very_moment_keeps_its_label(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    """Between the last login and the call: nothing can keep that out, so it is looked at once more after it."""
    app: Any = begun(world(), *CREATED)
    meddling = Meddling(
        app.service, lambda: app.step("setSecret", app.token), at=1, operation="UpdateSecretVersionStage"
    )
    with clinic(app, capsys) as here, Endpoint(meddling) as url:
        here.age()
        main(["repair", app.arn, "--endpoint-url", url, "--yes", "--wait", "0"])
        assert "nothing more was done" in capsys.readouterr().out
        assert here.labels()[app.token] == ["AWSPENDING"]
        assert app.opens("AWSPENDING")


def test_a_password_is_put_back_where_the_label_has_gone(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    """A finishSecret that had proved AWSPENDING just before it was overwritten: AWSCURRENT opens all the same."""
    app: Any = changed(begun(with_admin(world(tags=SINGLE)), *CREATED))
    current = next(version for version, labels in app.service.labels(app.arn).items() if "AWSCURRENT" in labels)

    def deed() -> None:
        app.service.client().update_secret_version_stage(
            SecretId=app.arn, VersionStage="AWSCURRENT", MoveToVersionId=app.token, RemoveFromVersionId=current
        )

    with clinic(app, capsys) as here, Endpoint(Meddling(app.service, deed, at=3)) as url:
        here.age()
        main(["repair", app.arn, "--endpoint-url", url, "--yes", "--wait", "0"])
        assert "nothing more was done" in capsys.readouterr().out
        assert "AWSCURRENT" in here.labels()[app.token]
        assert app.opens()


@pytest.mark.parametrize("strategy", ["single", "alternating"])
def test_the_admin_sets_no_password_of_an_account_that_was_never_the_secrets(
    strategy: str, world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 11: who writes another user's name into the secret, by a slip or on purpose, gets no password of that user set."""
    victim = world()
    app: Any = with_admin(world(tags={"rotators:strategy": strategy}))
    admin = json.loads(app.service.client().get_secret_value(SecretId=app.value()["masterarn"])["SecretString"])
    if app.server.installation.major >= 16:
        app.execute(f'GRANT "{victim.username}" TO {admin["username"]} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE')
    redirected(app, username=victim.username, password="known-to-the-writer-Canary")
    with clinic(app, capsys) as here:
        told = here.repair("--yes", "--json").json
    assert told["done"] == []
    assert "'username' differ" in told["after"]["reason"]
    assert victim.opens()


@pytest.mark.parametrize("act", ["drop", "move"])
def test_of_two_that_move_a_label_one_is_refused(
    act: str, world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    """Between the last look and the call: the call itself names where the label was."""
    app: Any = STATES[act](world())
    good = app.value()
    meddling = Meddling(app.service, lambda: app.put_current(good), at=1, operation="UpdateSecretVersionStage")
    with Endpoint(meddling) as url:
        main(["repair", app.arn, "--endpoint-url", url, "--yes", "--wait", "1"])
    told = capsys.readouterr().out
    assert "somebody else is at work on it, and nothing more was done" in told
    assert app.value() == good


def test_rotation_that_was_switched_off_since_is_not_started(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str], impatient: None
) -> None:
    app: Any = begun(world(), *SET)

    def deed() -> None:
        switched_off(app)

    with clinic(app, capsys), Endpoint(Meddling(app.service, deed, at=2)) as url:
        main(["repair", app.arn, "--endpoint-url", url, "--yes", "--wait", "0"])
    assert "nothing more was done" in capsys.readouterr().out
    assert app.service.labels(app.arn)[app.token] == ["AWSPENDING"]


class Leaky(Rotator):
    """One of somebody's own, that says too much."""

    how = "rejected"

    def set(self, rotation: Rotation) -> None: ...

    def test(self, secret: Secret) -> None:
        self.say(password=secret["password"])
        said = f"no, not with {secret['password']!r} nor {json.dumps(secret['key'])}"
        if self.how == "rejected":
            raise CredentialRejected(said)
        if self.how == "unreachable":
            raise TargetUnreachable(said)
        raise KeyError(said)


leaky = Leaky()


def test_a_target_whose_port_is_a_number(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As in every database's secret; the rotator is no engine's, and takes the value as it is."""
    monkeypatch.setattr(Leaky, "how", "rejected")
    service = SecretsManager()
    value = json.dumps({"host": "db.invalid", "port": 5432, "password": CANARY, "key": CANARY})
    arn = service.client().create_secret(Name="own", SecretString=value)["ARN"]
    with Endpoint(service) as url:
        assert main(["diagnose", arn, "--handler", f"{__name__}.leaky", "--endpoint-url", url]) == 1
    assert "at db.invalid:5432" in capsys.readouterr().out


@pytest.mark.parametrize("how", ["rejected", "unreachable", "anything"])
@pytest.mark.parametrize(
    "command", [["diagnose"], ["diagnose", "--json"], ["repair", "--yes"], ["repair", "--yes", "--json"]]
)
def test_what_a_strangers_rotator_raises_is_scrubbed(
    how: str,
    command: list[str],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Leaky, "how", how)
    service = SecretsManager()
    client = service.client()
    value = json.dumps({"password": CANARY + '"1', "key": CANARY + "/2"})
    arn = client.create_secret(Name="own", SecretString=value)["ARN"]
    for number in range(3):
        token = str(uuid.uuid4())
        client.put_secret_value(
            SecretId=arn, ClientRequestToken=token, SecretString=json.dumps({"password": f"{CANARY}{number}", "key": CANARY}),
            VersionStages=["AWSPENDING"],
        )  # fmt: skip
    with Endpoint(service) as url:
        code = main([command[0], arn, "--handler", f"{__name__}.leaky", "--endpoint-url", url, *command[1:]])
    told = capsys.readouterr()
    assert code == (1 if how == "rejected" else 2)
    assert "***" in told.out
    for text in (told.out, told.err, caplog.text):
        assert CANARY not in text


def test_a_healthy_secret_costs_one_login(world: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    app: Any = world()
    assert rotate(app.service, app.arn).succeeded
    with clinic(app, capsys) as here, app.log() as lines:
        told = here.diagnose("--json")
    assert told.json["logins"] == {"made": 1, "refused": 0}
    assert sum("connection authorized" in line for line in lines) == 1
    assert not any("FATAL" in line for line in lines)
    answers = {tuple(version["labels"]): version["answer"] for version in told.json["versions"]}
    assert answers == {("AWSCURRENT",): "works", ("AWSPREVIOUS",): "not asked"}


def test_the_same_value_is_asked_once(world: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing opens, and several versions hold what was refused already."""
    app: Any = changed(begun(world(), "createSecret"))
    refused = app.value("AWSPENDING")
    for _ in range(3):
        app.put_current({**app.value(), "password": refused["password"]})
    with clinic(app, capsys) as here, app.log() as lines:
        told = here.diagnose("--json").json
    assert told["logins"]["made"] == told["logins"]["refused"] == sum("FATAL" in line for line in lines) == 2
    assert sum(version["answer"] == "rejected" for version in told["versions"]) > 2


def test_the_tries_are_bounded(world: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    app: Any = world()
    for number in range(15):
        app.token = app.pending(password=f"never-set-{number}")
        abandoned(app)
    changed(app)
    with clinic(app, capsys) as here:
        told = here.diagnose("--json").json
        assert told["logins"] == {"made": 4, "refused": 4}
        assert "12 more versions without a label were not asked" in " ".join(told["notes"])
        assert here.diagnose("--json", "--deep").json["logins"]["made"] == 11


def test_who_is_who_of_a_pair(pair: Callable[..., PairWorld], capsys: pytest.CaptureFixture[str]) -> None:
    app: Any = pair()
    app.rotated()
    with clinic(app, capsys) as here:
        told = here.diagnose("--json").json
        assert told["target"]["strategy"] == "alternating"
        assert told["target"]["pair"] == {"current": app.clone, "other": app.username}
        assert told["admin"] == {"secret": app.value()["masterarn"], "answer": "works", "cause": "", "said": ""}
        assert {v["answer"] for v in told["versions"]} == {"works"}
        assert told["logins"] == {"made": 3, "refused": 0}
        people = here.diagnose().out
    assert f"AWSCURRENT is {app.clone!r}, the other is {app.username!r}" in people


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"host": "elsewhere.invalid"}, "for another host or port"),
        ({"ssl": False}, '"ssl": false'),
        ({"host": ...}, "no 'host'"),
    ],
)
def test_an_admin_for_another_server_is_asked_nothing(
    changes: dict[str, Any], said: str, pair: Callable[..., PairWorld], capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 5: its password goes to its own server, and only if that is the secret's."""
    app: Any = pair(admin_secret=changes)
    with clinic(app, capsys) as here, app.log() as lines:
        told = here.diagnose("--json").json
    assert said in told["admin"]["said"]
    assert told["state"] == "no admin"
    assert told["plan"] == []
    assert not any(app.admin in line for line in lines)


def test_keys_are_told_apart(service: SecretsManager, capsys: pytest.CaptureFixture[str]) -> None:
    app = Keys(service)
    assert rotate(service, app.arn).succeeded
    with clinic(app, capsys, "--handler", "tests.diagnosis.own.handler") as here:
        told = here.diagnose("--json").json
    assert [(v["labels"], v["answer"]) for v in told["versions"]] == [
        (["AWSCURRENT"], "works"),
        (["AWSPREVIOUS"], "works"),
    ]
    assert told["room"]["most"] == 2
    assert set(told["room"]["held"]) == set(app.provider.keys)
    assert told["room"]["foreign"] == []


def test_access_keys_are_told_apart(held: Callable[..., Held], iam: IAM, capsys: pytest.CaptureFixture[str]) -> None:
    app = held()
    assert rotate(app.service, app.arn).succeeded
    (previous,) = app.held("AWSPREVIOUS")
    del app.user.keys[previous]
    with clinic(app, capsys) as here:
        told = here.diagnose("--json").json
    assert [(v["labels"], v["answer"]) for v in told["versions"]] == [
        (["AWSCURRENT"], "works"),
        (["AWSPREVIOUS"], "rejected"),
    ]
    assert told["room"]["keys"] == told["room"]["held"] == list(app.keys())


def test_names_do_not_move_the_cursor(world: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    app: Any = redirected(world(username=f"app\x1b[2J_{uuid.uuid4().hex[:6]}"), host="db\x1bc.invalid")
    with clinic(app, capsys) as here:
        out = here.diagnose().out
    assert "\x1b" not in out
    assert "at db\\x1bc.invalid" in out


@pytest.mark.parametrize(
    ("value", "more", "said"),
    [
        ("plain", [], "--handler package.module.attribute"),
        (json.dumps({"password": CANARY}), [], "names no 'engine'"),
        (json.dumps({"engine": "postgres"}), ["--handler", "no.such.handler"], "can't be loaded from here"),
        (
            json.dumps({"engine": "postgres"}),
            ["--region", "eu-central-1", "--region", "us-east-1"],
            "give --region once",
        ),
    ],
)
@pytest.mark.parametrize("command", ["diagnose", "repair"])
def test_what_can_not_be_diagnosed(
    command: str, value: str, more: list[str], said: str, service: SecretsManager, capsys: pytest.CaptureFixture[str]
) -> None:
    service.client().create_secret(Name="s", SecretString=value)
    with Endpoint(service) as url:
        assert main([command, "s", "--endpoint-url", url, *more]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert CANARY not in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "your role may not do secretsmanager:DescribeSecret"),
        ("ResourceNotFoundException", "can't find"),
    ],
)
def test_what_may_not_be_read(code: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    class Refusing:
        def respond(self, *_: Any) -> tuple[int, bytes]:
            return 400, json.dumps({"__type": code, "Message": "no"}).encode()

    with Endpoint(Refusing()) as url:
        assert main(["diagnose", "s", "--endpoint-url", url]) == 2
    assert said in capsys.readouterr().err


def test_a_repair_that_fails_says_why(world: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    """An admin takes no superuser over, whoever asks (law 11)."""
    app: Any = changed(with_admin(world(tags=SINGLE)))
    app.alter("SUPERUSER")
    with clinic(app, capsys) as here:
        told = here.repair("--yes")
    assert told.code == 1
    assert "that failed, and nothing more was done" in told.out
    assert "is a superuser" in told.out
    assert app.admits("changed-by-hand-Canary-55")


def test_the_environment_is_the_secrets_own_for_as_long_as_it_takes(
    world: Callable[..., World], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    monkeypatch.delenv("AWS_REGION", raising=False)
    seen: list[str | None] = []
    app: Any = world()
    with clinic(app, capsys, "--region", "eu-central-1") as here:
        from rotators.engines.postgres import Postgres

        told = Postgres.test

        def noting(self: Postgres, secret: Secret) -> None:
            seen.append(os.environ.get("AWS_REGION"))
            told(self, secret)

        monkeypatch.setattr(Postgres, "test", noting)
        here.diagnose()
    assert seen == ["eu-central-1"]
    assert "AWS_REGION" not in os.environ
