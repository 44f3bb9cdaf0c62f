"""What a client sees of each strategy, as a picture: how long it was refused, a dot a rotation, beside what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from strategies_table import TITLES
from target import OURS, THEIRS, Strategy
from window_plot import RADIUS, axis, swarm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from measurement import Row

_WIDTH, _MARGIN, _TOP, _HEAD, _LANE, _FOOT = 920, 20, 96, 40, 32, 46
_LEFT, _RIGHT = 314, 580  # of the axis
_WHO = 224
#: Where a column ends, and the two lines above it.
_COLUMNS = {
    646: ("median", "ms"),
    738: ("the client's", "failed logins"),
    816: ("API calls", "a rotation"),
    900: ("its logins", "in + refused"),
}
_NAMES = {OURS: "rotators", THEIRS: "like AWS's"}
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
  .title { font-size: 16px; font-weight: 600; }
  .engine { font-weight: 600; }
  .quiet { fill: #57606a; font-size: 12px; }
  .number { font-variant-numeric: tabular-nums; text-anchor: end; }
  .bad { fill: #cf222e; font-weight: 600; }
  .none { fill: #1a7f37; }
  .grid { stroke: #d8dee4; }
  .rule { stroke: #afb8c1; }
  .median { stroke: #24292f; stroke-width: 2; }
  .ours { fill: #0969da; } .template { fill: #bc4c00; }
  circle { fill-opacity: .7; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .quiet { fill: #9198a1; } .grid { stroke: #30363d; } .rule { stroke: #57606a; }
    .median { stroke: #e6edf3; } .bad { fill: #ff7b72; } .none { fill: #3fb950; }
    .ours { fill: #58a6ff; } .template { fill: #f0883e; }
  }
"""


def svg(servers: Mapping[str, str], rows: Sequence[Row], rotations: int) -> str:
    """A lane a strategy and rotator, server by server; readable on light and on dark pages."""
    end, step = axis({"": [value for row in rows for value in row.gap[1:]]})
    scale = (_RIGHT - _LEFT) / max(end, 1)
    bottom = _TOP + _HEAD * len(servers) + _LANE * len(rows)
    height = bottom + _FOOT
    parts = [
        text(_MARGIN, 28, "What a client sees while its secret rotates", "title"),
        text(
            _MARGIN,
            48,
            f"{rotations} warm rotations of each, in turn; a dot is the time in one of them that the client was refused",
            "quiet",
        ),
    ]
    for x, (first, second) in _COLUMNS.items():
        parts += [text(x, 70, first, "quiet number"), text(x, 86, second, "quiet number")]
    for tick in range(0, end + 1, step):
        at = _LEFT + tick * scale
        parts.append(f'<line class="grid" x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{bottom}"/>')
        parts.append(f'<text class="quiet" x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{tick}</text>')
    parts.append(text(_LEFT, bottom + 36, "milliseconds in which AWSCURRENT did not open", "quiet"))
    y = float(_TOP)
    for key, server in servers.items():
        parts.append(f'<line class="rule" x1="{_MARGIN}" y1="{y}" x2="{_WIDTH - _MARGIN}" y2="{y}"/>')
        parts.append(text(_MARGIN, y + 26, server, "engine"))
        y += _HEAD
        before: Strategy | None = None
        for row in (row for row in rows if row.engine == key):
            parts += _lane(row, y + _LANE / 2, scale, titled=row.strategy is not before)
            before, y = row.strategy, y + _LANE
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="The time in which AWSCURRENT does not open, by database and strategy">\n'
        f"<style>{STYLE}</style>\n{body}\n</svg>\n"
    )


def _lane(row: Row, middle: float, scale: float, *, titled: bool) -> Iterator[str]:
    gaps, failed, tries = row.gap[1:], sum(row.failed), sum(row.tries)
    line = middle + 4.5
    if titled:
        yield text(_MARGIN + 10 * (TITLES[row.strategy][0] == " "), line, TITLES[row.strategy].strip())
    yield text(_WHO, line, _NAMES[row.rotator], row.rotator)
    if not failed:
        yield f'<circle class="{row.rotator}" cx="{_LEFT}" cy="{middle:.1f}" r="{RADIUS}"/>'
        yield text(_LEFT + 10, line, "never refused", "none")
    else:
        x = _LEFT + row.warm_gap * scale
        yield f'<line class="median" x1="{x:.1f}" y1="{middle - 13:.1f}" x2="{x:.1f}" y2="{middle + 13:.1f}"/>'
        for value, shift in swarm(gaps, scale):
            cy = middle + max(-11.0, min(11.0, shift))  # a crowd overlaps rather than leave its lane
            yield f'<circle class="{row.rotator}" cx="{_LEFT + value * scale:.1f}" cy="{cy:.1f}" r="{RADIUS}"/>'
    numbers = (
        f"{row.warm_gap:.0f}",
        f"{failed} of {tries}",
        str(row.most_calls),
        f"{max(row.opened)} + {max(row.refused)}",
    )
    worse = (False, failed > 0, False, max(row.refused) > 0)
    for x, number, bad in zip(_COLUMNS, numbers, worse, strict=True):
        yield text(x, line, number, "number bad" if bad else "number")


def text(x: float, y: float, words: str, kind: str = "") -> str:
    chosen = f' class="{kind}"' if kind else ""
    return f'<text{chosen} x="{x:g}" y="{y:g}">{escape(words)}</text>'
