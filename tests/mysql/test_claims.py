"""Law 11: an account of the pair's name that is not ours is refused with nothing changed; and what an admin must be allowed."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rotators import ChangeRefused
from rotators.testing import resume, rotate

if TYPE_CHECKING:
    from collections.abc import Callable

    from rotators.lab.mysqld import Mysqld
    from tests.mysql.couple import Couple

    Make = Callable[..., Couple]

#: Statements that change an account, as they stand in a general log.
CHANGES = ("ALTER USER", "CREATE USER", "GRANT ", "REVOKE ", "SET DEFAULT", "DROP USER", "SET PASSWORD")


def changed(lines: list[str]) -> list[str]:
    return [
        line
        for line in lines
        if any(word in line for word in CHANGES) and "SHOW" not in line and "sql_mode" not in line
    ]


def refused(app: Couple, saying: str, token: str | None = None) -> None:
    """The step is refused, and not a statement of it has changed anything."""
    token = token or app.pending()
    app.step("createSecret", token)
    with app.log() as lines, pytest.raises(ChangeRefused, match=saying):
        app.step("setSecret", token)
    assert any("SELECT" in line for line in lines)
    assert changed(lines) == []
    assert app.opens()


def as_clone(app: Couple, password: str) -> None:
    """Go on with the clone as current and the base as previous, as AWS's template leaves them."""
    app.execute(f"CREATE USER {app.clone} IDENTIFIED BY '{password}'")
    app.grant(f"ALL ON `{app.dbname}`.* TO ?", to=app.clone)
    app.put_current({**app.value(), "username": f"{app.username}_clone", "password": password})


@pytest.mark.parametrize("rights", ["ALL ON *.* TO ? WITH GRANT OPTION", "SELECT ON `mysql`.* TO ?", None])
@pytest.mark.parametrize("host", ["%", "10.%"])
def test_a_stranger_named_clone(mysql_family: Mysqld, couple: Make, host: str, rights: str | None) -> None:
    """A superuser or not, at our host or another."""
    app = couple(mysql_family)
    account = app.at(host, clone=True)
    app.execute(f"CREATE USER {account} IDENTIFIED BY 'theirs-Canary-5b'")
    if rights:
        app.grant(rights, to=account)
    before = app.stored(account), app.grants(account)
    refused(app, "exists and is not ours")
    assert (app.stored(account), app.grants(account)) == before
    app.execute(f"DROP USER {account}")
    assert resume(app.service, app.arn).succeeded


def test_a_stranger_whose_password_somebody_put_into_pending(mysql_family: Mysqld, couple: Make) -> None:
    """A tampered value that opens; also once its rotation was given up."""
    app = couple(mysql_family)
    app.execute(f"CREATE USER {app.clone} IDENTIFIED BY 'theirs-Canary-5b'")
    app.grant("ALL ON *.* TO ? WITH GRANT OPTION", to=app.clone)
    before = app.stored(app.clone), app.grants(app.clone)
    token = app.pending(username=f"{app.username}_clone", password="theirs-Canary-5b")
    refused(app, "may not be ours: AWSPENDING opens it", token)
    if mysql_family.engine == "mysql":
        refused(
            app, r"(\S[^,]* ON [^,]+, ){11}.* and \d\d+ more\. Drop or rename", token
        )  # ALL is a page of names there
    with pytest.raises(ChangeRefused, match="has, and .* has not"):
        app.step("testSecret", token)
    app.abandon(token)
    refused(app, f"may not be ours: version {token[:8]} without a label opens it")
    assert (app.stored(app.clone), app.grants(app.clone)) == before


def test_a_secret_that_names_a_clone_of_nobodys(mysql_family: Mysqld, couple: Make) -> None:
    """Its user is called so by chance: an unrelated user without the suffix is not taken over."""
    app = couple(mysql_family)
    stranger = app.name
    before = app.stored(stranger)
    app.put_current({**app.value(), "username": f"{app.username}_clone", "password": "clone-Canary-77"})
    app.execute(
        f"CREATE USER {app.clone} IDENTIFIED BY 'clone-Canary-77'",
        f"ALTER USER {stranger} IDENTIFIED BY 'strange-Canary'",
    )
    app.grant(f"ALL ON `{app.dbname}`.* TO ?", to=app.clone)
    before = app.stored(stranger)
    refused(app, "nothing shows that")
    assert app.stored(stranger) == before


