"""The times in which the client was refused, as a picture: of text, or SVG."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CELLS, _MARGIN = 60, 10

_TITLES = {"ours": "rotators", "template": "shape of AWS's template"}
_WIDTH, _ROW, _TOP, _LEFT, _RIGHT, RADIUS = 720, 76, 66, 204, 28, 4.5
_STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .quiet { fill: #57606a; font-size: 12px; }
  .grid { stroke: #d0d7de; }
  .median { stroke: #24292f; stroke-width: 2; }
  .ours { fill: #0969da; } .template { fill: #bc4c00; }
  circle { fill-opacity: .75; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .quiet { fill: #9198a1; } .grid { stroke: #3d444d; } .median { stroke: #e6edf3; }
    .ours { fill: #58a6ff; } .template { fill: #f0883e; }
  }
"""


def chart(values: Mapping[str, Sequence[float]]) -> list[str]:
    """A line of text for each: how many rotations fell into each cell, and the median's cell under it."""
    end, step = axis(values)
    lines = []
    for name, found in values.items():
        cells = Counter(_cell(value, end) for value in found)
        dots = "".join(_digit(cells[cell]) for cell in range(_CELLS + 1))
        lines += [f"{name:{_MARGIN}}|{dots}", f"{'':{_MARGIN}}|{'^':>{_cell(median(found), end) + 1}} median"]
    ticks = [" "] * (_MARGIN + 1 + _CELLS + 8)
    for tick in range(0, end + 1, step):
        at = _MARGIN + 1 + _cell(tick, end)
        ticks[at : at + len(str(tick))] = str(tick)
    return [
        *lines,
        "".join(ticks).rstrip() + " ms",
        "a digit is the number of rotations in which the client was refused so long",
    ]


def svg(values: Mapping[str, Sequence[float]], server: str) -> str:
    """A dot a rotation; readable on light and on dark pages."""
    end, step = axis(values)
    height = _TOP + _ROW * len(values) + 46
    scale = (_WIDTH - _LEFT - _RIGHT) / end
    bottom = _TOP + _ROW * len(values)
    parts = [
        f'<text class="title" x="20" y="28">{escape("Time in which AWSCURRENT does not open, per rotation")}</text>'
    ]
    count = max(len(found) for found in values.values())
    parts.append(
        f'<text class="quiet" x="20" y="47">{escape(f"{count} warm rotations of each, in turn; {server}")}</text>'
    )
    for tick in range(0, end + 1, step):
        x = _LEFT + tick * scale
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(f'<text class="quiet" x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{tick}</text>')
    parts.append(f'<text class="quiet" x="{_LEFT}" y="{bottom + 36}">milliseconds, as a client sees it</text>')
    for row, (name, found) in enumerate(values.items()):
        middle = _TOP + _ROW * row + _ROW / 2
        parts.append(f'<text x="20" y="{middle:.1f}">{escape(_TITLES.get(name, name))}</text>')
        parts.append(f'<text class="quiet" x="20" y="{middle + 17:.1f}">median {median(found):.0f} ms</text>')
        x = _LEFT + median(found) * scale
        parts.append(f'<line class="median" x1="{x:.1f}" y1="{middle - 26:.1f}" x2="{x:.1f}" y2="{middle + 26:.1f}"/>')
        parts += [
            f'<circle class="{escape(name)}" cx="{_LEFT + value * scale:.1f}" cy="{middle + shift:.1f}" r="{RADIUS}"/>'
            for value, shift in swarm(found, scale)
        ]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="Dot plot of the time in which AWSCURRENT does not open">\n'
        f"<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )


def axis(values: Mapping[str, Sequence[float]]) -> tuple[int, int]:
    """The axis's end and the distance of its ticks."""
    most = max(max(found) for found in values.values())
    step = next((step for step in (5, 10, 20, 50, 100, 200, 500) if most / step <= 8), 1000)
    return max(step, int(-(-most // step)) * step), step


def _cell(value: float, end: int) -> int:
    return round(value / end * _CELLS)


def _digit(count: int) -> str:
    return " " if count == 0 else str(count) if count < 10 else "*"


def swarm(found: Sequence[float], scale: float) -> list[tuple[float, float]]:
    """Each value with how far it is moved up or down, so that no dot hides another."""
    placed: list[tuple[float, float]] = []
    for value in sorted(found):
        shift = 0.0
        for number in range(2 * len(found)):
            shift = (number + 1) // 2 * (2 * RADIUS + 1) * (1 if number % 2 else -1)
            if all(((value - v) * scale) ** 2 + (shift - s) ** 2 >= (2 * RADIUS) ** 2 for v, s in placed):
                break
        placed.append((value, shift))
    return placed
