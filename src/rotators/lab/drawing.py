"""The picture of a rotation, in lines of text that rich can colour."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.text import Text

from rotators.lab.login_client import Login
from rotators.lab.timeline import Scale, ruler, strip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rotators.lab.promises import Promise
    from rotators.lab.story import Act, Label, Step

_MARGIN = 16  # the column where a line's content begins
_TIME = 9
_NOTES, _NOTES_FULL = 52, 93  # the column of notes, behind short names of calls and behind full ones
_SMALLEST = 3  # cells in which a step's name can be told; below, its first letter must do
_FULL_NAMES = 110  # from this width on, calls are spelt out
_SHORT = {
    "DescribeSecret": "Describe",
    "GetSecretValue": "Get",
    "GetRandomPassword": "Random",
    "PutSecretValue": "Put",
    "UpdateSecretVersionStage": "Move",
    "ListSecretVersionIds": "List",
}
_STEP_STYLES = {"createSecret": "cyan", "setSecret": "yellow", "testSecret": "blue", "finishSecret": "magenta"}
_STYLES = {Login.OPENED: "green", Login.REFUSED: "bold red", Login.FAILED: "bold magenta", None: ""}
_VERSION_STYLES = ("bright_blue", "bright_yellow", "bright_cyan", "bright_magenta", "bright_green")


@dataclass(frozen=True)
class Glyphs:
    """The characters it is drawn with."""

    opened: str = "━"
    refused: str = "×"  # noqa: RUF001 - a cross
    failed: str = "!"
    yes: str = "✓"
    no: str = "✗"
    times: str = "×"  # noqa: RUF001 - a factor
    bar: str = "│"
    rule: str = "─"


ASCII = Glyphs(opened="-", refused="x", yes="+", no="x", times="x", bar="|", rule="-")


@dataclass
class Drawing:
    """Draws acts for lines of `width` cells. A version is shown by its first 8 characters, and keeps its colour."""

    width: int
    glyphs: Glyphs = field(default_factory=Glyphs)
    _versions: list[str] = field(default_factory=list)

    def act(self, act: Act) -> list[Text]:
        """One rotation, finished or not."""
        return [
            self._title(act),
            self._labels("before", act.before),
            *(line for number, _ in enumerate(act.tries) for line in self._try(act, number)),
            Text(),
            *self._timeline(act),
            Text(),
        ]

    def promise(self, promise: Promise) -> Text:
        """One line of the verdict, or more."""
        mark = (self.glyphs.yes, "green") if promise.kept else (self.glyphs.no, "bold red")
        return Text.assemble("  ", mark, " ", (promise.text, "" if promise.kept else "bold red"))

    def _title(self, act: Act) -> Text:
        took = sum(step.seconds for step in act.steps)
        right = f" {_milliseconds(took)}, {act.calls} calls" if act.ended is not None else ""
        fill = self.glyphs.rule * max(2, self.width - len(act.title) - len(right) - 1)
        return Text.assemble((act.title, "bold"), " ", (fill, "dim"), right)

    def _try(self, act: Act, number: int) -> Iterator[Text]:
        one = act.tries[number]
        if one.heading:
            yield Text.assemble("  ", (one.heading, "bold"))
        for step in one.steps:
            yield from self._step(step)
        if not one.labels:
            return
        if number + 1 == len(act.tries) and not any(step.failure for step in one.steps):
            yield self._labels("after", one.labels)
            return
        for name, label in zip(("now", "", ""), one.labels, strict=False):
            says = "opens the database" if label.opens else "is refused"
            yield Text.assemble(_left(name), self._label(label), f"  {says}")

    def _step(self, step: Step) -> Iterator[Text]:
        time = f"{_milliseconds(step.seconds):>{_TIME - 2}}  "
        line = Text.assemble("  ", (f"{step.name:<{_MARGIN - 2}}", _STEP_STYLES.get(step.name, "")), time)
        line.append(self._calls(step), "dim")
        line.pad_right(max(2, self._notes - line.cell_len))
        yield line.append("…" if step.ended is None else step.note)
        for part in wrap(step.failure, self.width - _MARGIN):
            short = self._notes + len(step.failure) <= self.width
            yield Text.assemble(" " * (self._notes if short else _MARGIN), (part, "bold red"))

    def _calls(self, step: Step) -> str:
        counted = Counter(step.calls if self._full else (_SHORT.get(call, call) for call in step.calls))
        return " ".join(f"{name}{self.glyphs.times}{n}" if n > 1 else name for name, n in counted.items())

    def _labels(self, name: str, labels: Sequence[Label]) -> Text:
        line = Text(_left(name))
        for number, label in enumerate(labels):
            line.append("   " if number else "").append_text(self._label(label))
        return line

    def _label(self, label: Label) -> Text:
        mark = (self.glyphs.yes, "green") if label.opens else (self.glyphs.no, "red")
        return Text.assemble(mark, " ", label.name, " ", (label.version[:8], self._colour(label.version)))

    def _colour(self, version: str) -> str:
        if version not in self._versions:
            self._versions.append(version)
        return _VERSION_STYLES[self._versions.index(version) % len(_VERSION_STYLES)]

    def _timeline(self, act: Act) -> Iterator[Text]:
        scale = Scale(act.began, act.until, self.width - _MARGIN)
        marks = {Login.OPENED: self.glyphs.opened, Login.REFUSED: self.glyphs.refused, Login.FAILED: self.glyphs.failed}
        attempts = act.attempts
        yield Text(_left("steps")).append_text(self._ruler(scale, act))
        logins = Text(_left("client"))
        for cell in strip(scale, attempts):
            logins.append(marks[cell] if cell else " ", _STYLES[cell])
        yield logins
        refused, failed = act.count(Login.REFUSED), act.count(Login.FAILED)
        text = Text(_left(""))
        text.append(f"{len(attempts)} logins, ")
        text.append(f"{refused} refused", "bold red" if refused else "green")
        text.append(f", {failed} failed otherwise" if failed else "", "bold magenta")
        text.append(f": kept out {_milliseconds(act.kept_out)}" if refused else "")
        if act.measured is not None:
            text.append(f" (handler's clock: {act.measured:.0f} ms)", "dim")
        yield text

    def _ruler(self, scale: Scale, act: Act) -> Text:
        line = Text()
        for step, first, behind in ruler(scale, act.steps):
            line.pad_right(max(0, first - line.cell_len))
            word, room = step.name.removesuffix("Secret"), behind - first
            drawn = f"{self.glyphs.bar}{word[: room - 1]}" if room >= _SMALLEST else word[0]
            line.append(drawn.ljust(room), _STEP_STYLES.get(step.name, ""))
            if step.failure:
                line.append(self.glyphs.no, "bold red")
        if act.steps:
            line.append(self.glyphs.bar, "dim")
        line.truncate(scale.width)
        return line

    @property
    def _full(self) -> bool:
        return self.width >= _FULL_NAMES

    @property
    def _notes(self) -> int:
        return _NOTES_FULL if self._full else _NOTES


def _left(name: str) -> str:
    return f"  {name:<{_MARGIN - 2}}"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
