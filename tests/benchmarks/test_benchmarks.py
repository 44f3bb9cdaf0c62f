"""The benchmarks run, and what they compare with is what they say it is. No claim on any time."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", str(BENCHMARKS / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def test_a_rotation_stays_within_twelve_calls() -> None:
    found = json.loads(run("calls.py", "--json"))
    assert Counter(found["ours"]["rotation"]).total() <= 12
    assert Counter(found["ours"]["warm"]).total() <= 12
    for step in ("createSecret", "setSecret", "finishSecret"):
        assert 0 < Counter(found["ours"][step]).total() <= Counter(found["template"][step]).total()

    # What AWS's function was seen to make.
    theirs = found["template"]
    assert theirs["rotation"] == {
        "DescribeSecret": 5,
        "GetSecretValue": 6,
        "GetRandomPassword": 1,
        "PutSecretValue": 1,
        "UpdateSecretVersionStage": 1,
    }
    repeated = {step: sum(theirs[step].values()) for step in ("createSecret", "setSecret", "finishSecret")}
    assert repeated == {"createSecret": 3, "setSecret": 4, "finishSecret": 1}


def test_too_many_calls_are_a_failure(tmp_path: Path) -> None:
    script = tmp_path / "strict.py"
    script.write_text(
        f"import sys\nsys.path.insert(0, {str(BENCHMARKS)!r})\n"
        "import calls\ncalls.MOST = 3\nsys.argv = ['calls.py']\nsys.exit(calls.main())\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "at most 3 in one sandbox: NO" in done.stdout
    assert "UpdateSecretVersionStage" in done.stdout


def test_the_outage_window_is_measured(tmp_path: Path) -> None:
    picture = tmp_path / "window.svg"
    printed = run("outage_window.py", "--rotations", "1", "--svg", str(picture))
    for title in ("the client was refused", "by the rotator's own clock", "ours / template", "median", "|"):
        assert title in printed
    assert "template                    1 with the new password, 1 refused by the server" in printed
    assert "0 refused by the server" in printed  # law 4: ours tries no password that can't open
    drawing = ET.fromstring(picture.read_text())
    assert len(drawing.findall("{http://www.w3.org/2000/svg}circle")) == 2


def test_its_values_as_json(tmp_path: Path) -> None:
    arguments = ("--rotations", "2", "--json", "--latency", "2", "--large-bundle")
    found = json.loads(run("outage_window.py", *arguments))
    for name in ("ours", "template"):
        assert [len(values) for values in found[name].values()] == [2, 2, 2, 2]
        assert all(milliseconds > 0 for milliseconds in found[name]["rotator"])


def test_cold_starts_are_measured() -> None:
    """Each measure of both rotators, each function's import; memory and the artifact are no times, and have their goals here too."""
    found = json.loads(run("cold_start.py", "--rounds", "1", "--engine", "postgres", "--artifact", "--json"))
    ours, theirs = found["rotations"]["postgres"]["ours"], found["rotations"]["postgres"]["template"]
    assert ours.keys() == theirs.keys() == {
        "first", "rotation", "first_processor", "rotation_processor", "cold_steps", "memory",
    }  # fmt: skip
    assert all(value > 0 for samples in (ours, theirs) for (value,) in samples.values())
    assert ours["memory"][0] <= 1.1 * theirs["memory"][0]
    assert found["imports"].keys() >= {"nothing", "template", "database", "iam", "api_key"}
    assert 1 < found["artifact"]["packed"] < found["artifact"]["unpacked"] < 60
