"""What was measured of the strategies, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target import OURS, THEIRS, Strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from measurement import Row

TITLES = {
    Strategy.SINGLE: "single user",
    Strategy.OWN_RIGHTS: "  two passwords, own rights",
    Strategy.BY_ADMIN: "  two passwords, the admin's",
    Strategy.ALTERNATING: "alternating users",
}
ROTATORS = {OURS: "rotators", THEIRS: "template"}
_HEAD = ("", "", "client's logins", "gap", "calls", "logins at the server")
_UNDER = ("", "", "failed   of", "ms", "first  warm", "let in  refused")
_LINE = "  {:<29}{:<10}{:>17}{:>8}{:>14}{:>22}"


def table(servers: Mapping[str, str], rows: Sequence[Row]) -> list[str]:
    """Lay the numbers out, server by server."""
    lines = []
    for key, name in servers.items():
        ours = [row for row in rows if row.engine == key]
        lines += ["", name, _LINE.format(*_HEAD).rstrip(), _LINE.format(*_UNDER).rstrip()]
        lines += [_line(row) for row in ours]
        lines += [f"  {line}" for line in _ratio(ours)]
    return [
        *lines,
        "",
        "  gap: how long the client was refused in a rotation, median without the first rotation",
        "  calls: of Secrets Manager, in a secret's first rotation and the most in a later one",
        "  logins at the server: by its own log; let in, the most in a rotation; refused, the sum of all",
    ]


def _line(row: Row) -> str:
    calls = [each.total() for each in row.calls]
    return _LINE.format(
        TITLES[row.strategy],
        ROTATORS[row.rotator],
        f"{sum(row.failed)} {sum(row.tries):>5}",
        f"{row.warm_gap:.0f}",
        f"{calls[0]} {max(calls[1:]):>5}",
        f"{max(row.opened)} {sum(row.refused):>8}",
    )


def _ratio(rows: Sequence[Row]) -> Iterator[str]:
    gaps = {row.rotator: row.warm_gap for row in rows if row.strategy is Strategy.SINGLE}
    if gaps.get(THEIRS):
        yield f"{'single user, gap: rotators / template':39}{gaps[OURS] / gaps[THEIRS]:>25.2f}"
