"""`make docs`: one site of all documents; strict, and nothing in it is loaded from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.docs.test_docs import ROOT

if TYPE_CHECKING:
    from pathlib import Path


class Loads(HTMLParser):
    """What a page has a browser load, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.ids |= {has[name] for name in ("id", "name") if name in has}
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        elif tag == "link" and {"stylesheet", "icon", "preconnect", "preload"} & set(has["rel"].split()):
            self.loaded.append(has["href"])
        elif "src" in has:
            self.loaded.append(has["src"])


def script(root: Path) -> Any:
    """The script, as that of another checkout."""
    spec = importlib.util.spec_from_file_location("write_site", root / "docs/write_site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the site is made of, to build and to break."""
    if not (ROOT / ".tools/docs/bin/zensical").exists():
        if os.environ.get("ROTATORS_REQUIRE_SERVERS"):
            pytest.fail("no Zensical: .ci/setup docs")
        pytest.skip("no Zensical: .ci/setup docs")
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("docs", "src", "examples", "benchmarks", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".venv", "node_modules"))
    for path in [*ROOT.glob("*.md"), ROOT / "mkdocs.yml"]:
        shutil.copy(path, copy)
    (copy / ".tools").mkdir()
    (copy / ".tools/docs").symlink_to(ROOT / ".tools/docs")
    return copy


def build(checkout: Path) -> subprocess.CompletedProcess[str]:
    python = ROOT / ".tools/docs/bin/python"
    command = [python, checkout / "docs/write_site.py"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=180, check=False)


def test_it_is_built(checkout: Path) -> None:
    done = build(checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    site = checkout / "build/site"
    pages = {path: Loads(path.read_text()) for path in site.rglob("*.html") if path.name != "404.html"}

    assert len(pages) == len(list((ROOT / "docs").rglob("*.md")))
    for path, page in pages.items():
        for one in page.loaded:
            assert (path.parent / one).resolve().is_file(), f"{path.name} loads {one}"
        for link in page.links:
            if re.match(r"https://|mailto:", link):
                continue
            target, _, anchor = link.partition("#")
            there = (path.parent / target).resolve() if target else path
            there = there / "index.html" if there.is_dir() else there
            assert there in pages, f"{path.name} links to {link}"
            assert not anchor or anchor in pages[there].ids, f"{path.name} links to {link}"
    text = "".join(path.read_text() for path in [*pages, *site.rglob("*.css")])
    assert re.findall(r"@import|url\((?!['\"]?data:)|fonts\.g|class=\"mermaid|data-md-component=\"source\"", text) == []


@pytest.mark.parametrize(
    "link, said",
    [
        ("[x](nowhere.md)", "nowhere.md leads nowhere"),
        ("![x](images/nowhere.svg)", "leads nowhere"),
        ("[x](../src/nowhere.py)", "leads nowhere"),
        ("[x](deploy.md#nowhere)", "anchor does not exist"),
        ("[x](#nowhere)", "anchor does not exist"),
    ],
)
def test_what_leads_nowhere_ends_it(checkout: Path, link: str, said: str) -> None:
    page = checkout / "docs/redis.md"
    text = page.read_text()
    try:
        page.write_text(f"{text}\n{link}\n")
        done = build(checkout)
    finally:
        page.write_text(text)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr


def test_links_that_leave_the_documents_lead_to_the_repository() -> None:
    write_site = script(ROOT)
    page = ROOT / "docs/decisions/0001.md"
    told = write_site.linked(
        "[a](../laws.md#x) [b](../../src/rotators/errors.py#L3) [c](../../examples/) [d](https://x.y) [e](#z)\n\n"
        "```md\n[f](../../README.md)\n```\n",
        page,
    )
    here = "https://github.com/rotators/rotators"
    assert told == (
        f"[a](../laws.md#x) [b]({here}/blob/main/src/rotators/errors.py#L3) [c]({here}/tree/main/examples) "
        "[d](https://x.y) [e](#z)\n\n```md\n[f](../../README.md)\n```\n"
    )


def test_lists_within_lists_stay_within_them() -> None:
    write_site = script(ROOT)
    text = "- a\n  b\n\n  - c\n\n```py\nif a:\n  b\n```\n"
    assert write_site.indented(text) == "- a\n    b\n\n    - c\n\n```py\nif a:\n  b\n```\n"


def test_every_document_is_in_the_navigation_once() -> None:
    def leaves(nav: Any) -> list[str]:
        if isinstance(nav, str):
            return [nav]
        return [leaf for one in (nav.values() if isinstance(nav, dict) else nav) for leaf in leaves(one)]

    named = [leaf for leaf in leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]) if "://" not in leaf]
    assert sorted(named) == sorted(str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md"))


def test_a_new_document_is_seen_by_git() -> None:
    """build/ is not kept; docs/ is."""
    ignored = (ROOT / ".gitignore").read_text().split()
    assert "build/" in ignored
    assert ".tools/" in ignored
