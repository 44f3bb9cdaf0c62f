"""The stuck and half-done states of the field's scenarios, each made on a real server, with what is to be said and done of it."""

from __future__ import annotations

import json
import socket
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from rotators import ChangeRefused, CredentialRejected, RotationRefused, TargetUnreachable
from rotators.testing import LambdaContext, rotate, rotation_event
from tests.diagnosis.own import Keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.diagnosis.clinic import Clinic

BY_HAND = "changed-by-hand-Canary-55"
ADMIN = "admin-Canary-2290"
SINGLE = {"rotators:strategy": "single"}


class Ward:
    """Makes worlds by their fixtures' names."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._request = request
        self.monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")

    def get(self, name: str) -> Any:
        return self._request.getfixturevalue(name)

    def postgres(self, **more: Any) -> Any:
        return self.get("world")(**more)

    def pair(self, **more: Any) -> Any:
        return self.get("pair")(**more)

    def mariadb(self, **more: Any) -> Any:
        return self.get("mysql_world")(self.get("mariadb"), **more)

    def mysql(self, **more: Any) -> Any:
        return self.get("mysql_world")(self.get("mysql"), **more)


@dataclass(frozen=True)
class Scenario:
    """
    One state.

    Attributes:
        id: the number in the list of scenarios, and a name.
        build: makes it, and returns the world.
        state: that `diagnose` finds.
        says: a pattern of the reason.
        does: what `repair` does, in order; nothing where somebody else is needed.
        then: the state after it.
        aged: days that it has been so.
        mend: what somebody does first, where a repair alone does not help.
        command: how the command begins; by default that of the repair, or none.
        pasted: the state after that command, where it is the AWS CLI's.
        value: what the command stores, where it stores one.
        options: of the commands.
        rotates: whether it rotates again afterwards.
        check: what else is so afterwards.
    """

    id: str
    build: Callable[[Ward], Any]
    state: str
    says: str
    does: tuple[str, ...] = ()
    then: str = "healthy"
    aged: float = 0.0
    mend: Callable[[Any], None] | None = None
    command: str | None = None
    pasted: str = ""
    value: Callable[[Any], dict[str, Any]] | None = None
    options: tuple[str, ...] = ()
    rotates: bool = True
    check: Callable[[Clinic], None] | None = None


def begun(app: Any, *steps: str) -> Any:
    """Run the first steps of a rotation, and no more."""
    app.token = app.pending() if hasattr(app, "pending") else app.begin()
    for step in steps:
        app.step(step, app.token)
    return app


def without_function(app: Any) -> Any:
    """A secret that is rotated by nobody but us."""
    record = app.service.account.find(app.arn)
    record.rotation_enabled, record.rotation_function = None, None
    return app


def abandoned(app: Any) -> Any:
    """The label was taken off."""
    app.service.client().update_secret_version_stage(
        SecretId=app.arn, VersionStage="AWSPENDING", RemoveFromVersionId=app.token
    )
    return app


def changed(app: Any) -> Any:
    app.set_password(BY_HAND)
    return app


def redirected(app: Any, **changes: Any) -> Any:
    value = {key: value for key, value in {**app.value(), **changes}.items() if value is not None}
    app.service.client().put_secret_value(SecretId=app.arn, SecretString=json.dumps(value))
    return app


def with_admin(app: Any) -> Any:
    """Name an admin of PostgreSQL's."""
    name = f"admin_{uuid.uuid4().hex[:8]}"
    app.execute(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{ADMIN}'")
    if app.server.installation.major >= 16:
        app.execute(f'GRANT "{app.username}" TO {name} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE')
    arn = app.service.client().create_secret(
        Name=f"admin/{uuid.uuid4().hex}", SecretString=json.dumps(app.server.secret(name, ADMIN))
    )["ARN"]
    app.put_current({**app.value(), "masterarn": arn})
    return app


def maria_admin(app: Any) -> Any:
    app.with_admin()
    return app


def restored(app: Any) -> Any:
    """Somebody restored the database from yesterday."""
    before = app.value()["password"]
    assert rotate(app.service, app.arn).succeeded
    app.set_password(before)
    return app


def finished(app: Any) -> Any:
    """All steps ran, the last one's answer was lost: AWSPENDING is still there."""
    return begun(app, "createSecret", "setSecret", "testSecret", "finishSecret")


def replayed(app: Any) -> Any:
    finished(app)
    for step in ("createSecret", "setSecret", "testSecret", "finishSecret"):
        app.step(step, app.token)
    return app


def another_token(app: Any) -> Any:
    begun(app, "createSecret")
    with pytest.raises(RotationRefused, match="has no version .* with a label"):
        app.step("setSecret", str(uuid.uuid4()))
    return app


def foreign_event(app: Any, other: Any) -> Any:
    """An event of another secret's rotation, sent with this one's ARN."""
    begun(other, "createSecret")
    with pytest.raises(RotationRefused):
        app.step("setSecret", other.token)
    return app


def refused_by_the_server(app: Any) -> Any:
    """A server that takes SCRAM alone, and a role that is set to get md5: no new password takes."""
    app.alter("SET password_encryption = 'md5'")
    begun(app, "createSecret")
    with pytest.raises(ChangeRefused, match="put back"):
        app.step("setSecret", app.token)
    return app


def out_of_time(app: Any) -> Any:
    begun(app, "createSecret")
    with pytest.raises(TargetUnreachable, match="too little time"):
        app.handler(rotation_event("setSecret", app.arn, app.token), LambdaContext(timeout=3.0))
    return app


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def silent_port(ward: Ward) -> int:
    """A port where somebody takes connections and says nothing."""
    from rotators.testing.proxy import Proxy

    proxy = Proxy("127.0.0.1", 1, silent=True)
    proxy.__enter__()
    ward._request.addfinalizer(proxy.__exit__)
    return proxy.port


def wrong_certificate(ward: Ward) -> Any:
    app = begun(ward.postgres(), "createSecret")
    ward.monkeypatch.setenv("ROTATORS_CA_BUNDLE", str(ward.get("other_server").ca_bundle))
    return app


def admin_expired(ward: Ward) -> Any:
    app = ward.pair()
    app.run("ALTER ROLE {admin} PASSWORD 'rotated-Canary-elsewhere'")
    begun(app, "createSecret")
    with pytest.raises(CredentialRejected):
        app.step("setSecret", app.token)
    return app


def admin_mended(ward: Ward) -> Any:
    app = admin_expired(ward)
    app.run("ALTER ROLE {admin} PASSWORD 'admin-Canary-19c4'")
    return app


def clone_dropped(ward: Ward) -> Any:
    app = begun(ward.pair(), "createSecret", "setSecret")
    app.run("DROP ROLE {clone}")
    return app


def grants_drifted(ward: Ward) -> Any:
    app = ward.pair(superuser=True)
    app.run("CREATE ROLE {base}_extra".replace("{base}_extra", f'"{app.username}_extra"'))
    app.run(f'GRANT "{app.username}_extra" TO {{base}}')
    begun(app, "createSecret", "setSecret")
    app.run(f'GRANT pg_monitor TO "{app.clone}"')
    with pytest.raises(ChangeRefused):
        app.step("testSecret", app.token)
    return app


def drifted_no_more(clinic: Clinic) -> None:
    app = clinic.app
    assert app.can(app.username) == app.can(app.clone)


def switched_off(app: Any) -> Any:
    app.service.client().cancel_rotate_secret(SecretId=app.arn)
    return app


def deleted(app: Any) -> Any:
    app.service.client().delete_secret(SecretId=app.arn)
    return app


def stored(app: Any, text: str) -> Any:
    app.service.client().put_secret_value(SecretId=app.arn, SecretString=text)
    return app


def two_passwords(app: Any) -> Any:
    """The user may keep its old password beside the new one."""
    right = "CREATE USER" if app.server.engine == "mariadb" else "APPLICATION_PASSWORD_ADMIN"
    app.execute(f"GRANT {right} ON *.* TO {app.name}")
    app.first = app.value()
    begun(app, "createSecret", "setSecret")
    assert app.opens("AWSCURRENT")
    assert app.opens("AWSPENDING")
    return app


def both_open(clinic: Clinic) -> None:
    assert clinic.app.opens(clinic.app.first), "the old password was killed"
    assert clinic.repair("--yes").code == 0
    assert clinic.app.opens(clinic.app.first), "a second repair killed it"


def revoked(app: Any) -> Any:
    assert rotate(app.service, app.arn).succeeded
    return app


def previous_refused(clinic: Clinic) -> None:
    deep = {tuple(v["labels"]): v["answer"] for v in clinic.diagnose("--json", "--deep").json["versions"]}
    assert deep["AWSPREVIOUS",] == "rejected"
    shallow = clinic.diagnose("--json").json
    assert shallow["logins"] == {"made": 1, "refused": 0}


def key_revoked(ward: Ward, *, both: bool = False) -> Any:
    """Somebody revoked the key in use at the provider's, or all."""
    app = Keys(ward.get("service"))
    assert rotate(app.service, app.arn).succeeded
    for label in ("AWSCURRENT", "AWSPREVIOUS")[: 2 if both else 1]:
        del app.provider.keys[app.value(label)["key_id"]]
    return app


def malformed_from_the_start(ward: Ward) -> Any:
    app = ward.postgres()
    app.good = app.value()
    redirected(app, host=None)
    record = app.service.account.find(app.arn)
    previous = record.versions.holder("AWSPREVIOUS")
    previous.labels.clear()
    return app


def admins_value(app: Any) -> dict[str, Any]:
    """The password that the admin has had since."""
    value: dict[str, Any] = app.server.secret(app.admin, "rotated-Canary-elsewhere")
    return value


def overdue(app: Any) -> Any:
    app.service.account.find(app.arn).next_rotation -= 60 * 86400
    return app


def full(ward: Ward) -> Any:
    app = Keys(ward.get("service"))
    app.provider.add("somebody else's")
    begun(app)
    with pytest.raises(ChangeRefused, match="room for 2"):
        app.step("createSecret", app.token)
    return app


def freed(app: Any) -> None:
    for key, entry in list(app.provider.keys.items()):
        if entry["name"] == "somebody else's":
            del app.provider.keys[key]


def iam_full(ward: Ward) -> Any:
    app = ward.get("held")()
    ward.get("iam").key(app.user)
    ward.get("iam").ahead += 3600
    begun(app)
    with pytest.raises(ChangeRefused, match="room for 2"):
        app.step("createSecret", app.token)
    return app


def iam_freed(app: Any) -> None:
    for key in app.keys() - app.held("AWSCURRENT"):
        del app.user.keys[key]


def same_version(clinic: Clinic) -> None:
    """It was resumed, and no other begun."""
    assert "AWSCURRENT" in clinic.labels()[clinic.app.token]


def another_version(clinic: Clinic) -> None:
    assert "AWSCURRENT" not in clinic.labels().get(clinic.app.token, [])


def failing(app: Any) -> Any:
    """A function that has failed since it was deployed."""
    begun(app, "createSecret")
    working = app.handler

    def broken(event: Any, context: Any) -> None:
        if event["Step"] == "setSecret":
            raise RuntimeError("no route")
        working(event, context)

    app.handler, app.working = broken, working
    return app


CREATED = ("createSecret",)
SET = ("createSecret", "setSecret")
KEYS = ("--handler", "tests.diagnosis.own.handler")

SCENARIOS = [
    Scenario("s02-value-stored", lambda w: begun(w.postgres(), *CREATED), "pending", "stored and never set.*resume", ("rotate",), check=same_version),
    Scenario("s03-answer-lost", lambda w: begun(w.postgres(), *SET), "half done", "AWSPENDING opens and AWSCURRENT does not", ("rotate",), check=same_version),
    Scenario("s03-answer-lost-mariadb", lambda w: begun(w.mariadb(), *SET), "half done", "AWSPENDING opens and AWSCURRENT does not", ("rotate",), check=same_version),
    Scenario("s03-no-function", lambda w: without_function(begun(w.postgres(), *SET)), "half done", "never set up", ("finish",), rotates=False, check=same_version),
    Scenario("s05-replayed-after-finish", lambda w: replayed(w.postgres()), "healthy", "opens, and nothing is pending"),
    Scenario("s06-another-version", lambda w: another_token(w.postgres()), "pending", "may be running", ("rotate",), check=same_version),
    Scenario("s08-changed-by-hand", lambda w: changed(begun(w.postgres(), *CREATED)), "does not open", "refuses AWSCURRENT .*, AWSPENDING .*name an admin's secret", command="aws secretsmanager put-secret-value", pasted="healthy", value=lambda app: {**app.value(), "password": BY_HAND}),
    Scenario("s08-changed-by-hand-admin", lambda w: changed(with_admin(w.postgres(tags=SINGLE))), "does not open", "the admin opens.* changed by somebody else", ("put back",)),
    Scenario("s08-pending-and-admin", lambda w: changed(begun(with_admin(w.postgres(tags=SINGLE)), *CREATED)), "does not open", "refuses AWSCURRENT .*, AWSPENDING .*the admin opens", ("put back", "rotate"), aged=2, check=same_version),
    Scenario("s08-pending-now-and-admin", lambda w: changed(begun(with_admin(w.postgres(tags=SINGLE)), *CREATED)), "does not open", "sets its password by the admin", ("rotate",), check=same_version),
    Scenario("s08-changed-by-hand-mariadb", lambda w: changed(maria_admin(w.mariadb(tags=SINGLE))), "does not open", "the admin opens", ("put back",)),
    Scenario("s08-alternating", lambda w: changed(begun(w.pair(), *CREATED)), "does not open", "the admin opens", ("put back", "rotate"), check=same_version),
    Scenario("s08-restored-backup", lambda w: restored(w.postgres()), "does not open", "AWSPREVIOUS .* opens: a rotation logs in with it", ("rotate",)),
    Scenario("s08-restored-no-function", lambda w: without_function(restored(w.postgres())), "does not open", "AWSPREVIOUS .* opens", ("move",), rotates=False),
    Scenario("s08-abandoned", lambda w: abandoned(begun(w.postgres(), *SET)), "does not open", "without a label opens: a rotation", ("rotate",)),
    Scenario("s08-abandoned-no-function", lambda w: without_function(abandoned(begun(w.postgres(), *SET))), "does not open", "without a label opens", ("move",), rotates=False, check=same_version),
    Scenario("s09-no-such-name", lambda w: redirected(w.postgres(), host="nowhere.invalid"), "unreachable", r"\(dns\)", then="unreachable", command="aws secretsmanager rotate-secret", pasted="unreachable", rotates=False),
    Scenario("s09-nobody-listens", lambda w: begun(redirected(w.postgres(), port=closed_port()), *CREATED), "unreachable", r"\(refused\).*The function may reach it", then="unreachable", command="aws secretsmanager rotate-secret", pasted="unreachable", rotates=False),
    Scenario("s09-silence", lambda w: redirected(w.postgres(), port=silent_port(w)), "unreachable", r"\(timeout\)", then="unreachable", command="aws secretsmanager rotate-secret", pasted="unreachable", rotates=False),
    Scenario("s10-refused-by-the-server", lambda w: refused_by_the_server(w.postgres()), "stuck", "never set at the target.*in vain", ("drop", "rotate"), aged=2, mend=lambda app: app.alter("RESET password_encryption"), check=another_version),
    Scenario("s11-label-moved", lambda w: finished(w.postgres()), "healthy", "nothing is pending"),
    Scenario("s13-no-room", full, "stuck", "room for 2 keys, which are taken by id-", ("rotate",), mend=freed, options=KEYS, check=same_version),
    Scenario("s13-no-room-access-keys", iam_full, "stuck", "room for 2 keys, which are taken by AKIA", ("rotate",), mend=iam_freed, check=same_version),
    Scenario("s17-stuck-pending", lambda w: begun(w.postgres(), *CREATED), "stuck", "never set at the target.*refuses a new rotation", ("drop", "rotate"), aged=2, check=another_version),
    Scenario("s17-stuck-empty", lambda w: begun(w.postgres()), "stuck", "has no value: createSecret has not run", ("drop", "rotate"), aged=2, check=another_version),
    Scenario("s17-for-another-target", lambda w: begun_elsewhere(w.postgres()), "stuck", "can never be used: .*'host' differ", ("drop", "rotate"), check=another_version),
    Scenario("s17-stuck-no-function", lambda w: without_function(begun(w.postgres(), *CREATED)), "stuck", "never set", ("drop",), aged=2, rotates=False),
    Scenario("s20-out-of-time", lambda w: out_of_time(w.postgres()), "pending", "stored and never set", ("rotate",), check=same_version),
    Scenario("s21-admin-expired", admin_expired, "no admin", "alternating users need the admin, whose secret is rejected", then="no admin", command="aws secretsmanager put-secret-value", pasted="pending", value=admins_value, rotates=False),
    Scenario("s21-admin-mended", admin_mended, "pending", "may be running", ("rotate",), check=same_version),
    Scenario("s22-user-missing", clone_dropped, "pending", "may be running", ("rotate",), check=same_version),
    Scenario("s22-rights-drifted", grants_drifted, "half done", "AWSCURRENT opens and so does AWSPENDING", ("rotate",), check=drifted_no_more),
    Scenario("s27-switched-off", lambda w: switched_off(begun(w.postgres(), *SET)), "half done", "rotation is off", ("finish",), then="rotation off", check=same_version),
    Scenario("s27-deleted", lambda w: deleted(begun(w.postgres(), *CREATED)), "deleted", "marked for deletion", then="deleted", command="aws secretsmanager restore-secret", pasted="pending", rotates=False),
    Scenario("s28-no-json", lambda w: stored(w.postgres(), '{"engine": "postgres", "password": "broken-Canary'), "malformed", "is not JSON.*AWSPREVIOUS .* opens", ("move",)),
    Scenario("s28-no-key", lambda w: redirected(w.postgres(), host=None), "malformed", "'host' is missing", ("move",)),
    Scenario("s28-port", lambda w: redirected(w.postgres(), port="many"), "malformed", "'port' in the secret must be a number", ("move",)),
    Scenario("s29-wrong-certificate", wrong_certificate, "unreachable", r"\(tls\)", then="unreachable", command="aws secretsmanager rotate-secret", pasted="unreachable", rotates=False),
    Scenario("s31-two-passwords", lambda w: two_passwords(w.mariadb()), "half done", "AWSCURRENT opens and so does AWSPENDING", ("rotate",), check=both_open),
    Scenario("s31-two-passwords-mysql", lambda w: two_passwords(w.mysql()), "half done", "AWSCURRENT opens and so does AWSPENDING", ("rotate",), check=both_open),
    Scenario("s35-previous-revoked", lambda w: revoked(w.postgres()), "healthy", "nothing is pending", check=previous_refused),
    Scenario("s35-key-revoked", key_revoked, "does not open", "refuses AWSCURRENT .*, and AWSPREVIOUS .* works", command="aws secretsmanager update-secret-version-stage --secret-id .* --version-stage AWSCURRENT", pasted="healthy", options=KEYS),
    Scenario("s35-key-revoked-for-good", lambda w: key_revoked(w, both=True), "does not open", "a key that was revoked can't be set again", command="aws secretsmanager put-secret-value", options=KEYS, rotates=False),
    Scenario("s28-nothing-before", malformed_from_the_start, "malformed", "'host' is missing", command="aws secretsmanager put-secret-value", pasted="healthy", value=lambda app: app.good),
    Scenario("s36-overdue", lambda w: overdue(w.postgres()), "overdue", "was due on .* has not come", ("rotate",)),
    Scenario("s36-switched-off", lambda w: switched_off(w.postgres()), "rotation off", "stays as it is", then="rotation off", command="aws secretsmanager rotate-secret", pasted="healthy"),
    Scenario("s37-fails-for-days", lambda w: failing(w.postgres()), "stuck", "in vain", ("drop", "rotate"), then="pending", aged=5, rotates=False),
    Scenario("s38-another-secrets-event", lambda w: foreign_event(w.postgres(), w.postgres()), "healthy", "nothing is pending"),
]  # fmt: skip


def begun_elsewhere(app: Any) -> Any:
    app.token = app.pending(password="pending-Canary-77", host="elsewhere.invalid")
    return app
