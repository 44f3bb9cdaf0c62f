"""
The charts: SVG of our own, for every width.

Positions across are percentages, and there is no viewBox: on a phone the bars get narrower and the letters do not. Every chart
has a title and a description for who can't see it, and its numbers in a table below.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rotators.fleet.report.figures import Count
    from rotators.fleet.report.timeline import Slot, Timeline

_ROW, _BAR = 42, 14
_HEIGHT, _AXIS = 180, 22
_FEWEST_LABELS_APART = 4  # slots; a label is as wide as that on a phone


def figure(name: str, heading: str, about: str, drawn: str, numbers: str) -> str:
    """Return a chart with its heading, its sentence and its numbers."""
    return (
        f'<figure id="{name}"><figcaption><h2>{escape(heading)}</h2><p>{escape(about)}</p></figcaption>'
        f"{drawn}<details><summary>The numbers</summary>{numbers}</details></figure>"
    )


def bars(name: str, title: str, counts: Sequence[Count]) -> str:
    """Return lying bars, one for each count."""
    whole = sum(one.count for one in counts) or 1  # the track: a bar is as long as its share says
    drawn = []
    for at, one in enumerate(counts):
        top = at * _ROW
        kind = "bad" if one.bad else "good"
        drawn.append(
            f'<text x="0" y="{top + 14}">{escape(one.label)}</text>'
            f'<text x="100%" y="{top + 14}" text-anchor="end">{one.count:,} ({one.count / whole:.0%})</text>'
            f'<rect class="track" x="0" y="{top + 20}" width="100%" height="{_BAR}" rx="3"/>'
        )
        if one.count:
            width = max(100 * one.count / whole, 0.5)
            drawn.append(
                f'<rect class="{kind}" x="0" y="{top + 20}" width="{width:.2f}%" height="{_BAR}" rx="3">'
                f"<title>{escape(one.label)}: {one.count:,}</title></rect>"
            )
    told = "; ".join(f"{one.label}: {one.count:,}" for one in counts)
    return _svg(name, title, told, len(counts) * _ROW, "".join(drawn))


def columns(name: str, title: str, timeline: Timeline) -> str:
    """Return standing bars: what was rotated and missed before today, what is due after it."""
    slots, wide = timeline.slots, 100 / len(timeline.slots)
    most = max((one.rotated + one.missed + one.due for one in slots), default=0) or 1
    drawn, labelled = [], -_FEWEST_LABELS_APART
    for at, one in enumerate(slots):
        left, foot = at * wide, float(_HEIGHT)
        for kind, count in (("good", one.rotated), ("bad", one.missed), ("due", one.due)):
            if count:
                high = max((_HEIGHT - 20) * count / most, 2)
                foot -= high
                drawn.append(
                    f'<rect class="{kind}" x="{left + wide * 0.1:.2f}%" y="{foot:.1f}" width="{wide * 0.8:.2f}%" '
                    f'height="{high:.1f}"><title>{_told(timeline.unit, one)}</title></rect>'
                )
        if (label := _label(timeline, at)) and at - labelled >= _FEWEST_LABELS_APART and at <= len(slots) - 3:
            labelled = at
            drawn.append(
                f'<line class="axis" x1="{left:.2f}%" x2="{left:.2f}%" y1="{_HEIGHT}" y2="{_HEIGHT + 5}"/>'
                f'<text class="small" x="{left:.2f}%" dx="2" y="{_HEIGHT + 16}">{label}</text>'
            )
    now = 100 * (next(at for at, one in enumerate(slots) if _holds(timeline, at)) + 0.5) / len(slots)
    drawn.append(
        f'<line class="axis" x1="0" x2="100%" y1="{_HEIGHT}" y2="{_HEIGHT}"/>'
        f'<line class="now" x1="{now:.2f}%" x2="{now:.2f}%" y1="14" y2="{_HEIGHT}"/>'
        f'<text class="small" x="{now:.2f}%" y="10" text-anchor="middle">today</text>'
        f'<text class="small" x="0" y="10">most: {most:,} a {timeline.unit}</text>'
    )
    told = "; ".join(_told(timeline.unit, one) for one in slots if one.rotated or one.missed or one.due)
    return _svg(name, title, told or "nothing", _HEIGHT + _AXIS, "".join(drawn))


def table(heads: Sequence[str], rows: Sequence[Sequence[str | int]]) -> str:
    """Return numbers as a table."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(str(first))}</th>'
        + "".join(f"<td>{one:,}</td>" if isinstance(one, int) else f"<td>{escape(one)}</td>" for one in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f'<table class="numbers"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _holds(timeline: Timeline, at: int) -> bool:
    """Whether today is in a slot."""
    following = timeline.slots[at + 1].start if at + 1 < len(timeline.slots) else None
    return timeline.slots[at].start <= timeline.today and (following is None or timeline.today < following)


def _label(timeline: Timeline, at: int) -> str:
    """Return a month's name where a month begins, a Monday's date among days."""
    start = timeline.slots[at].start
    if timeline.unit == "day":
        return f"{start:%d %b}" if start.weekday() == 0 else ""
    return f"{start:%b}" if at == 0 or timeline.slots[at - 1].start.month != start.month else ""


def _told(unit: str, slot: Slot) -> str:
    kinds = [(slot.rotated, "rotated"), (slot.missed, "missed"), (slot.due, "due")]
    what = ", ".join(f"{count:,} {kind}" for count, kind in kinds if count)
    return f"{'week of ' if unit == 'week' else ''}{slot.start}: {what}"


def _svg(name: str, title: str, told: str, height: int, drawn: str) -> str:
    return (
        f'<svg role="img" aria-labelledby="{name}-title {name}-told" width="100%" height="{height}">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-told">{escape(told)}</desc>{drawn}</svg>'
    )
