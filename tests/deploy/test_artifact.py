"""What `sam build` makes: its contents. What it does is in test_invocation."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.deploy.sam import PYTHON, ROOT, TEMPLATE, environment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a Lambda artifact holds Linux libraries")


def test_it_holds_our_package_and_its_drivers_and_nothing_the_runtime_brings(artifact: Path) -> None:
    lock = (ROOT / "src/requirements.txt").read_text()
    locked = {
        name.replace("-", "_")
        for name in re.findall(r"^([a-z-]+)==(?!.*(?:win32|python_full_version <))", lock, re.MULTILINE)
    }
    # uv takes 3.11 for 3.11.0, where redis-py has need of async-timeout.
    distributions = {path.name.split("-")[0] for path in artifact.glob("*.dist-info")} - {"async_timeout"}

    assert distributions == locked | {"rotators"}
    assert {
        "psycopg",
        "psycopg_binary",
        "pymysql",
        "pynacl",
        "redis",
        "aws_lambda_powertools",
        "rotators",
    } <= distributions
    not_for_a_function = {"boto3", "botocore", "pytest", "bin", "tests", "src", "cffi", "pycparser"}
    assert not not_for_a_function & {path.name for path in artifact.iterdir()}
    assert sum(path.stat().st_size for path in artifact.rglob("*")) < 32_000_000


def test_it_holds_all_of_our_package_that_a_function_runs(artifact: Path) -> None:
    source = ROOT / "src/rotators"
    left_out = {"testing", "lab", "cli", "diagnosis", "fleet", "consumer"}
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


def test_ed25519_needs_no_more_of_cffi_than_the_artifact_holds(artifact: Path) -> None:
    code = "from rotators.engines.mysql.verifiers import verifier; print(verifier('ed25519', 'secret'))"
    told = subprocess.run(
        [sys.executable, "-S", "-c", code],
        check=False,
        capture_output=True,
        text=True,
        cwd=artifact,
        env={"PYTHONPATH": str(artifact)},
    )

    # What MariaDB's own documentation has for PASSWORD('secret'), "Authentication Plugin - ed25519".
    assert told.stdout.strip() == "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY", told.stderr


@pytest.mark.parametrize("architecture, machine", [("x86_64", 62), ("arm64", 183)])
def test_it_is_built_for_either_machine_and_the_templates_runtime(
    sam: Path, tmp_path: Path, architecture: str, machine: int
) -> None:
    """Every library is for the machine that was named (ELF's e_machine) and for its Python, and so says what is deployed."""
    runtime = re.findall(r"^ *Runtime: python(.*)$", TEMPLATE.read_text(), re.MULTILINE)[0]
    told = subprocess.run(
        ["make", "build", f"ARCH={architecture}", f"BUILT={tmp_path / 'build'}", "ARGS=RedisRotation"],
        check=False, capture_output=True, text=True, cwd=ROOT, env=environment(MAKEFLAGS=""),
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert re.search(rf"^python{runtime}, \S+: \d+ files, \d+ KiB unpacked, ", told.stderr, re.MULTILINE)
    libraries = [path for path in (tmp_path / "build").rglob("*.so*") if path.read_bytes()[:4] == b"\x7fELF"]
    assert {int.from_bytes(path.read_bytes()[18:20], "little") for path in libraries} == {machine}
    own = {path.name for path in libraries if "cpython-" in path.name}
    assert own
    assert all(f"cpython-{runtime.replace('.', '')}-" in name for name in own)
    function = yaml.safe_load(re.sub(r"!\w+", "", (tmp_path / "build/template.yaml").read_text()))["Globals"][
        "Function"
    ]
    assert (function["Architectures"], function["Runtime"]) == ([architecture], f"python{runtime}")


def test_a_machine_that_lambda_does_not_have_is_not_built_for() -> None:
    told = subprocess.run(
        ["make", "build", "ARCH=aarch64"],
        check=False, capture_output=True, text=True, cwd=ROOT, env=environment(MAKEFLAGS=""),
    )  # fmt: skip
    assert told.returncode == 2
    assert "ARCH is x86_64 or arm64, not aarch64" in told.stderr
