"""What the documents say is so: the picture, the links, the code, the commands and the numbers."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("examples/**/*.md")]
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(language: str) -> list[Any]:
    found = [(path, code) for path in DOCUMENTS for kind, code in BLOCK.findall(path.read_text()) if kind == language]
    return [pytest.param(code, id=f"{path.relative_to(ROOT)}-{n}") for n, (path, code) in enumerate(found)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text())
    broken = [link for link in links if not link.startswith("http") and not (path.parent / link).exists()]
    assert broken == []


@pytest.mark.parametrize("code", blocks("python"))
def test_python_parses(code: str) -> None:
    ast.parse(code)


@pytest.mark.parametrize("code", blocks("json"))
def test_json_parses(code: str) -> None:
    json.loads(code)


@pytest.mark.parametrize("code", blocks("console"))
def test_make_targets_exist(code: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^\$ make ([\w-]+)", code, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_picture_is_drawn_from_the_machine() -> None:
    spec = importlib.util.spec_from_file_location("draw_machine", ROOT / "docs" / "draw_machine.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PICTURE.read_text() == module.draw()


def test_every_decision_is_in_the_list() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text()
    assert [p.name for p in ROOT.glob("docs/decisions/0*.md") if p.name not in listed] == []


def test_every_law_names_a_test_that_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/laws.md").read_text()))
    existing = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert named - existing == set()


def test_the_quick_start_of_the_proof_kit_runs() -> None:
    """The code of docs/proving.md, as it stands there, with a handler to rotate."""
    from rotators import Rotation, Rotator, Secret, SecretStore

    code = next(
        c for c in BLOCK.findall((ROOT / "docs/proving.md").read_text()) if "service = SecretsManager()" in c[1]
    )[1]

    class Fine(Rotator):
        def set(self, rotation: Rotation) -> None: ...

        def test(self, secret: Secret) -> None: ...

    names: dict[str, Any] = {}

    def handler(event: Any, context: Any) -> None:
        Fine(store=SecretStore(names["client"]))(event, context)

    names["handler"] = handler
    exec(compile(code.replace("resume(service, arn)  ", "pass  "), "proving.md", "exec"), names)
    assert names["service"].events[-1].name == "RotationSucceeded"


def test_nothing_names_a_place_it_should_not() -> None:
    """No registry's host and no absolute path of somebody's machine, in any file that is kept."""
    import subprocess

    hosts = "|".join(
        ["pypi" + r"\.org", "files\\.python" + "hosted", "registry\\.npm" + "js", "deb\\.debian" + r"\.org"]
    )
    found = subprocess.run(
        ["git", "grep", "-nIE", hosts + "|/ro[o]t/|/wo[r]k/", "--", ".", ":!LICENSE"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""