def test_a_clone_made_by_awss_template(mysql_family: Mysqld, couple: Make) -> None:
    """It is ours, as the secret's older values open both; its rights have drifted, and are corrected."""
    app = couple(mysql_family)
    as_clone(app, "aws-Canary-11")
    app.grant("PROCESS ON *.* TO ?", to=app.clone)
    for _ in range(3):
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert app.equal()
        assert app.opens()


def test_a_secret_without_a_history(mysql_family: Mysqld, couple: Make) -> None:
    """MySQL's accounts carry our mark. MariaDB has no room for one: there the pair must be shown to be one."""
    app = couple(mysql_family)
    rotate(app.service, app.arn)
    for turn in range(3):
        arn = app.service.client().create_secret(Name=f"db/{uuid.uuid4().hex}", SecretString=json.dumps(app.value()))[
            "ARN"
        ]
        app.service.client().rotate_secret(
            SecretId=arn,
            RotationLambdaARN=app.service.add_function(f"f-{uuid.uuid4().hex}", app.handle),
            RotationRules={"AutomaticallyAfterDays": 30},
            RotateImmediately=False,
        )
        app.service.wait(arn, 30)
        app.arn = arn
        outcome = rotate(app.service, app.arn)
        if app.server.engine == "mysql":
            assert outcome.succeeded, outcome.error
            assert app.opens()
            continue
        assert "nothing shows that" in str(outcome.error)
        assert turn == 0
        break


@pytest.mark.parametrize("again", ["the same rotation", "a later one"])
def test_an_account_that_we_began_to_make(mysql_family: Mysqld, couple: Make, again: str) -> None:
    """Nothing opens it, nobody else takes it for an account, and whichever rotation comes next goes on with it."""
    app = couple(mysql_family)
    r = f"r{uuid.uuid4().hex[:8]}"
    app.execute(f"CREATE DATABASE `{r}`")
    app.grant("SUPER ON *.* TO ?", f"SELECT ON `{r}`.* TO ?")
    admin = f"`{app.admin['username']}`@`%`"
    app.execute(f"REVOKE SUPER ON *.* FROM {admin}")
    token = app.pending()
    app.step("createSecret", token)
    with pytest.raises(ChangeRefused, match="SUPER ON") as caught:
        app.step("setSecret", token)
    assert f"GRANT SUPER ON *.* TO {admin} WITH GRANT OPTION" in str(caught.value)
    stored = app.stored(app.clone)
    assert "ACCOUNT LOCK" in stored
    assert "rotators: not finished" in stored
    assert not app.opens("AWSPENDING")
    app.execute(f"ALTER USER {app.clone} ACCOUNT UNLOCK")
    assert not app.opens("AWSPENDING")
    assert not app.admits("", username=f"{app.username}_clone")
    app.grant("SUPER ON *.* TO ? WITH GRANT OPTION", to=admin)
    if again == "the same rotation":
        app.run(token)
    else:
        app.abandon(token)
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
    assert app.opens()
    assert app.value()["username"].endswith("_clone")
    assert app.equal()
    assert "rotators: not finished" not in app.stored(app.clone)


@pytest.mark.parametrize("times", [1, 3])
def test_rotations_given_up_after_set_secret(mysql_family: Mysqld, couple: Make, times: int) -> None:
    app = couple(mysql_family)
    for turn in range(2):
        for _ in range(times):
            token = app.pending()
            app.run(token, "createSecret", "setSecret", "testSecret")
            app.abandon(token)
            app.grant(f"{['CREATE', 'DROP'][turn]} ON `x{app.dbname}`.* TO ?")
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert app.opens()
        assert app.equal()


