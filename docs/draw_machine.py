"""
Draw the machine, as ``docs/images/machine.svg``, from ``rotators.machine.GUARDS``: picture and code can't disagree.

Run it with ``python docs/draw_machine.py``; a test fails where the committed picture is not what this draws.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from rotators.machine import GUARDS, Standing, Step, Verdict

PICTURE = Path(__file__).parent / "images" / "machine.svg"
LEFT, TOP, WIDE, HIGH, GAP = 232, 62, 176, 64, 8

WORK = {
    Step.CREATE: ("draw a password,", "store it as AWSPENDING"),
    Step.SET: ("change it at the target,", "prove it or undo it"),
    Step.TEST: ("log in with pending", ""),
    Step.FINISH: ("log in once more,", "move AWSCURRENT"),
}
MEANING = {
    Standing.ABSENT: ("absent", "the secret has no such version"),
    Standing.UNLABELLED: ("unlabelled", "abandoned, or long since previous"),
    Standing.PENDING: ("pending", "AWSPENDING is on the token"),
    Standing.CURRENT: ("current", "AWSCURRENT is on the token"),
}
LABEL = 'role="img" aria-label="The four steps by the four standings of the token, and what each cell does"'
STYLE = """
  text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #24292f }
  .head { font-weight: 600 } .soft { fill: #57606a; font-size: 12px } .mid { text-anchor: middle }
  rect { rx: 8px } .refuse { fill: #ffebe9; stroke: #cf222e } .run { fill: #dafbe1; stroke: #1a7f37 }
  .done { fill: #ddf4ff; stroke: #0969da } .arrow { stroke: #57606a; fill: none; stroke-width: 1.5 } .tip { fill: #57606a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .soft { fill: #9198a1 } .refuse { fill: #3c1618 } .run { fill: #12341d } .done { fill: #0c2d4d }
    .arrow { stroke: #9198a1 } .tip { fill: #9198a1 }
  }
"""


def cell(column: int, row: int, step: Step, where: Standing) -> list[str]:
    """Return one cell of the table."""
    verdict = GUARDS[where][step]
    x, y = LEFT + column * (WIDE + GAP), TOP + row * (HIGH + GAP)
    title, first, second = {
        Verdict.REFUSE: ("refuse", "nothing was touched", ""),
        Verdict.RUN: ("run", *WORK[step]),
        Verdict.DONE: ("done", "a quiet success", ""),
    }[verdict]
    middle = x + WIDE / 2
    lines = [
        f'<rect class="{verdict.value}" x="{x}" y="{y}" width="{WIDE}" height="{HIGH}"/>',
        f'<text class="head mid" x="{middle:g}" y="{y + (20 if second else 27)}">{title}</text>',
        f'<text class="soft mid" x="{middle:g}" y="{y + (38 if second else 46)}">{escape(first)}</text>',
    ]
    if second:
        lines.append(f'<text class="soft mid" x="{middle:g}" y="{y + 54}">{escape(second)}</text>')
    return lines


def draw() -> str:
    """Return the picture."""
    width, height = LEFT + 4 * (WIDE + GAP) + 8, TOP + 4 * (HIGH + GAP) + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" {LABEL}>',
        f"<style>{STYLE}</style>",
        '<text class="soft" x="16" y="38">the token is …</text>',
    ]
    for column, step in enumerate(Step):
        middle = LEFT + column * (WIDE + GAP) + WIDE / 2
        lines.append(f'<text class="head mid" x="{middle:g}" y="38">{step.value}</text>')
        if column:
            tip = middle - WIDE / 2 + 34
            lines.append(f'<path class="arrow" d="M{tip - 74:g} 34H{tip - 6:g}"/>')
            lines.append(f'<path class="tip" d="M{tip:g} 34l-8 -4v8z"/>')
    for row, where in enumerate(Standing):
        y = TOP + row * (HIGH + GAP)
        name, meaning = MEANING[where]
        lines.append(f'<text class="head" x="16" y="{y + 28}">{name}</text>')
        lines.append(f'<text class="soft" x="16" y="{y + 46}">{escape(meaning)}</text>')
        for column, step in enumerate(Step):
            lines += cell(column, row, step, where)
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(draw())
