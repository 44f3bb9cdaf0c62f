"""The plugin as an author has it: in a folder of its own, with nothing of this repository's tests."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from rotators.testing import RotatorSubject, case
from rotators.testing.faults import Fault
from tests.kit.relay import ByUrllib3

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rotators.testing import SecretsManager
    from rotators.testing.rotating import Rotating
    from tests.kit.relay import Relay

FILE = """
import hmac
import pytest
from rotators import CredentialRejected, Rotator
from rotators.testing import RotatorContract, RotatorSubject
from vault import Vault, ask

class OfTheVault(Rotator):
    def set(self, rotation):
        {set}

    def test(self, secret):
        if ask(secret["port"], secret["password"], "-") != "yes":
            raise CredentialRejected("the vault refused the password")

class TestOfTheVault(RotatorContract):
    @pytest.fixture
    def subject(self, secret_store):
        with Vault() as vault:
            yield RotatorSubject(secret_store, OfTheVault, vault.value(), opens=vault.opens)
"""
RIGHT = """if ask(secret := rotation.current["port"], rotation.current["password"], rotation.pending["password"]) != "yes":
            raise CredentialRejected("the vault refused the password")"""
WRONG = """ask(rotation.current["port"], rotation.current["password"], rotation.pending["password"] + "x")"""
VAULT = """
import socket, socketserver, threading

class Vault:
    def __enter__(self):
        vault = self
        self.password = "first"
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                words = self.rfile.readline().decode().rstrip("\\n").split("\\t")
                known = words[0] == vault.password
                if known and words[1:] != ["-"]:
                    vault.password = words[1]
                self.wfile.write(b"yes\\n" if known else b"no\\n")
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def value(self):
        return {"port": self.server.server_address[1], "username": "app", "password": "first"}

    def opens(self, value):
        return value["password"] == self.password

def ask(port, password, wanted):
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(f"{password}\\t{wanted}\\n".encode())
        with connection.makefile() as answer:
            said = answer.readline().strip()
    if not said:
        raise ConnectionError("the vault hung up")
    return said
"""


def pytest_in(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vault.py").write_text(VAULT)
    (tmp_path / "test_right.py").write_text(FILE.replace("{set}", RIGHT))
    (tmp_path / "test_wrong.py").write_text(FILE.replace("{set}", WRONG))
    return tmp_path


def test_an_authors_own_project(folder: Path) -> None:
    """A protocol of one's own over a socket: the kit passes the right one and says of the wrong one how to see it again."""
    (folder / "test_dies.py").write_text(
        FILE.replace("{set}", RIGHT).replace("    def test(self, secret)", DIES + "    def test(self, secret)")
    )
    runs = (("test_right.py",), ("test_wrong.py", "-x"), ("test_dies.py", "-k", "a_crash_at_every_call"))
    with ThreadPoolExecutor() as pool:  # at once, as each waits more than it works
        right, wrong, said = pool.map(lambda arguments: pytest_in(folder, *arguments), runs)
    assert re.search(r"^\d+ passed", right.splitlines()[-1])
    assert re.search(r"^\d+ failed", wrong.splitlines()[-1])
    assert "AssertionError: law 2 broke: nothing that is stored opens: the credential is lost" in said
    assert re.search(r"after   call \d+ of \d+, .*: the process dies", said)
    assert re.search(r"now     AWSCURRENT \(\w{8}\) does not open", said)
    # A set: where CI is set, pytest's summary says the whole message again.
    (replay,) = set(re.findall(r"replay  pytest '(.*)' -n0 (--rotators-case) (\d+:\w+)", said))
    again = pytest_in(folder, replay[0], replay[1], replay[2])
    assert f"call {replay[2].partition(':')[0]} of" in again
    assert "1 failed" in again.splitlines()[-1]


DIES = """    def create(self, rotation):
        value = super().create(rotation)
        ask(rotation.current["port"], rotation.current["password"], value["password"])
        return value

    def set(self, rotation):
        pass

"""


def test_a_case_that_is_none(folder: Path) -> None:
    expected = "expects a call's number and a fault, such as 7:CRASH_AFTER"
    for wrong in ("7", "7:NO_SUCH", "x:CRASH_AFTER", "7:crash_after"):
        with pytest.raises(ValueError, match=expected):
            case.select(wrong)
    said = pytest_in(folder, "test_right.py", "--rotators-case", "7:NO_SUCH")
    assert expected in said
    assert "Traceback" not in said


def test_one_case_alone() -> None:
    calls = ["a", "b", "c"]
    assert len(list(case.cases(Fault, calls))) == 15
    case.select("2:LOST_ANSWER")
    try:
        (only,) = case.cases(Fault, calls)
        assert str(only) == "call 2 of 3, b: the call is made, its answer is lost on the way"
    finally:
        case.select(None)


def test_the_plugin_costs_nothing_until_it_is_used() -> None:
    code = "import sys, rotators.testing.plugin; print([m for m in ('boto3', 'botocore', 'hypothesis', 'moto') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_fixture_rotation(rotation: Callable[..., Rotating], relay: Relay) -> None:
    app = rotation(ByUrllib3, relay.value(), tags={"rotators:password-length": "40"})
    before = app.value()
    for step in ("createSecret", "setSecret", "testSecret"):
        app.step(step)
        assert app.value() == before
    assert relay.opens(app.value("AWSPENDING"))
    app.step("finishSecret")
    assert relay.opens(app.value())
    assert app.value("AWSPREVIOUS") == before
    assert app.rotate().succeeded
    assert relay.opens(app.value())


def test_the_fixture_rotation_with_a_handler_of_its_own(rotation: Callable[..., Rotating], relay: Relay) -> None:
    """Code that makes boto3 clients of its own finds the local Secrets Manager, and no other."""
    app = rotation(ByUrllib3(), relay.value())
    assert app.rotate().succeeded
    assert relay.opens(app.value())


def test_a_subject_that_can_not_say_what_opens(secret_store: SecretsManager, relay: Relay) -> None:
    app = RotatorSubject(secret_store, ByUrllib3, relay.value())
    with pytest.raises(TypeError, match="give it opens=… or a method"):
        app.opens(relay.value())
