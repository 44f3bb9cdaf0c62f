"""
Every command and every block of code of the documents is run by a test: those of the AWS CLI and of `rotators` here.

What is run elsewhere is claimed here, with the test that does it. A command that nothing claims fails.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import pytest

from rotators.cli import main
from rotators.testing import Endpoint, SecretsManager
from tests.cli import aws_cli
from tests.cli.aws_cli import AwsCli
from tests.cli.running_lab import STEPS, lab
from tests.docs.test_docs import DOCUMENTS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
#: Where a command is run. The first that matches counts.
RUN = {
    r"aws secretsmanager .*": "tests/docs/test_commands.py::test_the_aws_clis_commands_are_ones",
    r"(\.venv/bin/)?rotators (status|report) .*|\.venv/bin/rotators status": "tests/docs/test_commands.py::test_status_and_report",
    r"rotators check .*": "tests/docs/test_operating.py::test_check",
    r"rotators rotate .*": "tests/docs/test_rotate.py::test_the_commands_print_what_stands_there",
    r"rotators (diagnose|repair) .*": "tests/docs/test_repair.py::test_its_commands_mend_a_half_done_rotation",
    r"\.venv/bin/rotators lab": "tests/docs/test_commands.py::test_the_tutorial_as_it_stands",
    r"\.venv/bin/rotators lab --state lab-state": "tests/cli/test_lab_state.py::test_a_lab_that_was_killed_is_gone_on_with",
    r"sed .* template.yaml >template-pip.yaml|\.tools/sam/bin/sam build -t template-pip.yaml": "tests/deploy/test_builders.py::test_what_it_makes_is_whole_and_rotates",
    r"SECRET_ID=shop/app node app.mjs": "tests/examples/test_consumers.py::test_nodejs",
    r"\.ci/setup venv": ".ci/run",
    r"make demo": "tests/lab/test_demo.py::test_the_demo_keeps_its_promises_in_a_pipe",
    r"make docs": "tests/docs/test_site.py::test_it_is_built",
    r"make build|sam build": "tests/deploy/test_artifact.py::test_it_holds_our_package_and_its_drivers_and_nothing_the_runtime_brings",
    r"make (check|test|sam-local)( .*)?": ".ci/run",
    r"rotators new relay|cd relay": "tests/cli/test_new.py::test_it_says_what_it_wrote_and_what_to_type",
    r"pip install -r requirements-dev.txt": "tests/cli/test_requirement.py::test_by_where_it_came_from",
    r"pytest -n auto": "tests/cli/test_proof.py::test_they_pass_as_they_were_written",
    r"python local.py .*": "tests/examples/test_build.py::test_the_sample_events_rotate",
    r"sam local invoke .*": "tests/examples/test_build.py::test_the_sample_events_rotate",
    r"\.venv/bin/python benchmarks/(strategies|calls|outage_window|cold_start|consumer).py": "tests/benchmarks/test_benchmarks.py::test_cold_starts_are_measured",
}
#: Why a command is run by no test.
NOT_RUN = {
    r"(\.tools/sam/bin/)?sam deploy --guided": "it needs an account; the template is expanded and read in tests/deploy",
    r"sam deploy --guided -t examples/.*|aws stepfunctions .*": "it needs an account; tests/examples/test_emergency.py runs the state machine",
    r"git clone .*|cd rotators": "it needs the network",
    r"make (format|lock)": "it changes the checkout; `make check` and tests/deploy/test_requirements.py see to what they leave",
}
#: Documents whose commands are run by a test of their own, all of them and in their order.
OWN = {"docs/secrets-manager.md": "tests/cli/test_lab_aws.py::test_every_command_of_the_documents"}
#: Which test reads and runs the Python of a document.
PYTHON = {
    "README.md": "tests/core/test_custom_rotator.py",
    "docs/consume.md": "tests/docs/test_consume.py",
    "docs/proving.md": "tests/docs/test_proving.py",
    "docs/write-your-own.md": "tests/docs/test_write_your_own.py",
    "examples/consumers/README.md": "tests/examples/test_consumers_deployed.py",
    "examples/secrets/README.md": "tests/examples/test_snippets.py",
}


def commands(text: str) -> list[str]:
    """Return what stands behind a `$`, with its continuation and without its comment."""
    joined = re.sub(r" *\\\n *", " ", text)
    found = re.findall(r"^\$ (.*)$", joined, re.MULTILINE)
    return [re.sub(r"\s+#.*$", "", one).strip() for one in found]


def shown(path: Path) -> list[str]:
    """All commands of a document, from blocks of any kind."""
    return [one for _, code in FENCE.findall(path.read_text()) for one in commands(code)]


ALL = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in DOCUMENTS if shown(path)]


@pytest.mark.parametrize("path", ALL)
def test_every_command_is_run_somewhere(path: Path) -> None:
    if str(path.relative_to(ROOT)) in OWN:
        return
    known = [*RUN, *NOT_RUN]
    assert [one for one in shown(path) if not any(re.fullmatch(pattern, one) for pattern in known)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_block_is_of_a_kind_that_is_checked(path: Path) -> None:
    for kind, code in FENCE.findall(path.read_text()):
        assert kind not in {"bash", "sh", "shell"}, "write it as `console`, with a $"
        if kind == "console":
            bare = re.sub(r"\\\n", "", code).splitlines()
            assert [line for line in bare if line and not line.startswith("$ ")] == []
        elif kind == "python":
            assert str(path.relative_to(ROOT)) in PYTHON


@pytest.mark.parametrize("claim", [*RUN.values(), *OWN.values(), *PYTHON.values()])
def test_what_runs_it_exists(claim: str) -> None:
    path, _, name = claim.partition("::")
    text = (ROOT / path).read_text()
    if name:
        assert f"def {name}(" in text
    if claim in PYTHON.values():
        (document,) = [document for document, by in PYTHON.items() if by == claim]
        assert document.rpartition("/")[2] in text


def test_every_claim_is_of_a_command() -> None:
    every = [one for path in DOCUMENTS for one in shown(path)]
    assert [pattern for pattern in [*RUN, *NOT_RUN] if not any(re.fullmatch(pattern, one) for one in every)] == []


def test_what_ci_runs() -> None:
    ci = (ROOT / ".ci/run").read_text()
    assert "make --no-print-directory check" in ci
    assert "make --no-print-directory sam-local" in ci


AWS = [
    pytest.param(block, id=f"{path.relative_to(ROOT)}-{number}")
    for path in DOCUMENTS
    for number, block in enumerate(
        [one for one in commands(code) if one.startswith("aws secretsmanager ")]
        for _, code in FENCE.findall(path.read_text())
    )
    if block and str(path.relative_to(ROOT)) not in OWN
]


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[SecretsManager, AwsCli]]:
    """A Secrets Manager, and the AWS CLI that asks it."""
    aws_cli.require()
    service = SecretsManager()
    with Endpoint(service) as url:
        environment = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": url, "AWS_DEFAULT_REGION": "eu-central-1"}
        with AwsCli(environment | {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}) as aws:
            yield service, aws


@pytest.mark.parametrize("block", AWS)
def test_the_aws_clis_commands_are_ones(block: list[str], service: tuple[SecretsManager, AwsCli]) -> None:
    """By the CLI itself, in their order, of a secret whose rotation is stuck; ID, ARN and VERSION are what they say."""
    manager, aws = service
    name, token = f"shop/{uuid.uuid4()}", str(uuid.uuid4())
    client = manager.client()
    function = manager.add_function("f", lambda *_: None)
    if not any("create-secret" in one for one in block):
        client.create_secret(Name=name, SecretString="{}")
        client.put_secret_value(SecretId=name, SecretString='{"now": 1}')
        rules = {"AutomaticallyAfterDays": 30}
        client.rotate_secret(SecretId=name, RotationLambdaARN=function, RotationRules=rules, RotateImmediately=False)
        manager.wait(name)
        if any("VERSION" in one.split() for one in block):
            manager.put_placeholder(name, token)
    meant = {"ID": name, "shop/app": name, "ARN": function, "VERSION": token}
    for one in block:
        answer = aws(*(meant.get(word, word) for word in shlex.split(one)[1:]))
        assert answer.code == 0, answer.errors
        manager.wait(name)


def test_status_and_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    run = [one for path in DOCUMENTS for one in shown(path) if re.match(r"(\.venv/bin/)?rotators (status|report)", one)]
    with Endpoint(SecretsManager()) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)
        for one in run:
            assert main(shlex.split(one)[1:]) == 0, capsys.readouterr().err
    assert len(run) >= 4
    assert (tmp_path / "report.html").exists()


def test_the_tutorial_as_it_stands(tmp_path: Path) -> None:
    """Its commands against the lab that it starts, on a real PostgreSQL; in its order."""
    blocks = [
        commands(code) for kind, code in FENCE.findall((ROOT / "docs/tutorial.md").read_text()) if kind == "console"
    ]
    start, look, overview = blocks[1:4]
    assert start == [".venv/bin/rotators lab"]
    aws_cli.require()
    with lab(tmp_path) as running, AwsCli(running.environment) as aws:
        answers = []
        for one in look:
            answers.append(aws(*shlex.split(one)[1:]).json)
            if " rotate-secret " in one:
                assert running.steps() == [(step, "done") for step in STEPS]
        before, _, after, previous = answers
        (current,) = [version for version, labels in before.items() if labels == ["AWSCURRENT"]]
        assert previous == current
        assert "AWSCURRENT" not in after[current]
        for one in overview:
            done = subprocess.run(
                [sys.executable, "-m", "rotators", *shlex.split(one)[1:]],
                cwd=tmp_path, env={**os.environ, **running.environment}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
        assert "shop/app" in (tmp_path / "report.html").read_text()
    words = re.findall(r"^shop/app  (\w+) +[\d.]+ s  done$", (ROOT / "docs/tutorial.md").read_text(), re.MULTILINE)
    assert words == STEPS