def test_a_base_that_is_locked(mysql_family: Mysqld, couple: Make) -> None:
    app = couple(mysql_family)
    rotate(app.service, app.arn)
    app.execute(f"ALTER USER {app.name} ACCOUNT LOCK")
    refused(app, "is locked")
    app.execute(f"ALTER USER {app.name} ACCOUNT UNLOCK")
    assert resume(app.service, app.arn).succeeded


def test_a_base_without_a_password(mariadb: Mysqld, couple: Make) -> None:
    """A socket's owner beside the password stays what it is, on the base alone."""
    app = couple(mariadb)
    app.execute(f"ALTER USER {app.name} IDENTIFIED VIA unix_socket OR ed25519 USING PASSWORD('one-Canary-3')")
    app.put_current({**app.value(), "password": "one-Canary-3"})
    for _ in range(3):
        outcome = rotate(app.service, app.arn)
        assert outcome.succeeded, outcome.error
        assert app.opens()
    assert "VIA unix_socket OR ed25519" in app.stored(app.name)
    assert "VIA ed25519" in app.stored(app.clone)
    assert "unix_socket" not in app.stored(app.clone)


def poor(app: Couple, *rights: str) -> dict[str, Any]:
    """Make an admin that may not much, and let the secret name it."""
    name = f"poor_{uuid.uuid4().hex[:8]}"
    app.execute(
        f"CREATE USER `{name}`@`%` IDENTIFIED BY 'poor-Canary-2'",
        *(f"GRANT {right} TO `{name}`@`%`" for right in rights),
    )
    value = app.server.secret(name, "poor-Canary-2")
    arn = app.service.client().create_secret(Name=f"admin/{uuid.uuid4().hex}", SecretString=json.dumps(value))["ARN"]
    app.put_current({**app.value(), "masterarn": arn})
    return value


def test_what_an_admin_must_be_allowed(mysql_family: Mysqld, couple: Make) -> None:
    """Each message is the statement to run; they lead to an admin who can, and who is no superuser."""
    app = couple(mysql_family)
    admin = poor(app)
    expected = ["GRANT SELECT ON `mysql`.* TO", "GRANT CREATE USER ON *.* TO", f"ON `{app.dbname}`.* TO"]
    token = app.pending()
    app.step("createSecret", token)
    for statement in expected:
        with pytest.raises(ChangeRefused) as caught:
            app.step("setSecret", token)
        said = str(caught.value)
        assert statement in said
        assert not app.opens("AWSPENDING")
        begin = said.rindex("GRANT ", 0, said.index(statement) + 6)
        app.execute(said[begin:])
        assert admin["username"] in said[begin:]
    app.run(token)
    assert app.opens()
    assert app.equal()


def test_an_admin_who_sees_passwords_and_no_rights(mariadb: Mysqld, couple: Make) -> None:
    """What is enough for a single user. Nothing is begun with it."""
    app = couple(mariadb)
    admin = poor(app, "CREATE USER ON *.*", "SELECT ON `mysql`.`global_priv`", "SELECT ON `mysql`.`user`")
    outcome = rotate(app.service, app.arn)
    assert f"GRANT SELECT ON `mysql`.* TO `{admin['username']}`@`%`" in str(outcome.error)
    assert app.hosts() == []


def test_a_base_that_only_a_system_user_may_touch(mysql: Mysqld, couple: Make) -> None:
    app = couple(mysql)
    app.grant("SYSTEM_USER ON *.* TO ?")
    admin = f"`{app.admin['username']}`@`%`"
    app.execute(f"REVOKE SYSTEM_USER ON *.* FROM {admin}")
    outcome = rotate(app.service, app.arn)
    assert f"GRANT SYSTEM_USER ON *.* TO {admin}" in str(outcome.error)
    app.grant("SYSTEM_USER ON *.* TO ? WITH GRANT OPTION", to=admin)
    assert resume(app.service, app.arn).succeeded
    assert app.equal()
    app.execute(f"REVOKE SYSTEM_USER ON *.* FROM {admin}")
    outcome = rotate(app.service, app.arn)
    assert f"GRANT SYSTEM_USER ON *.* TO {admin}" in str(outcome.error)
    assert app.opens()
