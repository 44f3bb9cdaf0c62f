"""What `sam build` makes: its contents, and a rotation by nothing but it, under Lambda's own runtime."""

from __future__ import annotations

import fcntl
import json
import platform
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from rotators.testing import Endpoint, SecretsManager
from tests.deploy.runtime import Function, provide
from tests.deploy.sam import ROOT, environment, find_sam

if TYPE_CHECKING:
    from pathlib import Path

    from rotators.lab.postgres import Postgres
    from tests.deploy.cloudformation import Stack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a Lambda artifact holds Linux libraries")

ARM = platform.machine() in {"aarch64", "arm64"}
PYTHON = "{}.{}".format(*sys.version_info[:2])
OLD = "0ld password, ünlike the new"


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The function as built for this machine's Python, once for all workers."""
    base = tmp_path_factory.getbasetemp()
    place = (base if worker_id == "master" else base.parent) / "artifact"
    place.mkdir(exist_ok=True)
    built = place / "build" / "PostgresRotation"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            shutil.rmtree(built, ignore_errors=True)
            sam = find_sam()
            command = [str(sam), "build", "-b", str(built.parent)] if sam else ["make", "build-PostgresRotation"]
            told = subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                cwd=ROOT,
                env=environment(
                    PYV=PYTHON,
                    PLAT="aarch64-manylinux_2_28" if ARM else "x86_64-manylinux2014",
                    ARTIFACTS_DIR=str(built),
                ),
            )
            assert told.returncode == 0, told.stdout + told.stderr
            (place / "done").touch()
    return built


def test_it_holds_our_package_and_its_drivers_and_nothing_the_runtime_brings(artifact: Path) -> None:
    lock = (ROOT / "requirements/lambda.txt").read_text()
    locked = {name.replace("-", "_") for name in re.findall(r"^([a-z-]+)==(?!.*win32)", lock, re.MULTILINE)}
    distributions = {path.name.split("-")[0] for path in artifact.glob("*.dist-info")}

    assert distributions == locked | {"rotators"}
    assert {"psycopg", "psycopg_binary", "pymysql", "aws_lambda_powertools", "rotators"} <= distributions
    assert not {"boto3", "botocore", "pytest", "bin", "tests", "src"} & {path.name for path in artifact.iterdir()}
    assert sum(path.stat().st_size for path in artifact.rglob("*")) < 40_000_000


def test_it_holds_all_of_our_package_that_a_function_runs(artifact: Path) -> None:
    source = ROOT / "src/rotators"
    left_out = {"testing", "lab", "cli"}
    expected = {str(path.relative_to(source)) for path in source.rglob("*.py")}
    expected = {name for name in expected if name.split("/")[0] not in left_out}

    ours = artifact / "rotators"
    assert {str(path.relative_to(ours)) for path in ours.rglob("*.py")} == expected


def test_every_module_is_compiled_for_a_directory_that_cannot_be_written(artifact: Path) -> None:
    tag = f"cpython-{PYTHON.replace('.', '')}"
    for module in artifact.rglob("*.py"):
        compiled = module.parent / "__pycache__" / f"{module.stem}.{tag}.pyc"
        flags = compiled.read_bytes()[4:8]
        assert int.from_bytes(flags, "little") == 0b01, f"{compiled} is checked against its source"


def test_nothing_in_it_tells_where_it_was_built(artifact: Path) -> None:
    places = [str(path).encode() for path in (ROOT, artifact)]
    telling = [path for path in artifact.rglob("*") if path.is_file() and any(p in path.read_bytes() for p in places)]

    assert telling == []
    assert list(artifact.glob("*.dist-info/direct_url.json")) == []  # which wheel, and where it lay


def test_the_sample_events_rotate_a_real_password(
    artifact: Path, sam: Path, stack: Stack, postgres_server: Postgres, tmp_path: Path
) -> None:
    events = {path.stem: json.loads(path.read_text()) for path in (ROOT / "events").glob("*.json")}
    steps = ["createSecret", "setSecret", "testSecret", "finishSecret"]
    arn, token = events["createSecret"]["SecretId"], events["createSecret"]["ClientRequestToken"]
    postgres_server.execute(f"CREATE ROLE artifact LOGIN PASSWORD '{OLD}'")
    # The service finds a secret by its ARN without the last hyphen and six characters, which it made up itself.
    service = SecretsManager(region="us-east-1")
    client = service.client()
    secret = postgres_server.secret("artifact", OLD)
    client.create_secret(Name=arn.split(":secret:")[1], SecretString=json.dumps(secret))
    service.put_placeholder(arn, token)
    function = stack.of_type("AWS::Lambda::Function")["PostgresRotation"]
    variables: dict[str, str] = function["Environment"]["Variables"]
    provided = tmp_path / "runtime"
    provided.mkdir()
    log = tmp_path / "log"

    with Endpoint(service) as url:
        given = {"SECRETS_MANAGER_ENDPOINT": url, "ROTATORS_CA_BUNDLE": str(postgres_server.ca_bundle or "")}
        with Function(
            sam,
            artifact,
            provided=provide(provided),
            handler=function["Handler"],
            variables=variables | given,
            log=log,
        ) as running:
            answers = {step: running.invoke(events[step]) for step in steps}

    output = log.read_text()
    assert answers == dict.fromkeys(steps), output
    assert service.labels(arn)[token] == ["AWSCURRENT", "AWSPENDING"]
    new: dict[str, Any] = json.loads(client.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")["SecretString"])
    assert new == secret | {"password": new["password"]}
    assert opens(postgres_server, new["password"])
    assert not opens(postgres_server, OLD)
    assert OLD not in output
    assert new["password"] not in output
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert [line["step"] for line in lines if str(line.get("message", "")).endswith("succeeded")] == steps


def test_a_refusal_is_an_error_of_the_invocation(artifact: Path, sam: Path, stack: Stack, tmp_path: Path) -> None:
    function = stack.of_type("AWS::Lambda::Function")["PostgresRotation"]
    event = {"Step": "create_secret", "SecretId": "x", "ClientRequestToken": "t"}
    provided = tmp_path / "runtime"
    provided.mkdir()

    with Function(
        sam,
        artifact,
        provided=provide(provided),
        handler=function["Handler"],
        variables={},
        log=tmp_path / "log",
    ) as running:
        answer = running.invoke(event)

    assert answer["errorType"] == "RotationRefused"
    assert "createSecret" in answer["errorMessage"]


def opens(server: Postgres, password: str) -> bool:
    trust: dict[str, Any] = (
        {"sslmode": "verify-full", "sslrootcert": str(server.ca_bundle)} if server.tls else {"sslmode": "disable"}
    )
    try:
        psycopg.connect(
            host=server.host, port=server.port, dbname="postgres", user="artifact", password=password, **trust
        ).close()
    except psycopg.OperationalError as error:
        assert "password authentication failed" in str(error)
        return False
    return True
