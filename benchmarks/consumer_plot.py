"""What clients see of rotations, as a picture: in how many of them how many requests failed."""

from __future__ import annotations

from collections import Counter
from math import sqrt
from typing import TYPE_CHECKING

from strategies_plot import STYLE, text
from strategies_table import TITLES
from window_plot import RADIUS, axis

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from consumer import Row

_WIDTH, _MARGIN, _TOP, _HEAD, _LANE, _FOOT = 920, 20, 96, 40, 32, 46
_LEFT, _RIGHT, _WHO = 364, 660, 224
#: Where a column ends, and the two lines above it.
_COLUMNS = {730: ("requests", ""), 800: ("failed", ""), 900: ("slowest,", "ms")}


def svg(servers: Mapping[str, str], rows: Sequence[Row], rotations: int, keep: float) -> str:
    """A lane a strategy and client, server by server; readable on light and on dark pages."""
    end, step = axis({"": [value for row in rows for value in row.failed_in] or [0]})
    scale = (_RIGHT - _LEFT) / end
    bottom = _TOP + _HEAD * len(servers) + _LANE * len(rows)
    parts = [
        text(_MARGIN, 28, "What an application sees while its secret rotates", "title"),
        text(
            _MARGIN,
            48,
            f"Clients that log in all the time through {rotations} rotations of each. A dot: so many of their requests failed in "
            "one rotation; its area: in so many rotations",
            "quiet",
        ),
    ]
    for x, (first, second) in _COLUMNS.items():
        parts += [text(x, 70, first, "quiet number"), text(x, 86, second, "quiet number")]
    for tick in range(0, end + 1, step):
        at = _LEFT + tick * scale
        parts.append(f'<line class="grid" x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{bottom}"/>')
        parts.append(f'<text class="quiet" x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{tick}</text>')
    parts += [
        text(_LEFT, bottom + 36, "failed requests in one rotation", "quiet"),
        text(_MARGIN, bottom + 18, f"the plain cache keeps a value for {keep:g} s;", "quiet"),
        text(_MARGIN, bottom + 36, "one that keeps it for minutes fails for minutes", "quiet"),
    ]
    y = float(_TOP)
    for key, server in servers.items():
        parts.append(f'<line class="rule" x1="{_MARGIN}" y1="{y}" x2="{_WIDTH - _MARGIN}" y2="{y}"/>')
        parts.append(text(_MARGIN, y + 26, server, "engine"))
        y += _HEAD
        before = None
        for row in (row for row in rows if row.engine == key):
            parts += _lane(row, y + _LANE / 2, scale, titled=row.strategy is not before)
            before, y = row.strategy, y + _LANE
    body = "\n".join(parts)
    height = bottom + _FOOT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="Failed requests in each rotation, with rotators.consumer and with a plain cache">\n'
        f"<style>{STYLE}</style>\n{body}\n</svg>\n"
    )


def _lane(row: Row, middle: float, scale: float, *, titled: bool) -> Iterator[str]:
    line, kind = middle + 4.5, "ours" if row.ours else "template"
    if titled:
        yield text(_MARGIN + 10 * (TITLES[row.strategy][0] == " "), line, TITLES[row.strategy].strip())
    yield text(_WHO, line, row.client, kind)
    if not row.failed:
        yield f'<circle class="{kind}" cx="{_LEFT}" cy="{middle:.1f}" r="{RADIUS}"/>'
        yield text(_LEFT + 10, line, f"none, in any of {len(row.failed_in)}", "none")
    else:
        counts = Counter(row.failed_in)
        unit = min(RADIUS / 2, _LANE / 2.2 / sqrt(max(counts.values())))
        for value, count in sorted(counts.items()):
            size = f'cy="{middle:.1f}" r="{unit * sqrt(count):.1f}"'
            yield f'<circle class="{kind}" cx="{_LEFT + value * scale:.1f}" {size}/>'
    numbers = (f"{row.requests:,}", f"{row.failed:,}", f"{row.slowest:,.0f}")
    for x, number, bad in zip(_COLUMNS, numbers, (False, row.failed > 0, False), strict=True):
        yield text(x, line, number, "number bad" if bad else "number")
