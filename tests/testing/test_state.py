"""What a service remembers after its process has ended: everything it answered, or a clear refusal."""

from __future__ import annotations

import json
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError

from rotators.testing import SecretsManager, State, StateError, resume, rotate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Opened = Callable[[], State]
POLICY = '{"Version": "2012-10-17", "Statement": []}'


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens the file, again and again; what was opened is closed at the end."""
    states: list[State] = []

    def opened() -> State:
        states.append(State(tmp_path / "secrets"))
        return states[-1]

    yield opened
    for state in states:
        state.close()


def test_everything_of_a_secret_is_there_again(opened: Opened) -> None:
    state = opened()
    service = SecretsManager(state=state)
    client = service.client()
    tokens = [str(uuid.uuid4()) for _ in range(3)]
    client.create_secret(
        Name="all",
        SecretString="é\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        ClientRequestToken=tokens[0],
        Tags=[{"Key": "team", "Value": "shop"}],
        Description="of the shop",
        KmsKeyId="alias/mine",
        AddReplicaRegions=[{"Region": "eu-west-1"}],
    )
    client.put_secret_value(SecretId="all", SecretBinary=b"\0\xff", ClientRequestToken=tokens[1])
    client.put_secret_value(SecretId="all", SecretString="mine", ClientRequestToken=tokens[2], VersionStages=["MINE"])
    client.put_resource_policy(SecretId="all", ResourcePolicy=POLICY)
    client.rotate_secret(
        SecretId="all",
        RotationLambdaARN=service.add_function("f", lambda *_: None),
        RotationRules={"AutomaticallyAfterDays": 9},
        RotateImmediately=False,
    )
    service.wait("all")
    client.create_secret(Name="gone", SecretString="x")
    client.delete_secret(SecretId="gone", ForceDeleteWithoutRecovery=True)
    client.create_secret(Name="marked", SecretString="x")
    client.delete_secret(SecretId="marked")

    def seen(service: SecretsManager) -> list[Any]:
        client = service.client()
        answers = [client.describe_secret(SecretId=name) for name in ("all", "marked")]
        answers += [client.get_secret_value(SecretId="all", VersionId=token) for token in tokens]
        answers.append(client.list_secret_version_ids(SecretId="all", IncludeDeprecated=True))
        answers.append(client.get_resource_policy(SecretId="all"))
        answers.append(client.list_secrets(IncludePlannedDeletion=True))
        return [{name: value for name, value in answer.items() if name != "ResponseMetadata"} for answer in answers]

    seen(service)  # which notes the day on which the values were read
    before = seen(service)
    state.close()
    again = SecretsManager(state=opened())
    assert seen(again) == before
    assert [secret["Name"] for secret in before[-1]["SecretList"]] == ["all", "marked"]


def test_a_rotation_that_was_cut_short_is_gone_on_with(opened: Opened) -> None:
    """With its RotationToken, which is the only one that PutSecretValue takes."""
    state = opened()
    service = SecretsManager(state=state)
    service.client().create_secret(Name="app", SecretString="one")
    tokens: dict[str, str] = {}

    def dies(event: dict[str, Any], _: Any) -> None:
        tokens.update(version=event["ClientRequestToken"], rotation=event["RotationToken"])
        raise KeyboardInterrupt  # as a process that ends

    with pytest.raises(KeyboardInterrupt):
        rotate(service, "app", dies)
    state.close()

    again = SecretsManager(state=opened())
    client = again.client()
    put = {"SecretId": "app", "ClientRequestToken": tokens["version"], "VersionStages": ["AWSPENDING"]}
    with pytest.raises(client.exceptions.InvalidParameterException, match="RotationToken"):
        client.put_secret_value(**put, SecretString="two", RotationToken=str(uuid.uuid4()))
    client.put_secret_value(**put, SecretString="two", RotationToken=tokens["rotation"])

    def finishes(event: dict[str, Any], _: Any) -> None:
        if event["Step"] == "finishSecret":
            old = next(v for v, labels in again.labels("app").items() if "AWSCURRENT" in labels)
            client.update_secret_version_stage(
                SecretId="app",
                VersionStage="AWSCURRENT",
                MoveToVersionId=event["ClientRequestToken"],
                RemoveFromVersionId=old,
            )

    outcome = resume(again, "app", finishes)
    assert outcome.succeeded
    assert outcome.version == tokens["version"]
    assert client.get_secret_value(SecretId="app")["SecretString"] == "two"


def test_a_test_of_the_function_that_was_cut_short_leaves_nothing(opened: Opened) -> None:
    state = opened()
    service = SecretsManager(state=state)
    client = service.client()
    client.create_secret(Name="app", SecretString="one")
    began, end = threading.Event(), threading.Event()

    def waits(*_: Any) -> None:
        began.set()
        end.wait(30)

    client.rotate_secret(SecretId="app", RotationLambdaARN=service.add_function("f", waits), RotateImmediately=False)
    assert began.wait(30)
    state.close()
    again = SecretsManager(state=opened())
    assert list(again.labels("app", unlabelled=True).values()) == [["AWSCURRENT"]]
    end.set()
    service.close()


def test_what_was_answered_survives_a_kill(tmp_path: Path, opened: Opened) -> None:
    """Threads write as fast as they can while the process is killed: none of what they were told is lost."""
    script = (
        "import pathlib, sys, threading\n"
        "from rotators.testing import Endpoint, SecretsManager\n"
        "from rotators.testing.state import State\n"
        "endpoint = Endpoint(SecretsManager(state=State(pathlib.Path(sys.argv[1]))))\n"
        "endpoint.start()\n"
        "print(endpoint.url, flush=True)\n"
        "threading.Event().wait()\n"
    )
    file = tmp_path / "secrets"
    told: list[tuple[str, str]] = []
    with subprocess.Popen([sys.executable, "-c", script, str(file)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()

        def write(number: int) -> None:
            client: Any = boto3.client("secretsmanager", endpoint_url=url)
            try:
                for n in range(1000):
                    name = f"{number}/{n % 20}"
                    if n < 20:
                        client.create_secret(Name=name, SecretString=str(n))
                    else:
                        client.put_secret_value(SecretId=name, SecretString=str(n))
                    told.append((name, str(n)))
            except (BotoCoreError, client.exceptions.ClientError):
                pass  # killed

        with ThreadPoolExecutor(4) as pool:
            for number in range(4):
                pool.submit(write, number)
            while len(told) < 150:
                assert process.poll() is None
            process.send_signal(signal.SIGKILL)
    kept = SecretsManager(state=opened()).client()
    last = dict(told)
    assert len(last) >= 80
    for name, value in last.items():
        held = kept.get_secret_value(SecretId=name)["SecretString"]
        assert int(held) in {int(value), int(value) + 20}  # the next one may have been kept, and not been answered


def test_it_is_for_one_process_and_one_reader(tmp_path: Path, opened: Opened) -> None:
    state = opened()
    SecretsManager(state=state).client().create_secret(Name="a", SecretString="x")
    for each in tmp_path.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600, each
    with pytest.raises(StateError, match="another process has it"):
        opened()
    state.close()
    opened()


def damaged(file: Path, how: str) -> None:
    if how == "cut":
        with file.open("r+b") as opened:
            opened.truncate(file.stat().st_size // 2)
    elif how == "scribbled":
        with file.open("r+b") as opened:
            opened.seek(4096 + 8)
            opened.write(b"\xff" * 2000)
    else:
        with sqlite3.connect(file) as database:
            database.execute("UPDATE secret SET record = ?", [how])
        database.close()


@pytest.mark.parametrize("how", ["cut", "scribbled", "{", "[]", '{"name": "a"}'])
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, opened: Opened, how: str) -> None:
    file = tmp_path / "secrets"
    state = opened()
    client = SecretsManager(state=state).client()
    for n in range(50):
        client.create_secret(Name=f"n{n}", SecretString="canary-5b1" * 100)
    state.close()
    damaged(file, how)
    before = file.read_bytes()
    with pytest.raises(StateError, match="damaged") as refused:
        SecretsManager(state=opened())
    assert "canary" not in str(refused.value)
    assert file.read_bytes() == before


@pytest.mark.parametrize("kind", ["text", "database", "short", "newer"])
def test_a_file_of_somebody_else_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "secrets"
    if kind == "text":
        file.write_text(json.dumps({"mine": 1}))
    elif kind == "short":
        file.write_bytes(b"SQLite format 3\0")
    else:
        with sqlite3.connect(file) as opened:
            opened.execute("CREATE TABLE mine (x)")
            if kind == "newer":
                opened.execute(f"PRAGMA application_id = {0x726F7461}")
                opened.execute("PRAGMA user_version = 2")
        opened.close()
    before = file.read_bytes()
    with pytest.raises(StateError, match="has format 2" if kind == "newer" else "no secrets of a lab"):
        State(file)
    assert file.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["secrets"]


def test_a_maker_that_died_at_once_is_no_obstacle(tmp_path: Path, opened: Opened) -> None:
    (tmp_path / "secrets").touch()
    state = opened()
    assert state.records() == []
    assert state.note == {}


def test_a_file_that_was_made_for_all_to_read_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.touch()
    file.chmod(0o644)
    state = State(file)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}["secrets"] == 0o600
    state.close()


def test_what_a_full_disk_did_not_take_is_kept_when_there_is_room_again(tmp_path: Path) -> None:
    """Or a value would be served for as long as the process lives, and be gone after it."""
    code = """if True:
        import os, resource, sys
        from pathlib import Path
        from rotators.testing import SecretsManager
        from rotators.testing.state import State
        service = SecretsManager(state=State(Path(sys.argv[1])))
        client = service.client()
        for name in ("a", "b"):
            client.create_secret(Name=name, SecretString="one")
        room = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (Path(sys.argv[1] + "-wal").stat().st_size, room[1]))
        try:
            client.put_secret_value(SecretId="a", SecretString="two" * 20_000)
        except Exception as error:
            print(type(error).__name__)
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
        print(client.get_secret_value(SecretId="b")["SecretString"])
        sys.stdout.flush()
        os._exit(0)
    """
    file = tmp_path / "secrets"
    done = subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["OperationalError", "one"]
    service = SecretsManager(state=State(file))
    assert service.client().get_secret_value(SecretId="a")["SecretString"].startswith("two")
    service.close()
