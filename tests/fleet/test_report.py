"""`rotators report`: the page, over HTTP, of secrets in our Secrets Manager, and of entries no service should send."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from rotators.cli import main
from rotators.fleet import Rotated, Standing
from rotators.fleet.report import Figures, Origin, page
from rotators.fleet.report.chart import bars
from rotators.fleet.report.figures import Count
from rotators.fleet.report.timeline import Timeline
from rotators.fleet.report.words import MEANINGS, REPORTED
from rotators.testing import Endpoint, SecretsManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DAY = 86400.0
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday
CANARY = "hunter2-Canary"
HOSTILE = "</script></title><img src=x onerror=alert(1)>\"'&amp;<svg/onload=alert(2)>"
VOID = {"meta", "link", "input", "img", "br", "hr"}


class Read(HTMLParser):
    """Reads a page as a strict reader would: every element that is opened is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[list[str]] = []
        self.text: list[str] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in {tag}"
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.cells.append([])
        if tag == "td" and self.cells:
            self.cells[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {"svg"} & set(self.open), "only SVG has empty elements with a slash"
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.inline:
            self.inline[self.open[-1]].append(data)
            return
        self.text.append(data)
        if "td" in self.open and self.cells and self.cells[-1]:
            self.cells[-1][-1] += data

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the tables of secrets."""
        return [cells for cells in self.cells if len(cells) == 9]


def entry(name: str = "app", *, age: float = 1, every: float = 30, **more: Any) -> dict[str, Any]:
    last = NOW - timedelta(days=age)
    return {
        "ARN": f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-AbCdEf",
        "Name": name,
        "RotationEnabled": True,
        "RotationRules": {"AutomaticallyAfterDays": every},
        "LastRotatedDate": last,
        "LastChangedDate": last,
        "NextRotationDate": last + timedelta(days=every),
        "SecretVersionsToStages": {"1": ["AWSCURRENT"]},
        **more,
    }


def read(*entries: dict[str, Any]) -> list[Rotated]:
    return [Rotated.of(one, region="eu-central-1", now=NOW) for one in entries]


def written(secrets: list[Rotated], *, by: str = "alice", command: str = "rotators report") -> str:
    return page(Figures(secrets, NOW), Origin(NOW, by, command, ["eu-central-1"], "0.1.0"))


def fill(service: SecretsManager, count: int) -> None:
    """Put in secrets that were rotated, without the calls that make them: a look-up by name is linear."""
    now = time.time()
    for number in range(count):
        record = service.account.create(f"shop/app-{number:05d}")
        record.description = HOSTILE
        record.tags = {HOSTILE: HOSTILE}
        version = record.versions.add("1" * 32, now)
        version.value, version.labels = CANARY, {"AWSCURRENT"}
        record.rotation_enabled, record.rotation_rules = True, {"AutomaticallyAfterDays": 30}
        record.last_rotated = now - number % 40 * DAY - 60
        record.next_rotation = record.last_rotated + 30 * DAY


@pytest.fixture
def service() -> SecretsManager:
    return SecretsManager()


@pytest.fixture
def report(
    service: SecretsManager, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    with Endpoint(service) as url:

        def run(*arguments: str) -> tuple[int, str, str]:
            capsys.readouterr()
            code = main(["report", "--endpoint-url", url, "--region", "eu-central-1", *arguments])
            told = capsys.readouterr()
            return code, told.out, told.err

        yield run


def test_ten_thousand(service: SecretsManager, report: Any, tmp_path: Path) -> None:
    fill(service, 10_000)
    file = tmp_path / "report.html"

    code, out, err = report("--html", str(file))
    text = file.read_text()
    told = Read(text)

    assert (code, err) == (0, "")
    assert out == f"{file}: 10000 secrets with a rotation, 2500 of which need somebody\n"
    assert [call.operation for call in service.calls] == ["ListSecrets"] * 100
    assert "2,500 of 10,000 need somebody" in "".join(told.text)
    assert {cells[1] for cells in told.rows} == {f"shop/app-{number:05d}" for number in range(10_000)}
    assert len(told.rows) == 10_020, "the twenty worst stand at the top as well"
    assert len(text) < 3_000_000
    assert CANARY not in text


def test_the_page_says_who_when_where_and_how(service: SecretsManager, report: Any, tmp_path: Path) -> None:
    fill(service, 3)
    report("--html", str(tmp_path / "r.html"), "--prefix", "shop/", "--by", "A. Auditor")
    told = Read((tmp_path / "r.html").read_text())
    text = "\n".join(told.text)

    for what in ("A. Auditor", "123456789012", "eu-central-1", f"{datetime.now(UTC):%Y-%m-%d}", "ListSecrets"):
        assert what in text
    assert "--by 'A. Auditor' --prefix shop/" in text
    assert "cron(" in text, "the word rule is explained"


def test_every_standing_is_explained_and_counted() -> None:
    changed: dict[str, Any] = {"LastChangedDate": NOW - timedelta(days=3)}
    waits = {"1": ["AWSCURRENT"], "2": ["AWSPENDING"]}
    secrets = read(
        entry("stuck", SecretVersionsToStages=waits, **changed),
        entry("overdue", age=40),
        entry("never", LastRotatedDate=None),
        entry("off", RotationEnabled=False),
        entry("pending", SecretVersionsToStages=waits),
        entry("deleted", DeletedDate=NOW),
        entry("fine"),
    )
    told = Read(written(secrets))
    text = "\n".join(told.text)

    assert set(MEANINGS) >= {one.value for one in Standing} - {"no rotation"}
    assert [text.count(MEANINGS[one.value]) for one in REPORTED] == [1] * len(REPORTED)
    assert [cells[1] for cells in told.rows[:3]] == ["stuck", "overdue", "never"]
    assert "3 of 7 need somebody" in text
    assert told.rows[3] == [
        "stuck", "stuck", "123456789012", "eu-central-1", "2026-11-24", "1", "2026-12-24", "every 30 days", "2026-11-22",
    ]  # fmt: skip
    figures = Figures(secrets, NOW)
    assert [one.label for one in figures.standings if one.count == 1] == [one.standing.value for one in figures.secrets]
    assert sum(one.count for one in figures.ages) == 6, "without the one marked for deletion"
    assert sum(one.count for one in figures.shares) == 5, "nor the one whose rotation is off"


@pytest.mark.parametrize(
    "age, label",
    [
        (0, "under a day"),
        (0.99, "under a day"),
        (1, "1 to 7 days"),
        (7, "7 to 30 days"),
        (364, "180 to 365 days"),
        (365, "over a year"),
        (-1, "under a day"),
    ],
)
def test_ages(age: float, label: str) -> None:
    counts = Figures(read(entry(age=age, every=400)), NOW).ages
    assert [one.label for one in counts if one.count] == [label]


@pytest.mark.parametrize(
    "more, label",
    [
        ({"age": 0}, "first quarter of its time"),
        ({"age": 16}, "third quarter"),
        ({"age": 30}, "last quarter"),
        ({"age": 31}, "time has passed"),
        ({"age": 31, "LastRotatedDate": None}, "time has passed"),
        ({"NextRotationDate": None}, "no date known"),
        ({"age": -40, "NextRotationDate": NOW + timedelta(days=1)}, "no date known"),
        ({"age": -1, "every": 60}, "first quarter of its time"),
    ],
)
def test_ages_against_rules(more: dict[str, Any], label: str) -> None:
    counts = Figures(read(entry(**more)), NOW).shares
    assert [one.label for one in counts if one.count] == [label]


def test_a_timeline_by_day() -> None:
    line = Timeline.of(read(entry("a", age=3), entry("b", age=3, every=5), entry("late", age=20, every=10)), NOW)
    slots = {str(one.start): (one.rotated, one.missed, one.due) for one in line.slots}

    assert (line.unit, len(line.slots), line.earlier, line.later) == ("day", 63, 0, 0)
    assert slots["2026-11-22"] == (2, 0, 0)
    assert slots["2026-11-15"] == (0, 1, 0)
    assert slots["2026-12-22"] == (0, 0, 1)
    assert line.fullest is not None
    assert str(line.fullest[0]) == "2026-11-27"


def test_a_timeline_by_week() -> None:
    line = Timeline.of(read(entry("a", age=2, every=365), entry("b", age=400, every=402), entry("c", age=40)), NOW)
    slots = {str(one.start): (one.rotated, one.missed, one.due) for one in line.slots}

    assert (line.unit, len(line.slots), line.earlier, line.later) == ("week", 53, 1, 1)
    assert slots["2026-11-23"] == (1, 0, 1), "a Monday, and its Sunday's before the next"
    assert slots["2026-11-09"] == (0, 1, 0)
    assert sum(sum(counts) for counts in slots.values()) + line.earlier + line.later == 6


def test_charts_have_titles_words_and_tables() -> None:
    told = Read(written(read(entry("a"), entry("b", age=31))))
    charts = [attributes for tag, attributes in told.tags if tag == "svg"]
    ids = [attributes["id"] for _, attributes in told.tags if "id" in attributes]

    assert len(charts) == 4
    assert len(ids) == len(set(ids))
    for one in charts:
        assert one["role"] == "img"
        assert set((one["aria-labelledby"] or "").split()) <= set(ids)
    assert sum(tag == "details" for tag, _ in told.tags) == 4, "the numbers of each, as a table"
    assert "time has passed: 1" in "".join(told.text)


def test_nothing_a_service_could_send_becomes_markup() -> None:
    hostile = entry(
        HOSTILE,
        age=31,
        ARN=f"arn:aws:secretsmanager:eu-central-1:{HOSTILE.replace(':', '')}:secret:x",
        Description=HOSTILE,
        Tags=[{"Key": HOSTILE, "Value": HOSTILE}],
        RotationRules={"ScheduleExpression": HOSTILE},
        RotationLambdaARN=HOSTILE,
    )
    harmless = Read(written(read(entry("x", age=31)), by="b", command="c"))
    told = Read(written(read(hostile), by=HOSTILE, command=HOSTILE))

    assert [tag for tag, _ in told.tags] == [tag for tag, _ in harmless.tags]
    assert [set(attributes) for _, attributes in told.tags] == [set(attributes) for _, attributes in harmless.tags]
    assert [cells[1] for cells in told.rows] == [HOSTILE] * 2
    assert [cells[7] for cells in told.rows] == [HOSTILE] * 2


def test_the_page_loads_nothing_and_runs_only_what_is_ours() -> None:
    text = written(read(entry("a"), entry("b", age=31)))
    told = Read(text)
    (policy,) = [attributes["content"] or "" for _, attributes in told.tags if "http-equiv" in attributes]

    assert re.findall(r"(?:https?:)?//[\w.]", re.sub(r"(?m)^\s*//.*", "", text)) == []
    assert [attributes for _, attributes in told.tags if {"src", "srcset", "style"} & set(attributes)] == []
    assert {attributes["href"] for _, attributes in told.tags if "href" in attributes} <= {"data:,", "#all"}
    assert [name for _, attributes in told.tags for name in attributes if name.startswith("on")] == []
    assert "@import" not in text
    assert "url(" not in text
    assert policy.startswith("default-src 'none'; ")
    for inline in told.inline["script"] + told.inline["style"]:
        assert b64encode(sha256(inline.encode()).digest()).decode() in policy


def test_no_secret_is_a_page_too(report: Any, tmp_path: Path) -> None:
    assert report("--html", str(tmp_path / "r.html"))[0] == 0
    text = "".join(Read((tmp_path / "r.html").read_text()).text)
    assert "No secret with a rotation was found" in text


def test_json(service: SecretsManager, report: Any, tmp_path: Path) -> None:
    fill(service, 2)
    code, out, _ = report("--json", "--html", str(tmp_path / "r.html"))
    told = json.loads(out)

    assert code == 0
    assert (tmp_path / "r.html").exists()
    assert [one["age_days"] for one in told["secrets"]] == [1, 0]
    assert told["ages"]["under a day"] == 1
    assert sum(slot["rotated"] for slot in told["timeline"]["slots"]) == 2
    assert told["regions"] == ["eu-central-1"]
    assert report()[::2] == (2, "rotators: nothing to write: name a file with --html, or give --json\n")


def test_a_password_in_the_url_is_not_in_the_page(
    service: SecretsManager, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Endpoint(service) as url:
        with_user = url.replace("//", f"//me:{CANARY}@")
        assert (
            main(["report", "--html", str(tmp_path / "r"), "--endpoint-url", with_user, "--region", "x", "--json"]) == 0
        )
    assert CANARY not in (tmp_path / "r").read_text()
    assert CANARY not in capsys.readouterr().out


def test_an_existing_file_is_replaced_by_a_complete_one_alone(
    service: SecretsManager, report: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "report.html"
    file.write_text("the one before")
    file.chmod(0o600)
    fill(service, 1)
    with monkeypatch.context() as patch:
        patch.setattr(service, "respond", lambda *_: (400, b'{"__type": "AccessDeniedException"}'))
        code, _, err = report("--html", str(file))
    assert code == 2
    assert "AccessDenied" in err
    assert file.read_text() == "the one before"

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        code, _, err = report("--html", str(file))
    assert (code, err) == (2, f"rotators: {file} can't be written: No space left on device\n")
    assert file.read_text() == "the one before"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"], "nothing is left beside it"

    link = tmp_path / "link.html"
    link.symlink_to(file)
    assert report("--html", str(link))[0] == 0
    assert file.read_text().startswith("<!doctype html>")
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def full(_: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("path, why", [("no/such/r.html", "No such file or directory"), ("", "is no file")])
def test_a_path_nobody_can_write_to_is_said_before_anything_is_read(
    service: SecretsManager, report: Any, tmp_path: Path, path: str, why: str
) -> None:
    code, out, err = report("--html", str(tmp_path / path))
    assert (code, out) == (2, "")
    assert why in err
    assert err.count("\n") == 1
    assert service.calls == []


def test_the_pages_read_are_told_on_a_terminal(
    service: SecretsManager, report: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(service, 250)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    for module in ("rich", "rich.console", "rich.progress"):  # whose bar is drawn when it likes
        monkeypatch.setitem(sys.modules, module, None)
    _, _, err = report("--html", str(tmp_path / "r.html"))
    assert re.findall(r"eu-central-1: secrets read: (\d+)", err) == ["100", "200", "250"]
    assert err.endswith("\r\033[K"), "and the line is cleared"


def test_a_bar_is_as_long_as_its_share() -> None:
    """The track behind it is the whole: what says 25% does not fill it."""
    drawn = bars("x", "x", [Count("a", 1), Count("b", 1), Count("c", 2, bad=True), Count("d", 0)])
    assert re.findall(r'<rect class="(good|bad)"[^>]* width="([^"]+)"', drawn) == [
        ("good", "25.00%"),
        ("good", "25.00%"),
        ("bad", "50.00%"),
    ]
