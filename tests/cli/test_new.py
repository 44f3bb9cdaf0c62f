"""`rotators new`: what it writes, and what it refuses."""

from __future__ import annotations

import ast
import builtins
import json
import re
from typing import TYPE_CHECKING

import pytest

import rotators
from rotators.cli import main
from rotators.cli.project_name import LONGEST, TAKEN_CLASSES, ProjectName
from tests.cli.project import KINDS, Project

if TYPE_CHECKING:
    from pathlib import Path

NAME = ProjectName("billing-api", "billing_api", "BillingApi", "billing api")
FORMS = ["billing-api", "billing_api", "BillingApi", "BillingAPI", "Billing-Api", "BILLING_API"]
LONG = "a" * 19 + "-" + "b" * (LONGEST - 20)


@pytest.mark.parametrize("text", FORMS)
def test_a_name_has_one_form(text: str) -> None:
    assert ProjectName.of(text) == NAME


@pytest.mark.parametrize(
    "text, why",
    [
        ("", "is no name"),
        ("9lives", "is no name"),
        ("a b", "is no name"),
        ("a--b", "is no name"),
        ("-a", "is no name"),
        ("a-", "is no name"),
        ("_a", "is no name"),
        ("../up", "is no name"),
        ("a/b", "is no name"),
        ("a.b", "is no name"),
        ("a\n", "is no name"),
        ("schlüssel", "is no name"),
        ("ключ", "is no name"),
        ("ｒｅｌａｙ", "is no name"),
        ("{{module}}", "is no name"),
        ("class", "a word of Python itself: say more, such as class-service"),
        ("Lambda", "a word of Python itself"),
        ("json", "module that would no longer be found beside json.py: say more, such as json-service"),
        ("rotators", "module that would no longer be found"),
        ("urllib3", "module that would no longer be found"),
        ("local", "module that would no longer be found"),
        ("secret", "the name of a class, Secret, that the rotator's module needs: say more"),
        ("key", "the name of a class, Key,"),
        ("stand-in", "the name of a class, StandIn,"),
        ("exception", "the name of a class, Exception,"),
        (LONG + "c", "too long"),
    ],
)
def test_what_makes_no_name_is_refused_and_nothing_written(
    text: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "--", text]) == 2
    said = capsys.readouterr()
    assert re.fullmatch(r"rotators new: .*\n", said.err), "one line"
    assert why in said.err
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_no_name_hides_what_a_project_needs(tmp_path: Path) -> None:
    """Every class that a generated file imports, defines or builds in is refused as a name."""
    needed: set[str] = set()
    for kind in KINDS:
        for path, text in Project.written(tmp_path / kind, "q", kind).files().items():
            if path.endswith(".py"):
                tree = ast.parse(text)
                needed |= {a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
                needed |= {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    classes = {name for name in needed if re.match("[A-Z][a-z]", name) and name not in {"Q", "QSubject", "TestQ"}}
    assert "Secret" in classes
    assert "StandIn" in classes
    assert classes - TAKEN_CLASSES - set(dir(builtins)) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_to_fill_in(kind: str, tmp_path: Path) -> None:
    files = Project.written(tmp_path / "p", "billing-api", kind).files()
    assert [path for path, text in files.items() if re.search(r"\{\{[A-Za-z]|[A-Za-z]\}\}", text)] == []
    assert all(text.endswith("\n") and not text.endswith("\n\n") for text in files.values())
    assert files.keys() >= {
        ".gitignore",
        "README.md",
        "billing_api_stand_in.py",
        "function/billing_api.py",
        "function/requirements.txt",
        "local.py",
        "pyproject.toml",
        "requirements-dev.txt",
        "samconfig.toml",
        "template.yaml",
        "test_billing_api.py",
    }
    for step in rotators.Step:
        event = json.loads(files[f"events/{step.value}.json"])
        assert list(event) == ["Step", "SecretId", "ClientRequestToken"]
        assert event["Step"] == step.value
        assert 32 <= len(event["ClientRequestToken"]) <= 64


def test_it_says_what_it_wrote_and_what_to_type(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = Project.written(tmp_path / "p", "billing-api")
    said = capsys.readouterr().out
    assert {line.strip() for line in said.split("Next:")[0].splitlines()[1:] if line.strip()} == set(project.files())
    for command in (
        f"cd {project.directory}",
        "pip install",
        "pytest",
        "sam build",
        "sam local invoke BillingApiRotation",
    ):
        assert f"\n  {command}" in said


def test_by_default_in_a_directory_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "BillingAPI"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["billing-api"]


@pytest.mark.parametrize("place", ["empty", "not/there/yet"])
def test_a_directory_may_be_empty_or_not_there(place: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert Project.written(tmp_path / place).rotator.exists()


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert main(["new", "relay", "--directory", str(tmp_path)]) == 2
    assert "is not empty, and nothing in it is overwritten: name another with --directory" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize("place", ["file", "file/below", "dangling"])
def test_what_is_no_directory_is_refused(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert main(["new", "relay", "--directory", str(tmp_path / place)]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r"rotators new: \S+ can't be written \(.+\): name another with --directory\n", said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "file"]


@pytest.mark.parametrize("runtime", ["python3.10", "python2.7", "nodejs22.x", "python3.13 ", "3.13"])
def test_a_runtime_that_is_none_of_ours(runtime: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "relay", "--directory", str(tmp_path / "p"), "--runtime", runtime]) == 2
    assert "give --runtime python3.11, or a newer one" in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize("name", ["q", "billing-api", LONG])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_laid_out_as_ruff_wants_it(name: str, kind: str, tmp_path: Path) -> None:
    """Whatever the length of the name: a line must not become long enough to be parted, or short enough to be joined."""
    project = Project.written(tmp_path / "p", name, kind)
    for command in (["check"], ["format", "--check", "--diff"]):
        told = project.run("ruff", *command, "--no-cache")
        assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_its_types_are_sound(kind: str, tmp_path: Path) -> None:
    project = Project.written(tmp_path / "p", "billing-api", kind)
    told = project.run("mypy", "--cache-dir", str(tmp_path / "cache"))
    assert told.returncode == 0, told.stdout
